"""Checks that every dataset must pass: each of its tasks, in every profile, on the data that is here.

Each check is a function of a :class:`Case`; what it claims is the first line of its docstring. Data is
found and decoded as a run does it, cache included.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.dataset import Dataset, Split
from adbench.execution.host import resolve
from adbench.execution.jobs import contract, data
from adbench.finder import Finder, cache_folder
from adbench.planning.planner import split_arguments
from adbench.planning.provenance import code_of
from adbench.registry import Plugin
from adbench.specs import PROFILES, DatasetSpec, TaskSpec
from adbench.testing.marking import marked

SEED = 7
MOST_REPEATED = 0.95
"""A test set is useless where practically all of its normal rows stand in training; real tables have a third."""


@dataclass(frozen=True)
class Case:
    """A task under a profile.

    Parameters
    ----------
    spec, task, profile
        What is checked.
    fingerprints
        ``DATASET`` or ``DATASET@VARIANT`` -> what the decoded arrays must hash to on any machine.
    """

    spec: DatasetSpec
    task: TaskSpec
    profile: str
    fingerprints: Mapping[str, str]

    def split(self, seed: int = SEED) -> Split:
        """Return the rows of a seed, which is the repetition's number as well."""
        _, decoded = _decoded(self.spec)
        arguments = split_arguments(self.task, self.profile, {})
        made: Split = _make(self.spec).split(decoded, seed=seed, repetition=seed, **arguments)
        return made

    def usual(self) -> Split:
        """Return the rows of the usual seed, made once for the checks that only look at them."""
        place = (self.spec.name, self.task.name, self.profile)
        if place not in _LAST_SPLIT:
            _LAST_SPLIT.clear()
            _LAST_SPLIT[place] = self.split()
        return _LAST_SPLIT[place]

    @property
    def label(self) -> str:
        """The dataset with its variant, as tables name it."""
        found, _ = _decoded(self.spec)
        return f"{self.spec.name}@{found['variant']}" if found["variant"] else self.spec.name


@dataclass(frozen=True)
class DatasetCheck:
    """One check of one task and profile; call it. Its text is its test's name."""

    function: Callable[[Case], None]
    case: Case

    def __call__(self) -> None:
        """Raise AssertionError if the dataset breaks the rule; skip where its data is not on this machine."""
        self.function(self.case)

    def __str__(self) -> str:
        case = self.case
        return f"{case.spec.name}-{case.task.name}-{case.profile}-{self.function.__name__.removeprefix('check_')}"


def dataset_checks(
    *specs: DatasetSpec, known: Mapping[str, str] | None = None, fingerprints: Mapping[str, str] | None = None
) -> list[Any]:
    """Return all checks of some datasets, for ``pytest.mark.parametrize``.

    Parameters
    ----------
    *specs
        The datasets; data that is not on this machine is skipped.
    known
        Test name (``DATASET-TASK-PROFILE-CHECK``) -> why it cannot be met; it must then fail.
    fingerprints
        ``DATASET`` or ``DATASET@VARIANT`` -> the sha256 that ``adbench data status`` shows, wherever it is decoded.

    Returns
    -------
    list
        Callables without arguments; those of the larger profiles are marked ``slow``.
    """
    checks = [
        DatasetCheck(function, Case(spec, task, profile, fingerprints or {}))
        for spec in specs
        for task in spec.tasks
        for profile in PROFILES
        for function in CHECKS
    ]
    # The decoded arrays are the same for all tasks and profiles.
    once = [DatasetCheck(check_fingerprint, Case(spec, spec.tasks[0], "quick", fingerprints or {})) for spec in specs]
    return marked([*checks, *once], known, is_slow=lambda check: check.case.profile != "quick")


def check_contract(case: Case) -> None:
    """Shapes, types, finite values, classes and row numbers are as the contract has them."""
    assert isinstance(_make(case.spec), Dataset), "a dataset has locate, load and split"
    contract.check_split(case.usual(), case.task.setting)


