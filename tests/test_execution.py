"""Every way in which a trial can end, for real: in a host's child, under limits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import adbench
from adbench.registry import Registry
from adbench.store import Store

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(scope="module")
def faults():
    """The test plugin's module, importable here and in hosts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PLUGINS)
        patch.setenv("PYTHONPATH", str(PLUGINS))
        yield __import__("adbench_faults")


@pytest.fixture(scope="module")
def outcomes(faults, tmp_path_factory):
    """Records of one run of every faulty detector, by detector."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADBENCH_CACHE", str(folder / "cache"))
        results = adbench.run(
            registry=Registry.of(faults),
            datasets=["tiny", "bad-split"],
            store=folder / "store",
            seeds=1,
            timeout=3.0,
            memory=250 * 2**20,
        )
    with Store.open_for_reading(results.store) as store:
        records = {(r.trial.dataset, r.trial.detector): r for r in store.records().values()}
        arrays = {r.trial.detector: store.arrays(r.key) for r in records.values() if store.has_arrays(r.key)}
    return records, arrays


@pytest.fixture
def environment(tmp_path):
    """The environment of a command line that has the test plugin installed."""
    return os.environ | {"PYTHONPATH": str(PLUGINS), "ADBENCH_CACHE": str(tmp_path / "cache")}


def command(*words):
    return [sys.executable, "-c", "from adbench.cli import main; main()", *words]


def processes_with(text):
    """Return the command lines of living processes that hold a text in their command or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in folder.joinpath("environ").read_bytes() and folder.joinpath("cmdline").read_bytes():
                found.append(folder.joinpath("cmdline").read_bytes())
        except OSError:
            continue
    return found


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_every_status(faults, outcomes):
    """Each way to fail ends in its own status, and none of them disturbs the others."""
    records, _ = outcomes
    statuses = {name: records["tiny", name].status for name in faults.FAULTS}
    assert statuses == faults.FAULTS


@pytest.mark.parametrize(
    ("detector", "words"),
    [
        ("raises", "ValueError: the matrix is singular"),
        ("import-fails", "No module named"),
        ("not-installed", "pip install 'something'"),
        ("skips", "needs at least 1,000 features"),
        ("segfaults", "SIGSEGV"),
        ("exits", "exited with code 3"),
        ("leaves-silently", "exited with code 0 before"),
        ("hangs", "still running after 3 s"),
        ("allocates-at-once", "allocat"),
        ("allocates-in-child", "250 MB"),
        ("nan", "NaN or infinite for 1 of"),
        ("infinite", "NaN or infinite for 1 of"),
        ("wrong-length", "must have shape (120,); got (119,)"),
        ("wrong-shape", "got (120, 1)"),
        ("wrong-name", "expected the scores score; got other"),
        ("no-numbers", "must be real numbers"),
        ("constant", "is the same for all 140 rows"),
        ("masked", "is a masked array"),
        ("spoils-its-arrays", "arrays cannot be read"),
        ("stops-its-host", "still running after 3 s"),
        ("forks-twice", "250 MB"),
        ("prints-endlessly", "printed more than 100 MB"),
    ],
)
def test_reasons(outcomes, detector, words):
    """A trial that is not ok says in one line what happened."""
    record = outcomes[0]["tiny", detector]
    assert words in record.reason
    assert "\n" not in record.reason


def test_no_scores_without_ok(faults, outcomes):
    """Only trials that are ok leave scores behind."""
    _, arrays = outcomes
    with_scores = {name for name, found in arrays.items() if any(part.startswith("scores/") for part in found)}
    assert with_scores == {name for name, status in faults.FAULTS.items() if status == "ok"} | {"flat-floor"}


