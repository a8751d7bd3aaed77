"""How rows are split: two sound protocols, and two published ones to compare with.

Each is a function of the rows, their labels and a seed. All standardise tables by the training rows (a
column without variance is only centred); images are only brought to [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from adbench import Split, TestSet
from adbench_tabular.checks import MIN_NORMALS

Table = NDArray[np.float64]
Images = NDArray[np.uint8] | NDArray[np.float32]
Labels = NDArray[np.int64]
Rows = NDArray[np.int64]


def novelty(X: Table | Images, y: Labels, *, seed: int, repetition: int, max_rows: int | None = None) -> Split:
    """Train on a random half of the normal rows; test on the other half and all anomalies."""
    rng = np.random.default_rng(seed)
    rows = _sample(y, max_rows, rng)
    normals, anomalies = rows[y[rows] == 0], rows[y[rows] == 1]
    n_train = len(normals) // 2
    test = rng.permutation(np.concatenate([normals[n_train:], anomalies]))
    return _split(X, y, normals[:n_train], test)


def outlier(X: Table | Images, y: Labels, *, seed: int, repetition: int, max_rows: int | None = None) -> Split:
    """Train on the unlabelled mixture, the share of anomalies stated; test on the same rows."""
    rows = _sample(y, max_rows, np.random.default_rng(seed))
    mixture = X[rows]
    scaled = _scale_of(mixture)(mixture)
    return Split(
        X_train=scaled,
        train_ids=rows,
        tests={"test": TestSet(X=scaled, y=y[rows], row_ids=rows)},
        contamination=float(y.mean()),
    )


def pyod_6040(X: Table, y: Labels, *, seed: int, repetition: int) -> Split:
    """Train on a random 60 % of the mixture, test on the rest, as pyod's published tables do.

    References
    ----------
    ``yzhao062/pyod``, ``docs/tables``: the random states are 0, 1, ..., 9, so the repetition is one.
    """
    train, test = train_test_split(np.arange(len(y)), test_size=0.4, random_state=repetition)
    return _split(X, y, train, test, contamination=float(y.mean()))


def first_half(X: Table, y: Labels, *, seed: int, repetition: int) -> Split:
    """Train on the first half of the normal rows in file order, as the DTE paper's "clean" tables do.

    A table under 1,000 rows is first drawn up to 1,000 with replacement, so that copies of the *same* row
    stand in training and in test: copy k of row i among n has the id i + k n. One above 50,000 rows is cut
    to a random 50,000.

    References
    ----------
    Livernoche et al. (2024), On diffusion modeling for anomaly detection, arXiv:2305.18593;
    ``vicliv/DTE``, ``data_generator.py``. Its seed is the repetition.
    """
    ids = rows = np.arange(len(y))
    legacy = np.random.RandomState(repetition)  # the same draws as np.random.seed and np.random.choice
    if len(y) < 1_000:
        rows = legacy.choice(rows, 1_000, replace=True)
        copy = np.array([np.count_nonzero(rows[:place] == row) for place, row in enumerate(rows)])
        ids = rows + copy * len(y)
    elif len(y) > 50_000:
        ids = rows = legacy.choice(rows, 50_000, replace=False)
    X, y = X[rows], y[rows]
    normals, anomalies = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    n_train = round(0.5 * len(normals))
    return _split(X, y, normals[:n_train], np.concatenate([normals[n_train:], anomalies]), ids=ids)


PROTOCOLS: Mapping[str, Callable[..., Split]] = {
    "novelty": novelty,
    "outlier": outlier,
    "pyod-6040": pyod_6040,
    "first-half": first_half,
}


def _sample(y: Labels, max_rows: int | None, rng: np.random.Generator) -> Rows:
    """Return all rows, or ``max_rows`` with the table's share of anomalies (at least one, and a few normal rows).

    In random order, so that a row's place does not tell its class: many files are sorted by it.
    """
    if max_rows is None or len(y) <= max_rows:
        return rng.permutation(len(y))
    n_anomalies = max(1, min(round(max_rows * y.mean()), max_rows - MIN_NORMALS))
    normals = rng.choice(np.flatnonzero(y == 0), max_rows - n_anomalies, replace=False)
    anomalies = rng.choice(np.flatnonzero(y == 1), n_anomalies, replace=False)
    return rng.permutation(np.concatenate([normals, anomalies]))


def _split(
    X: Table | Images,
    y: Labels,
    train: Rows,
    test: Rows,
    *,
    contamination: float | None = None,
    ids: Rows | None = None,
) -> Split:
    X_train, ids = X[train], np.arange(len(y)) if ids is None else ids
    scaled = _scale_of(X_train)
    return Split(
        X_train=scaled(X_train),
        train_ids=ids[train],
        tests={"test": TestSet(X=scaled(X[test]), y=y[test], row_ids=ids[test])},
        contamination=contamination,
    )


def _scale_of(X_train: Table | Images) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what brings rows to the scale that detectors are given."""
    if X_train.ndim == 2:
        return StandardScaler().fit(X_train).transform
    most = 255 if X_train.dtype == np.uint8 else 1
    return lambda images: np.divide(images, most, dtype=np.float32)
