"""Running from Python, for real: small data, in processes of their own."""

import subprocess
import sys

import pytest

import adbench
from adbench import session
from adbench.errors import UnknownName, UsageError
from adbench.progress import QuietView
from adbench.store import Store

PUBLIC = [
    *("ARCHIVE_SUFFIXES", "AdbenchError", "Attack", "DataMissing", "Dataset", "DatasetError", "DatasetSpec"),
    *("Describes", "Detector", "DetectorSpec", "Evaluation", "Finder", "Found", "PluginError", "RemoteFile"),
    *("Results", "SkipTrial", "Split", "StoreError", "TaskSpec", "TestSet", "ThresholdSpec"),
    *("UnknownName", "UsageError"),
    *(
        "check_checksum",
        "check_rows",
        "check_text",
        "evaluate",
        "hookimpl",
        "log",
        "note",
        "open_binary",
        "read_members",
        "read_pickle",
        "reading",
        "run",
    ),
    "track",
]
TOYS = ["toy-distance", "toy-noise"]


class Watch(QuietView):
    """Notes what it is told."""

    def __init__(self):
        self.totals, self.ended = [], []

    def begin(self, total, forecast):
        self.totals.append(total)

    def finished(self, trial, record, remaining):
        self.ended.append((trial.detector, record.status))


@pytest.fixture
def run(toys, tmp_path):
    """Run toys into one store, and tell how many trials ran."""

    def run(detectors=TOYS, datasets="toy-table", **options):
        watch = Watch()
        options = {"seeds": 1, "jobs": 1, "store": tmp_path / "store", "registry": toys, **options}
        results = adbench.run(detectors, datasets, view=watch, **options)
        return results, len(watch.ended)

    return run


def test_public_names():
    """The public names are these: one more or one less is a decision, not an accident."""
    assert adbench.__all__ == PUBLIC


@pytest.mark.parametrize("name", [*PUBLIC, "__version__"])
def test_public_names_are_there(name):
    """Each public name can be imported, and nothing else pretends to be one."""
    assert getattr(adbench, name)
    assert name == "__version__" or name in dir(adbench)


