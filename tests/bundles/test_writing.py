from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adbench import metrics
from adbench.bundles import layout
from adbench.bundles.bundle import Bundle
from adbench.bundles.gathering import opened
from adbench.bundles.precision import compacted
from adbench.bundles.redaction import without_paths
from adbench.errors import StoreError, UsageError
from adbench.metric_names import RANK_METRICS
from adbench.reporting.assembly import all_pages
from adbench.reporting.export import COLUMNS
from adbench.store import Store

NAME = "some.adbench.zip"


# What goes in


def test_a_bundle_is_a_source_of_the_same_results(store, path):
    """Labels, records, runs and arrays come back from a bundle as the store gives them, to the bit."""
    with Store.open_for_reading(store) as one, Bundle(path) as other:
        labels = one.labels()
        assert other.labels() == labels
        assert [label.planned_at for label in other.labels()] == [label.planned_at for label in labels]
        keys = {label.key for label in labels}
        assert other.records(keys) == one.records(keys) == other.records()
        assert other.run_facts() == one.run_facts()
        for key in keys:
            assert other.has_arrays(key) == one.has_arrays(key)
            found, kept = (source.arrays(key) if source.has_arrays(key) else {} for source in (other, one))
            assert found.keys() == kept.keys()
            assert all(found[name].dtype == kept[name].dtype for name in kept)
            assert all(np.array_equal(found[name], kept[name]) for name in kept)
        assert other.states().keys() == one.states().keys()
        assert other.cached("1", keys) == {}


def test_pages_of_a_bundle_are_those_of_its_store(store, path):
    """Whoever has the bundle can make the very same pages, the offline one included."""
    made = []
    for place in (store, path):
        with opened(place) as sources:
            made.append(all_pages(sources, images="free"))

    assert made[0] == made[1]
    assert len(made[0]) > 3