def test_what_a_trial_leaves(outcomes):
    """An ok trial leaves scores, labels, row ids, training scores, its curve and its extreme rows."""
    arrays = outcomes[1]["good"]
    assert arrays["scores/test/score"].shape == arrays["y/test"].shape == arrays["row_ids/test"].shape == (140,)
    assert arrays["train_scores/score"].shape == (120,)
    assert arrays["curve/step"].tolist() == [0, 1, 2]
    assert arrays["curve/loss"].tolist() == [1, 1 / 2, 1 / 3]
    assert arrays["extreme/test/X"].shape == (16, 3)
    assert np.all(np.diff(arrays["scores/test/score"][arrays["extreme/test/index"]]) >= 0)


def test_fit_that_changes_its_input(outcomes):
    """Training scores are those of the rows as they were given, whatever ``fit`` did to its copy."""
    _, arrays = outcomes
    assert np.array_equal(arrays["changes-its-input"]["train_scores/score"], arrays["good"]["train_scores/score"])


def test_constant_floor(outcomes):
    """A floor may score constantly."""
    assert outcomes[0]["tiny", "flat-floor"].status == "ok"


def test_failed_extra_is_a_note(outcomes):
    """A reconstruction that fails leaves the trial ok, with a note."""
    record = outcomes[0]["tiny", "bad-reconstruction"]
    assert record.status == "ok"
    assert "no reconstruction today" in record.notes[0]


def test_log_of_a_failure(outcomes):
    """The log's end holds the traceback, and for a crash in native code the Python frames."""
    records, _ = outcomes
    assert "ValueError: the matrix" in records["tiny", "raises"].log
    assert "in score" in records["tiny", "segfaults"].log


def test_peak_memory_of_children(outcomes):
    """Memory that a trial's own child takes counts as the trial's."""
    assert outcomes[0]["tiny", "allocates-in-child"].peak_mb > 200


def test_split_that_fails(faults, outcomes):
    """Rows that cannot be split fail the trials on them, with the dataset's own words."""
    record = outcomes[0]["bad-split", "good"]
    assert (record.status, record.reason) == ("error", "dataset 'bad-split': too few rows to split; expected 4")


def test_nothing_outlives_a_trial(faults, environment, tmp_path):
    """Processes that a trial leaves behind are gone when the run is over, even those in a session of their own."""
    done = subprocess.run(
        command("run", "-d", "leaves-processes", "-D", "tiny", "--seeds", "1", "--json"),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout)["trials"] == {"ok": 1}
    assert not processes_with(environment["ADBENCH_CACHE"])


def test_exit_codes(environment, tmp_path):
    """A run with a failed trial exits 1, writes its pages, and a later one without exits 0."""
    failed = subprocess.run(command("run", "-d", "raises", "-d", "good", "-D", "tiny"), env=environment, cwd=tmp_path)
    page = (tmp_path / "leaderboards" / "tiny.md").read_text()
    ok = subprocess.run(command("run", "-d", "good", "-D", "tiny"), env=environment, cwd=tmp_path)
    assert (failed.returncode, ok.returncode) == (1, 0)
    assert "**error**. ValueError: the matrix is singular" in page


def test_unreadable_data_runs_nothing(environment, tmp_path):
    """Damaged data stops the run before its first trial: one line, exit code 2, no store."""
    done = subprocess.run(
        command("run", "-d", "good", "-D", "tiny", "-D", "unreadable"),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "adbench: dataset 'unreadable': tiny.csv: expected numbers, found a poem; give another file"
    ]
    assert not (tmp_path / "adbench-results").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminate"])