def check_range(case: Case) -> None:
    """Images of the training set and normal test images are in [0, 1]; tables are of a moderate scale."""
    made = case.usual()
    if case.spec.modality == "image":
        for name, X in _normal_rows(made).items():
            assert X.ndim == 4, f"{name}: images have four dimensions; got {X.ndim}"
            assert X.min() >= 0, f"{name}: goes down to {X.min():.3g}; images are in [0, 1]"
            assert X.max() <= 1, f"{name}: goes up to {X.max():.3g}; images are in [0, 1]"
            assert X.max() > 0.1, f"{name}: is no brighter than {X.max():.3g}; are grey levels divided twice?"
    else:
        scale = np.abs(np.median(made.X_train, axis=0)).max()
        assert scale <= 100, f"X_train: the median of a column is {scale:.3g}; a task standardises by its training rows"


def check_contamination(case: Case) -> None:
    """A mixture states its share of anomalies, in (0, .5]; where it is scored itself, that is the share there."""
    made = case.usual()
    if case.task.setting != "outlier":
        assert made.contamination is None, f"{case.task.setting}: trains on no mixture, but states {made.contamination}"
        return
    stated = made.contamination
    assert stated is not None, "outlier: the stated contamination is missing"
    assert 0 < stated <= 0.5, f"the stated contamination is {stated}; anomalies are the smaller part"
    for name, test in made.tests.items():
        if test.X is made.X_train:
            found = float(test.y.mean())
            assert abs(found - stated) < 0.1 * stated + 1 / len(test.y), f"{name}: states {stated:.4f}, has {found:.4f}"


def check_rows_apart(case: Case) -> None:
    """No row index stands in training and test, nor twice in one of them, but where a mixture is scored itself."""
    made = case.usual()
    assert len(np.unique(made.train_ids)) == len(made.train_ids), "train_ids holds a row twice"
    for name, test in made.tests.items():
        if test.attack is None:
            assert len(np.unique(test.row_ids)) == len(test.row_ids), f"{name}: holds a row twice"
        if test.X is not made.X_train:
            both = np.intersect1d(made.train_ids, test.row_ids)
            assert not both.size, f"{name}: {both.size} row(s) stand in training as well"


def check_labels(case: Case) -> None:
    """Labels are those of the decoded rows, novelty trains on no anomaly, and no column of a table is the label."""
    made = case.usual()
    _, decoded = _decoded(case.spec)
    y = decoded.get("y")
    if y is not None and y.ndim == 1:  # where rows are numbered as they were decoded; made-up rows come after them
        if case.task.setting == "novelty":
            n_wrong = int(y[made.train_ids[made.train_ids < len(y)]].sum())
            assert not n_wrong, f"{n_wrong} anomalies stand among the training rows"
        for name, test in made.tests.items():
            known = test.row_ids < len(y)
            assert np.array_equal(test.y[known], y[test.row_ids[known]]), f"{name}: labels differ from the decoded ones"
    if case.spec.modality == "table":
        for name, test in made.tests.items():
            for column, values in enumerate(test.X.T):
                found = np.unique(values)
                is_label = len(found) == 2 and np.array_equal(values == found[1], test.y == 1)
                assert not is_label, f"{name}: column {column} is the label"


def check_repeats(case: Case) -> None:
    """Normal test rows are not practically all repeats of training rows."""
    made = case.usual()
    of_normals = {name: replace(test, X=test.X[test.y == 0]) for name, test in made.tests.items() if not test.attack}
    shares = contract.repeated_shares(replace(made, tests=of_normals))
    for name, share in shares.items():
        if made.tests[name].X is not made.X_train:
            assert share < MOST_REPEATED, f"{name}: {share:.1%} of its normal rows repeat a training row"


def check_same_seed(case: Case) -> None:
    """The same seed gives the same split, to the bit."""
    assert _digest(case.split()) == _digest(case.usual()), "two splits with one seed differ"