def test_the_same_store_gives_the_same_bytes(bundling, store, path, tmp_path, monkeypatch):
    """A bundle depends on nothing but the results: no clock, no folder."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    monkeypatch.chdir(other)

    assert bundling.of(other, store, name="another.adbench.zip").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("compact", [False, True])
def test_a_bundle_of_a_bundle_is_that_bundle(bundling, store, tmp_path, compact):
    """Publishing what was published changes nothing."""
    path = bundling.of(tmp_path, store, compact=compact)

    assert bundling.of(tmp_path, path, name="again.adbench.zip").read_bytes() == path.read_bytes()


def test_members_can_be_read_by_anything_that_reads_parquet(bundling, path):
    """The tables have the columns that are documented, and the values of arrays follow each other."""
    contents = bundling.members(path)
    arrays = bundling.rows(path, layout.ARRAYS)
    number = next(row["array"] for row in bundling.rows(path, layout.INDEX) if row["name"] == "scores/test/rate")
    stream = [row for row in arrays if (row["group"], row["dtype"]) == ("scores", "float64")]
    start = sum(int(row["shape"]) for row in stream[: stream.index(arrays[number])])

    values = pq.read_table(pa.BufferReader(contents["scores-float64-0001.parquet"])).column("value").to_numpy()

    assert [field.name for field in layout.SCHEMAS[layout.NUMBERS]] == list(COLUMNS)
    with Bundle(path) as bundle:
        key = next(label.key for label in bundle.labels() if label.detector == "alpha")
        assert np.array_equal(bundle.arrays(key)["scores/test/rate"], values[start : start + 120])


def test_numbers_are_those_of_the_scores(bundling, store, path):
    """The table of numbers has every metric of every score, and a row of its own for what did not succeed."""
    rows = bundling.rows(path, layout.NUMBERS)
    with Store.open_for_reading(store) as opened:
        record = next(r for r in opened.records().values() if r.trial.detector == "alpha")
        arrays = opened.arrays(record.key)

    of = {(r["detector"], r["test"], r["score"], r["threshold"], r["metric"]): r["value"] for r in rows}

    expected = metrics.auroc(arrays["y/noisy (2.0)"], arrays["scores/noisy (2.0)/rate"])
    assert of["alpha", "noisy (2.0)", "rate", "", "auroc"] == pytest.approx(expected, rel=1e-12)
    assert of["alpha", "test", "elbo", "", "fit_seconds"] == 0.25
    assert of["alpha", "test", "elbo", "always-anomaly", "recall"] == 1.0
    assert [r["status"] for r in rows if not r["metric"]] == ["error", "missing"]
    assert np.isnan(of["beta", "", "", "", ""])


def test_equal_arrays_are_there_once(bundling, synthetic, tmp_path):
    """Detectors on the same rows share labels and row ids: ten of them add ten arrays of scores, no labels."""
    store = synthetic.store(tmp_path / "store", *(synthetic.record(f"d{n}") for n in range(10)))

    with Bundle(bundling.of(tmp_path, store)) as bundle:
        keys = [label.key for label in bundle.labels()]
        assert len({bundle.array_numbers(key)["y/test"] for key in keys}) == 1
        assert len({bundle.array_numbers(key)["scores/test/score"] for key in keys}) == 10
        assert bundle.counts()["arrays"] == 2 + 2 * 10


@pytest.mark.parametrize("licence", ["", "CC0"])
def test_rows_of_the_data_are_given_away_only_where_the_licence_allows(bundling, synthetic, tmp_path, licence):
    """Extreme test rows and their reconstructions are in a bundle with a licence alone; their places always are."""
    record, arrays = synthetic.record()
    record = replace(record, dataset_facts={**record.dataset_facts, "images_licence": licence})
    rows = np.linspace(0, 1, 32, dtype=np.float32).reshape(2, 4, 4, 1)
    extreme = {"index": np.array([3, 5]), "X": rows, "reconstruction": rows / 2}
    arrays |= {f"extreme/test/{name}": array for name, array in extreme.items()}
    arrays |= {"curve/step": np.array([1, 2]), "curve/loss": np.array([0.5, np.nan]), "private/thing": np.zeros(3)}

    with Bundle(bundling.of(tmp_path, synthetic.store(tmp_path / "store", (record, arrays)))) as bundle:
        found = bundle.arrays(record.key)

    images = {"extreme/test/X", "extreme/test/reconstruction"}
    assert found.keys() == arrays.keys() - {"private/thing"} - (set() if licence else images)
    assert all(np.array_equal(found[name], arrays[name], equal_nan=True) for name in found)


def test_paths_of_the_machine_stay_there(bundling, synthetic, tmp_path):
    """A log keeps what helps and loses where things lie: no folder of the user is in the file, compressed or not."""
    record, _ = synthetic.record(
        status="error",
        reason="OSError: /home/ada/secret/cats.npz",
        log='File "/home/ada/env/lib/python3.12/site-packages/torch/nn.py", line 3\n  /mnt/secret/run.py\n',
        notes=("read file:///Users/ada/secret/x.csv",),
    )

    with Bundle(bundling.of(tmp_path, synthetic.store(tmp_path / "store", (record, {})))) as bundle:
        (found,) = bundle.records().values()

    assert found.reason == "OSError: ~/cats.npz"
    assert found.log == 'File "torch/nn.py", line 3\n  …/run.py\n'
    assert found.notes == ("read ~/x.csv",)
    assert found.key == record.key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.org/a/b and a/b or 1/2", "see https://example.org/a/b and a/b or 1/2"),
        (r"C:\Users\ada\x.txt", r"…\x.txt"),
        ("PATH=/usr/bin:/home/ada/bin", "PATH=…/bin:~/bin"),
        ("/root", "~"),
        ("cwd '/home/ada'", "cwd '~'"),
    ],
)
def test_without_paths(text, expected):
    """Paths lose their folders; addresses and fractions are no paths."""
    assert without_paths(text) == expected


def test_a_setting_that_is_a_path_is_not_published(bundling, synthetic, tmp_path):
    """A trial's settings are its identity: one with a path in it is refused, without showing the path."""
    store = synthetic.store(tmp_path / "store", synthetic.record(params={"weights": ["/home/ada/secret/w.pt"]}))

    with pytest.raises(UsageError, match=r"params holds a path of this machine \(\"~/w.pt\"\)") as caught:
        bundling.of(tmp_path, store)
    assert "ada" not in str(caught.value)
    assert not (tmp_path / NAME).exists()