def test_interrupt_and_resume(environment, tmp_path, number):
    """A stopped run keeps what had finished, exits 130, leaves no process, and goes on where it was."""
    words = command("run", "-d", "slow-good", "-D", "tiny", "--seeds", "12", "-j", "2", "--json")
    run = subprocess.Popen(words, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_until(lambda: finished(tmp_path) >= 2)
    run.send_signal(number)
    told = json.loads(run.communicate(timeout=30)[0])
    kept = told["trials"]["ok"]
    assert run.returncode == 130
    assert 2 <= kept < 12
    assert finished(tmp_path) == kept
    assert not processes_with(environment["ADBENCH_CACHE"])

    resumed = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert f"{12 - kept} trials to run" in resumed.stderr
    assert json.loads(resumed.stdout)["trials"] == {"ok": 12}


def test_coordinator_killed(environment, tmp_path):
    """After kill -9 of the coordinator no process is left, nothing finished is lost, the rest is run."""
    words = command("run", "-d", "slow-good", "-d", "hangs", "-D", "tiny", "--seeds", "6", "--timeout", "2s", "-j", "2")
    run = subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
    wait_until(lambda: finished(tmp_path) >= 2)
    run.kill()
    run.wait()
    kept = finished(tmp_path)
    wait_until(lambda: not processes_with(environment["ADBENCH_CACHE"]))

    again = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert f"{12 - kept} trials to run" in again.stderr
    assert finished(tmp_path) == 12


def test_host_killed(environment, tmp_path):
    """When a host is killed, its trial is a crash and the run goes on."""
    words = command("run", "-d", "good", "-d", "hangs", "-D", "tiny", "--seeds", "1", "-j", "1", "--timeout", "60s")
    run = subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: any((tmp_path / "adbench-results" / "work").glob("trial-*/log.txt")) and finished(tmp_path) == 1)
    (host,) = (
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if folder.joinpath("stat").exists() and parent_of(folder) == run.pid
    )
    os.kill(host, signal.SIGKILL)
    _, told = run.communicate(timeout=30)
    assert "hangs  tiny/novelty #0  crash" in told
    assert not processes_with(environment["ADBENCH_CACHE"])


def parent_of(folder):
    return int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])


def finished(folder):
    """Return how many trials the store in a folder holds."""
    try:
        with Store.open_for_reading(folder / "adbench-results") as store:
            return len(store.statuses())
    except adbench.StoreError:
        return 0


def test_second_coordinator(faults, environment, tmp_path):
    """A second run on a store in use says so and stops, and the first is not disturbed."""
    words = command("run", "-d", "slow-good", "-D", "tiny", "--seeds", "6", "-j", "1")
    first = subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
    wait_until(lambda: finished(tmp_path) >= 1)
    second = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert second.returncode == 2
    assert "adbench-results is in use by another" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert first.wait(timeout=60) == 0


def test_two_at_a_time(faults, outcomes, tmp_path, monkeypatch):
    """With two jobs the scores are those of one job, and of no isolation at all."""
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "cache"))
    scores = []
    for number, options in enumerate([{"jobs": 1}, {"jobs": 2}, {"executor": "inline"}]):
        folder = tmp_path / str(number)
        results = adbench.run(["good"], ["tiny"], registry=Registry.of(faults), store=folder, seeds=3, **options)
        with Store.open_for_reading(folder) as store:
            scores.append([store.arrays(key)["scores/test/score"].tolist() for key in results.keys])
    assert scores[0] == scores[1] == scores[2]


def test_threads_are_pinned(faults, tmp_path, monkeypatch):
    """Each trial is told its share of the cores."""
    from adbench.execution.hosts import pinned

    assert pinned(2)["OMP_NUM_THREADS"] == pinned(2)["TF_NUM_INTRAOP_THREADS"] == "2"
    assert pinned(1)["OPENBLAS_NUM_THREADS"] == "1"


def test_hosts_are_shared(tmp_path):
    """A job goes to an idle host that has its modules loaded, and more of them do not matter."""
    from adbench.execution.executor import LocalExecutor
    from adbench.execution.job import Ended, Job

    executor = LocalExecutor(jobs=1)
    hosts = []
    for number, preload in enumerate([("json", "csv"), ("csv",), ("csv", "wave")]):
        settings = {"what": "x", "target": "no_such_module:X", "method": "", "params": {}, "settings": []}
        job = Job(str(number), "adbench.execution.jobs.settings:check", settings, tmp_path, preload)
        executor.submit(job)
        wait_until(lambda: any(isinstance(event, Ended) for event in executor.poll(0.1)))
        hosts.append(len(executor._hosts))
    executor.close()
    assert hosts == [1, 1, 2]
