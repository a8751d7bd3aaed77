"""What the harness itself costs: budgets of the design, section 11."""

import os
import subprocess
import time

import pytest

import adbench
from adbench import DetectorSpec, hookimpl
from adbench.progress import QuietView
from adbench.registry import Registry

TRIALS = 200


class Clock(QuietView):
    """Takes note of when each trial ended, and of what it spent in fit and score."""

    def __init__(self):
        self.ended = []
        self.own = []

    def finished(self, trial, record, remaining):
        assert record.status == "ok"
        self.ended.append(time.perf_counter())
        self.own.append(record.fit_seconds + record.score_seconds)

    def milliseconds_a_trial(self):
        """Mean wall time between ends, less fit and score; the first end comes when the host is warm."""
        wall = (self.ended[-1] - self.ended[0]) / (len(self.ended) - 1)
        return 1000 * (wall - sum(self.own) / len(self.own))


class Trivial:
    """Many names for one trivial detector, so that all trials see the same rows."""

    @hookimpl
    def adbench_detectors(self):
        return [
            DetectorSpec(name=f"trivial-{number}", target="adbench_faults.trivial:MeanDistance", summary="Trivial.")
            for number in range(TRIALS)
        ]


def test_milliseconds_a_trial(benchmark, faults, tell, tmp_path):
    """Harness time of an isolated trial beyond fit and score, host warm: at most 30 ms."""
    clock = Clock()
    registry = Registry.of(faults, Trivial())

    def run():
        adbench.run(["trivial-*"], ["tiny"], registry=registry, store=tmp_path / "s", seeds=1, jobs=1, view=clock)

    benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["milliseconds_a_trial"] = round(clock.milliseconds_a_trial(), 2)
    tell(f"harness: {clock.milliseconds_a_trial():.1f} ms a trial over {TRIALS} trials on the same rows")


def test_milliseconds_a_trial_with_new_rows(benchmark, faults, tell, tmp_path):
    """The same where each trial needs rows of its own: a further process a trial."""
    clock = Clock()
    registry = Registry.of(faults)

    def run():
        adbench.run(["good"], ["tiny"], registry=registry, store=tmp_path / "s", seeds=TRIALS, jobs=1, view=clock)

    benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["milliseconds_a_trial"] = round(clock.milliseconds_a_trial(), 2)
    tell(f"harness: {clock.milliseconds_a_trial():.1f} ms a trial over {TRIALS} trials on rows of their own")


def test_two_jobs(benchmark, tell, tmp_path, monkeypatch):
    """Two jobs against one, on a detector that computes: at least 1.7 x the throughput on two cores.

    One job is given both cores' threads, which slows this detector down; so it is held against one
    job on one core as well.
    """
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "cache"))
    pytest.importorskip("adbench_baselines", reason="needs the baselines")
    cores = os.sched_getaffinity(0)
    seconds = {}

    def run(name, jobs, allowed):
        os.sched_setaffinity(0, allowed)
        clock = Clock()
        options = {"store": tmp_path / name, "seeds": 40, "jobs": jobs, "view": clock}
        adbench.run(["pyod-iforest"], ["breast-cancer/novelty"], **options)
        # From the eleventh end on: hosts are then warm in all cases.
        seconds[name] = (clock.ended[-1] - clock.ended[10]) / (len(clock.ended) - 11)
        os.sched_setaffinity(0, cores)

    def all_three():
        run("one", 1, cores)
        run("one-core", 1, {min(cores)})
        run("two", 2, cores)

    benchmark.pedantic(all_three, rounds=1)
    ratios = {name: round(seconds[name] / seconds["two"], 2) for name in ("one", "one-core")}
    benchmark.extra_info |= ratios
    tell(f"-j 2 against -j 1: {ratios['one']} x the throughput; against -j 1 on one core: {ratios['one-core']} x")


@pytest.mark.parametrize("words", [("list",), ("--help",), ("run", "--help")], ids=" ".join)
def test_answers_at_once(benchmark, command, words):
    """``adbench list`` and ``--help`` with everything installed: at most 0.2 s."""
    benchmark.pedantic(
        subprocess.run, args=([*command, *words],), kwargs={"check": True, "stdout": subprocess.DEVNULL}, rounds=15
    )


def test_resume(benchmark, faults, tmp_path):
    """A run with nothing left to do: at most 2 s + 0.05 ms a trial."""
    registry = Registry.of(faults)

    def run():
        adbench.run(["good"], ["tiny"], registry=registry, store=tmp_path / "s", seeds=100, jobs=1)

    run()
    benchmark.pedantic(run, rounds=5)