# Several sources


def test_of_several_sources_the_newest_state_counts(bundling, synthetic, tmp_path):
    """A trial that ran later, or that was planned later in place of another, is the one that is published."""
    old, old_arrays = synthetic.record("alpha")
    changed, changed_arrays = synthetic.record("alpha", detector_code={"version": "2.0"})
    failed, ran = synthetic.record("beta", status="timeout"), synthetic.record("gamma")
    first = synthetic.store(tmp_path / "first", (old, old_arrays), failed, ran)
    again = replace(synthetic.record("beta")[0], finished="2025-01-01T00:00:00Z")
    planned = synthetic.record("gamma", status="missing", finished="")
    second = synthetic.store(
        tmp_path / "second", (changed, changed_arrays), (again, synthetic.record("beta")[1]), planned
    )

    with Bundle(bundling.of(tmp_path, first, second)) as bundle:
        records = bundle.records()

    assert set(records) == {changed.key, again.key, ran[0].key}
    assert {record.status for record in records.values()} == {"ok"}


def test_runs_of_several_sources_keep_their_facts(bundling, synthetic, tmp_path):
    """Each record's run is the one it was part of, though all stores count from 1; equal runs are one."""
    first = synthetic.store(tmp_path / "first", synthetic.record("alpha"))
    second = synthetic.store(tmp_path / "second", synthetic.record("beta"))
    with Store.open_for_writing(second) as store:
        store.begin_run({**store.run_facts()[1], "processor": "Slide rule"}, "2025-01-01T00:00:00Z")
        store.add(*(lambda record, arrays: (replace(record, run=2), arrays))(*synthetic.record("beta")))

    with Bundle(bundling.of(tmp_path, second, first, first)) as bundle:
        processors = {
            record.trial.detector: bundle.run_facts()[record.run]["processor"] for record in bundle.records().values()
        }

    assert processors == {"alpha": "Abacus", "beta": "Slide rule"}


def test_one_profile_alone(bundling, synthetic, tmp_path):
    """With a profile, the others' trials stay out; a profile that nothing was planned under is told."""
    store = synthetic.store(tmp_path / "store", synthetic.record(), synthetic.record(profile="full", repetition=1))

    with Bundle(bundling.of(tmp_path, store, profile="full")) as bundle:
        assert [label.profile for label in bundle.labels()] == ["full"]
    with pytest.raises(UsageError, match="nothing to publish: no trial of profile 'standard'"):
        bundling.of(tmp_path, store, profile="standard")


def test_one_trial_under_two_profiles(bundling, synthetic, tmp_path):
    """Profiles with the same numbers share a trial: it has two labels, and its arrays are there once."""
    record, arrays = synthetic.record()
    full = replace(record, trial=replace(record.trial, profile="full"))
    store = synthetic.store(tmp_path / "store", (record, arrays), (full, arrays))

    with Bundle(bundling.of(tmp_path, store)) as bundle:
        assert [(label.profile, label.key) for label in bundle.labels()] == [
            ("full", record.key),
            ("quick", record.key),
        ]
        assert bundle.counts()["arrays"] == 4


# Written whole or not at all


def test_a_damaged_score_file_stops_it(bundling, store, path, tmp_path):
    """Without the scores of a trial that is ok nothing is written, the older bundle stays, and one line says which."""
    before = path.read_bytes()
    damaged = next((store / "scores").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-1])

    with pytest.raises(StoreError, match=r"trial \w{12} \((alpha|random) on moons/novelty, repetition 0\) cannot be"):
        bundling.of(tmp_path, store)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))