def test_no_other_names():
    """A name that is not there is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="module 'adbench' has no attribute 'detect'"):
        _ = adbench.detect


def test_breast_cancer(tmp_path):
    """The first thing a user tries: floors on a real table, each number where it should be."""
    pytest.importorskip("adbench_tabular")
    pytest.importorskip("adbench_baselines")

    results = adbench.run("@floors", ["breast-cancer/novelty"], seeds=2, store=tmp_path / "store", jobs=2)

    frame = results.leaderboard().to_frame().set_index("detector")
    assert frame["status"].to_dict() == {"random": "ok 2", "constant": "ok 2", "mean-distance": "ok 2"}
    assert frame.loc["constant", "auroc"] == 0.5
    assert frame.loc["random", "auroc"] == pytest.approx(0.5, abs=0.1)
    assert frame.loc["mean-distance", "auroc"] > 0.9
    assert "*mean-distance*" in results.to_markdown()


def test_results(run):
    """Results are of this run's trials alone, in the plan's order, as long form and as leaderboard."""
    run(["toy-noise"], seeds=2)
    results, _ = run(["toy-distance"])

    frame = results.to_frame()
    assert set(frame["detector"]) == {"toy-distance"}
    assert set(frame["key"]) == set(results.keys)
    assert frame[frame["metric"] == "auroc"]["value"].item() > 0.9
    assert [row.detector for row in results.leaderboard().boards[0].rows] == ["toy-distance"]


def test_nothing_runs_twice(run):
    """A second run runs nothing and finds the same numbers; a third detector runs alone."""
    first, ran = run()
    again, ran_again = run()
    _, ran_more = run([*TOYS, "toy-*"], seeds=2)

    assert (ran, ran_again, ran_more) == (2, 0, 2)
    assert first == again
    assert first.to_frame().equals(again.to_frame())


def test_known_trials_are_described_once(run, monkeypatch):
    """Planning again what is planned already builds none of its records."""
    run()
    monkeypatch.setattr(session, "planned_record", lambda *_: pytest.fail("described again"))
    assert run()[1] == 0


def test_the_same_numbers_again(run, tmp_path):
    """Another store on another day holds the same scores."""
    one, _ = run(store=tmp_path / "one")
    other, _ = run(store=tmp_path / "other")

    columns = ["key", "metric", "threshold", "value"]
    frames = [results.to_frame() for results in (one, other)]
    same = [frame[~frame["metric"].isin(["fit_seconds", "score_seconds", "peak_mb"])][columns] for frame in frames]
    assert same[0].equals(same[1])


def test_a_lost_score_file_is_made_anew(run, tmp_path):
    """A trial whose scores are gone runs again, and the table is whole."""
    results, _ = run()
    (tmp_path / "store" / "scores" / f"{results.keys[0]}.npz").unlink()
    assert sorted(results.leaderboard().to_frame()["status"]) == ["error 1", "ok 1"]

    again, ran = run()

    assert ran == 1
    assert again.leaderboard().to_frame()["status"].tolist() == ["ok 1", "ok 1"]


def test_a_setting_that_a_split_refuses_is_wrong_usage(run, tmp_path):
    """What the user set cannot be meant: one line, nothing is run on it, and what is stored stays."""
    run(["toy-distance"])
    with pytest.raises(UsageError, match="dataset 'toy-table': 'n_train' must be from 1 to 159; got 200"):
        run(["toy-noise"], settings={"toy-table": {"n_train": 200}})
    with Store.open(tmp_path / "store") as store:
        assert [record.status for _, record in store.labelled()] == ["ok"]
    _, ran = run(["toy-distance", "toy-noise"])
    assert ran == 1


def test_settings_are_another_trial(run):
    """A setting makes another trial under its own label, unless a profile says the same: then nothing runs."""
    results, ran = run(["toy-distance"], settings={"toy-distance": {"power": 2.0}})
    assert set(results.to_frame()["detector"]) == {"toy-distance(power=2.0)"}

    _, standard_ran = run(["toy-distance"], profile="standard", settings={"toy-table": {"n_train": 60}})
    assert (ran, standard_ran) == (1, 0)


def test_profiles_do_not_mix(run):
    """Two profiles that share a trial show it under both names, in sections of their own."""
    run(["toy-noise"], profile="standard")
    results, ran = run(["toy-noise"], profile="full")

    assert ran == 0
    assert {section.profile for section in results.leaderboard().sections} == {"standard", "full"}


def test_datasets_by_address(run):
    """A dataset by address runs, and no folder of it reaches the store."""
    results, _ = run(["toy-distance"], "toy:/secret/folder/mine")
    with Store.open_for_reading(results.store) as store:
        (record,) = store.records().values()

    assert record.trial.dataset == "mine"
    assert record.dataset_facts["address"] == "toy:mine"
    assert "secret" not in record.to_json()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sedes": 3}, "adbench.run: .*unexpected keyword argument 'sedes'"),
        ({"profile": "fast"}, "'profile' must be one of quick, standard, full; got 'fast'"),
        ({"lane": "fast"}, "'lane' must be corrected or published; got 'fast'"),
        ({"executor": "slurm"}, "'executor' must be one of local, inline"),
        ({"seeds": 0}, "'seeds' must be a whole number, at least 1; got 0"),
        ({"seeds": 2.5}, "'seeds' must be a whole number, at least 1; got 2.5"),
        ({"seeds": True}, "'seeds' must be a whole number, at least 1; got True"),
        ({"seed": "a"}, "'seed' must be a whole number; got 'a'"),
        ({"jobs": 0}, "'jobs' must be a whole number, at least 1; got 0"),
        ({"budget": "x"}, "'budget' must be seconds, or None for no limit; got 'x'"),
        ({"budget": 0}, "'budget' must be seconds, or None for no limit; got 0"),
        ({"budget": float("nan")}, "'budget' must be seconds, or None for no limit; got nan"),
        ({"timeout": -1}, "'timeout' must be seconds, or None for no limit; got -1"),
        ({"timeout": float("nan")}, "'timeout' must be seconds, or None for no limit; got nan"),
        ({"memory": "4GB"}, "'memory' must be a whole number of bytes; got '4GB'"),
        ({"memory": -5}, "'memory' must be a whole number of bytes; got -5"),
        ({"memory": 1.5e9}, "'memory' must be a whole number of bytes; got 1500000000.0"),
        ({"memory": 10**30}, "'memory' must be a whole number of bytes; got 1000"),
        ({"store": 5}, "'store' must be a folder; got 5"),
        ({"data_dir": 5}, "'data_dir' must be a folder; got 5"),
        ({"model_dir": 5}, "'model_dir' must be a folder; got 5"),
        ({"skip_train": True}, "nothing is fitted with --skip-train: give --model-dir"),
        ({"detectors": [3]}, r"'detectors' must be names; got \[3\]"),
        ({"detectors": 3}, "adbench.run: 'int' object is not iterable"),
        ({"datasets": [None]}, r"'datasets' must be names; got \[None\]"),
        ({"timeout": "10m"}, "'timeout' must be seconds, or None for no limit; got '10m'"),
        ({"detectors": "toy-distanse"}, "no detector named 'toy-distanse'"),
        ({"datasets": "toy-tabel"}, "no dataset named 'toy-tabel'"),
        ({"datasets": "toy-nowhere"}, "nothing to run: .*toy-nowhere/novelty: .*look elsewhere"),
        ({"detectors": "toy-images"}, "nothing to run: .*toy-images on toy-table/novelty: takes images only"),
        ({"settings": {"toy-distanse": {"power": 2}}}, "no chosen detector or dataset named 'toy-distanse'"),
        ({"settings": {"toy-distance": {"pwer": 2}}}, "'toy-distance' has no parameter 'pwer'. Did you mean 'power'"),
        ({"settings": {"toy-distance": {"power": "x"}}}, "'power' of toy-distance must be float; got 'x'"),
        ({"settings": {"toy-table": {"n": 2}}}, "'toy-table/novelty' has no parameter 'n'"),
        ({"settings": {"toy-distance": {"power": float("nan")}}}, "'settings' must be {name: {param: plain"),
        ({"settings": {"toy-distance": {"power": {2}}}}, "'settings' must be {name: {param: plain"),
        ({"settings": {"toy-distance": 2}}, "'settings' must be {name: {param: plain"),
        ({"settings": ["toy-distance.power=2"]}, "'settings' must be {name: {param: plain"),
        ({"data_dir": "/no/such/folder"}, "the data folder given by --data-dir does not exist"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_arguments(run, tmp_path, options, words):
    """A wrong argument is a UsageError in one line, and no store is made."""
    with pytest.raises(UsageError, match=words) as refusal:
        run(**options)

    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "store").exists()


def test_unknown_names_are_usage_errors(run):
    """Whoever catches UsageError catches wrong names too."""
    with pytest.raises(UnknownName):
        run("toy-distanse")


def test_from_another_thread(toys, tmp_path):
    """A run works in a thread, where no signal handler can be set."""
    code = (
        "import threading, adbench, sys\n"
        "found = []\n"
        "options = dict(seeds=1, jobs=1, store=sys.argv[1])\n"
        "work = lambda: found.append(adbench.run(['toy-noise'], ['toy-table'], **options))\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start(); thread.join()\n"
        "print(len(found[0].keys))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
