"""Shared by the core's tests: a cache of their own, a plugin of toys, and stores made without running anything."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

from adbench.builtin import adbench_thresholds
from adbench.cli import main
from adbench.planning.trial import Trial
from adbench.record import MISSING, Record
from adbench.registry import Registry
from adbench.reporting.cells import read_cells
from adbench.reporting.reading import read_tasks
from adbench.store import Store

# No test has a time limit: a busy machine is no fault.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

TOYS = Path(__file__).parent / "toys"
MACHINE = {"processor": "Abacus", "cores": 2, "memory_gb": 8.0, "python": "3.12.1", "adbench": "1.0", "jobs": 2}


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path, monkeypatch):
    """Keep each test's decoded data in its own folder, and ask no mirror."""
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ADBENCH_MIRROR", raising=False)


@pytest.fixture
def heeded_signals():
    """Let started processes heed signals, though this one may ignore them, as under nohup."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def toys(monkeypatch):
    """A registry of the toy plugin alone, importable here and in hosts."""
    monkeypatch.syspath_prepend(TOYS)
    monkeypatch.setenv("PYTHONPATH", str(TOYS))
    return Registry.of(__import__("adbench_toys"))


@pytest.fixture
def command_line(tmp_path, monkeypatch, capsys):
    """Call the command line in an empty folder, in this process."""

    def call(*words):
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as left:
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["adbench", *words])
            main()
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=left.value.code, stdout=printed.out, stderr=printed.err)

    return call


@pytest.fixture
def adbench_command(toys, command_line):
    """Call the command line with the toys installed."""
    return command_line


@pytest.fixture
def synthetic():
    """Makers of trials, records, stores and cells from plain values."""
    return SimpleNamespace(trial=make_trial, record=make_record, store=fill_store, cells=make_cells, tasks=make_tasks)


def make_trial(detector="alpha", **changes):
    values = {
        "dataset": "moons",
        "task": "novelty",
        "setting": "novelty",
        "lane": "corrected",
        "repetition": 0,
        "root": 0,
        "fingerprint": "f" * 64,
        "block": changes.get("dataset", "moons"),
        "detector_code": {"distribution": "moonshine", "version": "1.0", "source": "a" * 64},
        "dataset_code": {"distribution": "moonshine", "version": "1.0", "source": "b" * 64},
        "profile": "quick",
    }
    return Trial(detector, **{**values, **changes})


def make_record(detector="alpha", *, separation=1.0, status="ok", reason="", role="method", **changes):
    """Return a record and its arrays: scores of normals and anomalies whose means are ``separation`` apart.

    ``changes`` go to the trial or, by their names, to the record; ``scores``, ``supervision``, ``tests`` and
    ``attacks`` (name -> whether the detector met it) to its facts.
    """
    attacks = changes.pop("attacks", {})
    scores, supervision = changes.pop("scores", ["score"]), changes.pop("supervision", "none")
    tests, contamination = changes.pop("tests", ["test"]), changes.pop("contamination", None)
    of_record = {name: changes.pop(name) for name in list(changes) if name in Record.__dataclass_fields__}
    trial = make_trial(detector, **changes)
    record = Record(
        trial,
        status,
        reason=reason,
        fit_seconds=0.25,
        score_seconds=0.5,
        seconds=1.0,
        peak_mb=10.0,
        rows={
            "train_rows": 100,
            "shape": [2],
            "contamination": contamination,
            "tests": [
                {"name": test, "is_train": False, "rows": 120, "repeated_share": 0.125}
                | ({"attack": {}} if test in attacks else {})
                for test in (*tests, *attacks)
            ],
        },
        detector_facts={"role": role, "supervision": supervision, "scores": scores},
        dataset_facts={"summary": "Two moons.", "source": "A cookbook", "licence": "CC0", "note": "", "address": ""},
        versions={"moonshine": "1.0"},
        finished="2024-05-01T12:00:00Z",
        run=1,
    )
    record = replace(record, **of_record)
    if status != "ok":
        return record, {}
    unmet = tuple(f"scores/{test}/" for test, met in attacks.items() if not met)
    arrays = make_arrays(record, separation)
    return record, {name: array for name, array in arrays.items() if not name.startswith(unmet)}


def make_arrays(record, separation):
    # The labels are the rows' own, the scores the detector's: floors are compared on equal rows.
    rows = np.random.default_rng(record.trial.repetition)
    draw = np.random.default_rng([ord(letter) for letter in record.trial.detector] + [record.trial.repetition])
    arrays = {}
    for test in record.rows["tests"]:
        y = rows.permutation(np.repeat([0, 1], [90, 30])).astype(np.uint8)
        arrays |= {f"y/{test['name']}": y, f"row_ids/{test['name']}": np.arange(120)}
        for score in record.detector_facts["scores"]:
            arrays[f"scores/{test['name']}/{score}"] = draw.normal(size=120) + np.where(y, separation, 0)
    return arrays | {f"train_scores/{score}": draw.normal(size=100) for score in record.detector_facts["scores"]}


def fill_store(folder, *made):
    """Make a store of records and their arrays; those that are missing are planned only. Return the folder."""
    with Store.open_for_writing(folder) as store:
        store.begin_run({**MACHINE, "threads": 1}, "2024-05-01T11:00:00Z")
        store.plan(replace(record, status=MISSING) for record, _ in made)
        for record, arrays in made:
            if record.status != MISSING:
                store.add(record, arrays)
    return folder


def make_cells(folder, *made, **options):
    """Return the cells of records, by way of a store."""
    with Store.open(fill_store(folder, *made)) as store:
        return read_cells([store], adbench_thresholds(), **options)


def make_tasks(folder, *made):
    """Return the tasks of records, by way of a store."""
    with Store.open(fill_store(folder, *made)) as store:
        return list(read_tasks([store], adbench_thresholds()))