def test_only_a_bundle_is_replaced(bundling, store, tmp_path):
    """A file that is no bundle is not written over, and neither is a name of another kind taken."""
    (tmp_path / NAME).write_text("my thesis")

    with pytest.raises(UsageError, match="is there and is no bundle, so it is not replaced"):
        bundling.of(tmp_path, store)
    with pytest.raises(UsageError, match=r"a bundle's name ends in \.adbench\.zip; got 'thesis\.zip'"):
        bundling.of(tmp_path, store, name="thesis.zip")
    assert (tmp_path / NAME).read_text() == "my thesis"


def test_a_folder_that_cannot_be_written_is_told(bundling, store, tmp_path):
    """An --out that cannot be made is one line."""
    with pytest.raises(UsageError, match=r"cannot be written: No such file or directory; give --out"):
        bundling.of(tmp_path / "nowhere", store)


# Rounded scores


@given(
    values=st.lists(st.floats(-1e30, 1e30) | st.sampled_from([0.0, -0.0, 1.0, 1 + 1e-12, -1 - 1e-12]), min_size=1),
    train=st.integers(0, 5),
)
def test_rounding_keeps_order_and_ties(values, train):
    """Whatever the scores, those of training and test together have the same order and the same ties as before."""
    scores = np.array(values)
    train = min(train, len(scores))

    made = compacted({"train_scores/s": scores[:train], "scores/test/s": scores[train:], "y/test": scores > 0})

    rounded = np.concatenate([made["train_scores/s"], made["scores/test/s"]])
    assert rounded.dtype == np.float32
    assert np.array_equal(np.unique(rounded, return_inverse=True)[1], np.unique(scores, return_inverse=True)[1])
    assert made["y/test"].dtype == bool


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=50))
def test_rounding_moves_scores_by_millionths(values):
    """Where float32 can tell scores apart, none moves by more than 8 millionths."""
    scores = np.unique(np.float64(values).round(3))

    assert compacted({"scores/t/s": scores})["scores/t/s"] == pytest.approx(scores, rel=8e-6)


def test_rounding_twice_is_rounding_once():
    """What was rounded stays, and so does what float32 cannot hold."""
    once = compacted({"scores/t/s": np.random.default_rng(0).normal(size=100)})
    assert compacted(once)["scores/t/s"] is once["scores/t/s"]
    for beyond in (1e39, np.inf, np.nan):
        kept = np.array([1.0, beyond])
        assert compacted({"scores/t/s": kept})["scores/t/s"] is kept


def test_a_compact_bundle_has_the_same_ranking(bundling, synthetic, tmp_path):
    """Rank metrics do not change at all, and the scores take less than half the space."""
    store = synthetic.store(tmp_path / "store", *(synthetic.record(f"d{n}") for n in range(20)))
    exact, compact = bundling.of(tmp_path, store), bundling.of(tmp_path, store, name="c.adbench.zip", compact=True)

    ranks = [
        [r["value"] for r in bundling.rows(path, layout.NUMBERS) if r["metric"] in RANK_METRICS]
        for path in (exact, compact)
    ]

    assert ranks[0] == ranks[1]
    sizes = [
        len(bundling.members(path)[f"scores-{dtype}-0001.parquet"])
        for path, dtype in ((exact, "float64"), (compact, "float32"))
    ]
    assert sizes[1] < 0.5 * sizes[0]


# The command


def test_sources_are_told_apart(store, path, tmp_path):
    """A store's folder, a bundle, and a folder of bundles are sources; what is neither is told."""
    published = tmp_path / "published"
    published.mkdir()
    for name in ("a", "b"):
        (published / f"{name}.adbench.zip").write_bytes(path.read_bytes())

    with opened(store, path, published) as sources:
        assert [type(source) for source in sources] == [Store, Bundle, Bundle, Bundle]
    with pytest.raises(StoreError, match="there is no store in"), opened(tmp_path / "nothing"):
        pass


def test_the_command_tells_the_size_of_each_part(store, tmp_path, command):
    """The command says what it wrote, and warns of trials that have not run."""
    done = command("bundle", "--store", store, "--out", tmp_path / NAME)

    assert done.returncode == 0
    assert "4 trials" in done.stdout
    assert "scores" in done.stdout
    assert "1 of the trials have not run yet" in done.stderr
    assert (tmp_path / NAME).exists()
