"""Pages from large stores: at most 2 s from 10,000 records, 20 s and 1 GB from 100,000, intervals being cached.

The stores are made without running anything: real records, and a real score file and evaluation that all share.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adbench.evaluation import evaluate
from adbench.intervals import Interval
from adbench.planning.trial import Trial
from adbench.record import MISSING, Record
from adbench.reporting.caching import encoded
from adbench.reporting.cells import installed_rules
from adbench.reporting.evaluator import Evaluated, evaluation_version, lines_of
from adbench.store import Store

SEEDS, FLOORS = 3, 4
MACHINE = {"processor": "Abacus", "cores": 2, "memory_gb": 8.0, "python": "3.12.1", "adbench": "1.0", "jobs": 2}
RESULT = """
import resource, sys, time
started = time.perf_counter()
from adbench.cli.results import write_pages
from pathlib import Path
write_pages([Path(sys.argv[1])], Path(sys.argv[2]))
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def record(detector, task, repetition, role):
    trial = Trial(
        detector,
        dataset=f"table-{task}",
        task="novelty",
        setting="novelty",
        lane="corrected",
        repetition=repetition,
        root=0,
        fingerprint=f"{task:064x}",
        block=f"table-{task}",
        params={"epochs": 10, "batch_size": 128},
        split={"n_train": 1000},
        detector_code={"distribution": "moonshine", "version": "1.0", "source": "a" * 64},
        dataset_code={"distribution": "moonshine", "version": "1.0", "source": "b" * 64},
        profile="quick",
    )
    tests = [{"name": "test", "is_train": False, "rows": 120, "repeated_share": 0.125}]
    return Record(
        trial,
        "ok",
        fit_seconds=0.25 + repetition,
        score_seconds=0.5,
        seconds=1.0,
        peak_mb=10.0,
        rows={"train_rows": 100, "shape": [2], "contamination": None, "tests": tests},
        detector_facts={
            "role": role,
            "supervision": "none",
            "scores": ["score"],
            "family": "density",
            "summary": "Distance to the k-th nearest training row (k = 5).",
            "source": "Ramaswamy, Rastogi and Shim (2000), Efficient algorithms for mining outliers",
        },
        dataset_facts={
            "summary": "A table.",
            "source": "A cookbook",
            "licence": "CC0",
            "note": "",
            "modality": "table",
        },
        versions={"moonshine": "1.0", "numpy": "2.4.6", "torch": "2.13.0", "scikit-learn": "1.9.1"},
        finished="2024-05-01T12:00:00Z",
        run=1,
    )


def evaluations(n):
    """Return some evaluations of different AUROC, the score arrays of the first."""
    rng, made = np.random.default_rng(0), []
    y = np.repeat([0, 1], [90, 30])
    for number in range(n):
        scores = rng.normal(size=120) + y * (0.5 + 2.5 * number / n)
        made.append((scores, evaluate(y, scores, rng.normal(size=100), thresholds=installed_rules())))
    arrays = {"scores/test/score": made[0][0], "y/test": y.astype(np.uint8), "train_scores/score": made[0][0][:90]}
    return [evaluation for _, evaluation in made], arrays


def make_store(folder, n_detectors, n_tasks):
    """Make a store of ``n_detectors * n_tasks * SEEDS`` records, evaluated and compared with the floors."""
    made, arrays = evaluations(50)
    bodies = [encoded(Evaluated({"test": {"score": each}}, ())) for each in made]
    with Store.open_for_writing(folder) as store:
        store.begin_run({**MACHINE, "threads": 1}, "2024-05-01T11:00:00Z")
        first = None
        for task in range(n_tasks):
            roles = ["floor"] * FLOORS + ["method"] * (n_detectors - FLOORS)
            records = [
                record(f"detector-{number:03}", task, repetition, role)
                for number, role in enumerate(roles)
                for repetition in range(SEEDS)
            ]
            store.plan(replace(each, status=MISSING) for each in records)
            if first is None:
                first = records[0].key
                store.add(records[0], arrays)
                sha256 = store._db.execute("SELECT scores_sha256 FROM records").fetchone()[0]
            best = records[-SEEDS:]
            # A file takes so many links: each task has one of its own.
            own = folder / "scores" / f"{records[0].key}.npz"
            if records[0].key != first:
                shutil.copy(folder / "scores" / f"{first}.npz", own)
            for each in records[1:]:
                os.link(own, own.with_name(f"{each.key}.npz"))
            rows = [
                (
                    r.key,
                    1,
                    r.finished,
                    "ok",
                    r.trial.detector,
                    r.trial.dataset,
                    "novelty",
                    r.trial.repetition,
                    1.0,
                    sha256,
                    r.to_json(),
                )
                for r in records
            ]
            with store._writing():
                store._db.executemany("INSERT OR REPLACE INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
            lines = [*records[: FLOORS * SEEDS], *best]
            kept = {}
            for number, each in enumerate(records):
                same = [line for line in lines if line.trial.repetition == each.trial.repetition]
                names = [f"{line.key} {line.finished}" for line in same if line.key != each.key]
                kept[lines_of(each.key)] = encoded({n: {"test": {"score": Interval(0.1, 0.01, 0.2)}} for n in names})
                # The last detector is the best of each task.
                kept[each.key] = bodies[-1 if each in best else (number * 7 + task * 3) % 49]
            store.keep_cached(evaluation_version(installed_rules()), kept)


def write(store, out):
    """Write the pages in a process of their own; return seconds from its first import on, and its peak in MB."""
    done = subprocess.run([sys.executable, "-c", RESULT, store, out], check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


@pytest.mark.parametrize(("n_detectors", "n_tasks"), [(34, 98), (100, 334)], ids=["ten", "hundred"])
def test_pages(benchmark, tell, tmp_path_factory, n_detectors, n_tasks):
    """All pages, from the first time on, and again when nothing has changed."""
    folder = tmp_path_factory.mktemp("store")
    started = time.perf_counter()
    make_store(folder, n_detectors, n_tasks)
    made_in = time.perf_counter() - started
    out = tmp_path_factory.mktemp("out")

    first = write(folder, out)
    again = benchmark.pedantic(write, args=(folder, out), rounds=3)

    size = Path(out, "index.html").stat().st_size / 1e6
    tell(f"{n_detectors * n_tasks * SEEDS:,} records (made in {made_in:.0f} s); index.html {size:.1f} MB")
    tell(f"intervals cached: {first[0]:.1f} s, {first[1]:.0f} MB; nothing changed: {again[0]:.1f} s, {again[1]:.0f} MB")
    benchmark.extra_info |= {"first": first, "again": again}