def check_other_seed(case: Case) -> None:
    """Another seed gives another split, of the same test sets and about the same sizes."""
    one, other = case.usual(), case.split(SEED + 1)
    assert _digest(one) != _digest(other), "splits with two seeds are equal"
    assert list(one.tests) == list(other.tests), "the names of the test sets depend on the seed"
    for name, test in one.tests.items():
        n, n_other = len(test.y), len(other.tests[name].y)
        assert abs(n - n_other) <= 0.05 * n, f"{name}: {n:,} rows with one seed, {n_other:,} with another"


def check_fingerprint(case: Case) -> None:
    """The decoded arrays are the same in another process, and on another machine where theirs are known."""
    found, _ = _decoded(case.spec)
    code = (
        "import json, sys; from pathlib import Path; from adbench import Finder;"
        "from adbench.execution.host import resolve; from adbench.execution.jobs.arrays import fingerprint;"
        "target, params, folders = json.load(sys.stdin); dataset = resolve(target)(**params);"
        "print(fingerprint(dict(dataset.load(dataset.locate(Finder([Path(folder) for folder in folders]))))))"
    )
    folders = [os.fspath(folder) for folder in Finder.from_environment().folders]
    made = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([case.spec.target, dict(case.spec.params), folders]),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "123", "OMP_NUM_THREADS": "2"},
    )
    assert made.returncode == 0, f"decoding in another process failed: {made.stderr[-300:]}"
    there = made.stdout.split()[-1]
    assert there == found["fingerprint"], "another process decodes other arrays from the same files"
    expected = case.fingerprints.get(case.label, there)
    assert there == expected, f"{case.label}: fingerprint {there}, expected {expected}"


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_contract,
    check_range,
    check_contamination,
    check_rows_apart,
    check_labels,
    check_repeats,
    check_same_seed,
    check_other_seed,
)


# Of the dataset and the case looked at last: full splits are too large to keep more.
_LAST_DECODED: dict[Any, tuple[dict[str, Any], dict[str, NDArray[Any]]]] = {}
_LAST_SPLIT: dict[Any, Split] = {}


def _make(spec: DatasetSpec) -> Any:
    return resolve(spec.target)(**spec.params)


def _decoded(spec: DatasetSpec) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what is known of a dataset's data, and its arrays, memory-mapped; skip where there is none."""
    import pytest

    cache = os.fspath(cache_folder())
    finder = Finder.from_environment()
    place = (spec.name, cache, *map(os.fspath, finder.folders))
    if place not in _LAST_DECODED:
        _LAST_DECODED.clear()
        entry = {"name": spec.name, "target": spec.target, "params": dict(spec.params), "needs": spec.needs}
        entry["code"] = _code_of(spec.target)  # so that arrays decoded by other code are not taken
        found = data.survey([entry], [os.fspath(folder) for folder in finder.folders], cache)[spec.name]
        if "missing" in found:
            pytest.skip(found["missing"])
        if "error" not in found and found["fingerprint"] is None:
            found |= data.prepare(entry, found, cache)
        assert "error" not in found, found["error"]
        _LAST_DECODED[place] = found, data.read_prepared(Path(cache), found["fingerprint"])
    return _LAST_DECODED[place]


def _code_of(target: str) -> dict[str, str]:
    package = target.partition(":")[0].partition(".")[0]
    (distribution, *_) = packages_distributions().get(package, [""])
    return code_of(Plugin(package, package, distribution), target)


def _normal_rows(made: Split) -> dict[str, NDArray[Any]]:
    """Return the rows that must look like images: an anomaly may be anything."""
    normal = {name: test.X[test.y == 0] for name, test in made.tests.items()}
    return {"X_train": made.X_train, **normal}


def _digest(made: Split) -> str:
    """Return a hash of all rows, labels and row numbers, in order."""
    digest = hashlib.sha256()
    parts = [made.X_train, made.train_ids, made.y_train]
    for name, test in made.tests.items():
        digest.update(name.encode())
        parts += [test.X, test.y, test.row_ids, test.attack.at if test.attack else None]
    for part in parts:
        digest.update(b"" if part is None else np.ascontiguousarray(part).data)
    return digest.hexdigest()
