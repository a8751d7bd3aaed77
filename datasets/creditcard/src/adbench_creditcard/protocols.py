"""How the rows are split: four sound protocols, and the two of rich_latent with their quirks.

The sound ones keep equal rows on one side and scale by the training rows; rows are drawn by the seed alone,
and come in random order, since the file is sorted by Time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from adbench import Split, TestSet, UsageError

Features = NDArray[np.float64]
Rows = NDArray[np.int64]

_PUBLISHED_TEST_PER_CLASS = 100  # of the supervised protocol


@dataclass(frozen=True)
class Asked:
    """The arguments of ``CreditCard.split``, as they are told there."""

    seed: int
    repetition: int
    n_train: int | None = None
    n_test: int | None = None
    prevalence: float | None = None

    def share_in(self, table: Table) -> float:
        """Return the share of frauds that is asked for, the table's own if none is."""
        return float(table.y.mean()) if self.prevalence is None else self.prevalence


@dataclass(frozen=True)
class Table:
    """The arrays of ``load``: features (n, 30), labels (n,), and the group of equal rows of each row (n,)."""

    X: Features
    y: NDArray[np.int64]
    group: NDArray[np.int64]

    def rows(self, label: int) -> Rows:
        """Return the rows of a class in file order."""
        return np.flatnonzero(self.y == label)

    def halves(self, rows: Rows, n_first: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Return ``n_first`` random rows and the others, both in random order, no group on both sides.

        Fewer than ``n_first`` only if so many rows repeat that whole groups do not add up to it.
        """
        _, member, size = np.unique(self.group[rows], return_inverse=True, return_counts=True)
        order = rng.permutation(len(size))
        first = np.zeros(len(size), dtype=bool)
        first[order[np.cumsum(size[order]) <= n_first]] = True
        lacking = n_first - size[first].sum()  # the group at the boundary was too large: fill up with single rows
        first[order[~first[order] & (size[order] == 1)][:lacking]] = True
        return rng.permutation(rows[first[member]]), rng.permutation(rows[~first[member]])

    def train_and_test_normals(self, n_test: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Return normal rows for training, none equal to a fraud, and ``n_test`` for the test."""
        normals = self.rows(0)
        like_a_fraud = np.isin(self.group[normals], self.group[self.rows(1)])
        test, train = self.halves(normals[~like_a_fraud], n_test, rng)
        return train, test

    def split(self, train: Rows, tests: Rows, **rest: Any) -> Split:
        """Return the split, features standardised by the training rows."""
        scaler = StandardScaler().fit(self.X[train])
        test = TestSet(X=scaler.transform(self.X[tests]), y=self.y[tests], row_ids=tests)
        return Split(X_train=scaler.transform(self.X[train]), train_ids=train, tests={"test": test}, **rest)


def novelty(table: Table, asked: Asked) -> Split:
    """Train on a random half of the normal rows; test on the other half and the frauds, all unless thinned out."""
    rng = np.random.default_rng(asked.seed)
    train, test = table.train_and_test_normals(int((table.y == 0).sum()) // 2, rng)
    frauds = rng.permutation(table.rows(1))
    if asked.prevalence is None:
        test = np.concatenate([test[: asked.n_test], frauds])
    else:
        test = _mixture(test[: asked.n_test], frauds, None, asked.prevalence)
    return table.split(train[: asked.n_train], rng.permutation(test))


def outlier(table: Table, asked: Asked) -> Split:
    """Train on the unlabelled mixture, its share of frauds stated; test on the same rows."""
    rng = np.random.default_rng(asked.seed)
    normals, frauds = rng.permutation(table.rows(0)), rng.permutation(table.rows(1))
    rows = rng.permutation(_mixture(normals, frauds, asked.n_train, asked.share_in(table)))
    scaled = StandardScaler().fit_transform(table.X[rows])
    y = table.y[rows]
    test = TestSet(X=scaled, y=y, row_ids=rows)
    return Split(X_train=scaled, train_ids=rows, tests={"test": test}, contamination=float(y.mean()))


def balanced(table: Table, asked: Asked) -> Split:
    """Test on all frauds and as many normal rows; train on the remaining normal rows."""
    rng = np.random.default_rng(asked.seed)
    frauds = rng.permutation(table.rows(1))[: asked.n_test]
    train, test = table.train_and_test_normals(len(frauds), rng)
    return table.split(train[: asked.n_train], rng.permutation(np.concatenate([test, frauds])))


def supervised(table: Table, asked: Asked) -> Split:
    """Train on a random half of each class, with labels; test on the other half, at the table's share of frauds."""
    rng = np.random.default_rng(asked.seed)
    frauds = table.rows(1)
    train_normals, test_normals = table.train_and_test_normals(int((table.y == 0).sum()) // 2, rng)
    train_frauds, test_frauds = table.halves(frauds, len(frauds) // 2, rng)
    share = asked.share_in(table)
    train = rng.permutation(_mixture(train_normals, train_frauds, asked.n_train, share))
    test = rng.permutation(_mixture(test_normals, test_frauds, asked.n_test, share))
    return table.split(train, test, y_train=table.y[train])


def balanced_published(table: Table, asked: Asked) -> Split:
    """Test on all frauds and as many normal rows, and the same normal rows against noise, as rich_latent does.

    Every column is brought to [0, 1] by its extremes over *all* rows, test frauds included. (rich_latent first
    divides Amount by its deviation, which that undoes.) The repetition is the seed of the draw: its own is 0.
    Equal rows may stand on both sides. Normal noise is clipped to [0, 1].

    References
    ----------
    ``hschoi1/rich_latent``, ``vae_wgan/tools/get_data.py``.
    """
    legacy = np.random.RandomState(asked.repetition)  # draws as np.random.seed(0) and np.random.shuffle did
    lowest, highest = table.X.min(axis=0), table.X.max(axis=0)
    X = (table.X - lowest) / (highest - lowest)
    frauds, normals = table.rows(1), table.rows(0)
    legacy.shuffle(normals)
    n = len(frauds)
    test, train = normals[:n], normals[n:][: asked.n_train]
    noise = {
        "normal-noise": legacy.normal(size=(n, X.shape[1])).clip(0, 1),
        "uniform-noise": legacy.uniform(size=(n, X.shape[1])),
    }
    y = np.repeat([0, 1], n)
    mixed = np.random.default_rng(asked.seed).permutation(2 * n)
    tests = {"test": TestSet(X[rows := np.concatenate([test, frauds])[mixed]], y[mixed], rows)}
    for number, (name, made) in enumerate(noise.items()):
        ids = np.concatenate([test, len(X) + n * number + np.arange(n)])  # noise has no row in the table
        tests[name] = TestSet(np.concatenate([X[test], made])[mixed], y[mixed], ids[mixed])
    return Split(X_train=X[train], train_ids=train, tests=tests)


def supervised_published(table: Table, asked: Asked) -> Split:
    """Test on the first 100 frauds in file order and 100 normal rows; train on all others, as rich_latent does.

    Time and Amount are standardised *within each class*, test rows included, so that they carry the label;
    V1 to V28 stay as they are. Equal rows may stand on both sides. Its draw of the normal rows has no seed;
    here it is the repetition.

    References
    ----------
    ``hschoi1/rich_latent``, ``vae_wgan/anomaly/NNclassifier.py``.
    """
    legacy = np.random.RandomState(asked.repetition)
    X = np.array(table.X)
    for label in (0, 1):
        of_class = np.ix_(table.rows(label), [0, X.shape[1] - 1])
        X[of_class] = (X[of_class] - X[of_class].mean(axis=0)) / X[of_class].std(axis=0, ddof=1)
    normals, frauds = table.rows(0), table.rows(1)
    legacy.shuffle(normals)
    n = min(_PUBLISHED_TEST_PER_CLASS, len(frauds) // 2)
    rng = np.random.default_rng(asked.seed)
    test = rng.permutation(np.concatenate([normals[:n], frauds[:n]]))
    share = (len(frauds) - n) / (len(X) - 2 * n)
    train = rng.permutation(_mixture(normals[n:], frauds[n:], asked.n_train, share))
    return Split(
        X_train=X[train],
        train_ids=train,
        y_train=table.y[train],
        tests={"test": TestSet(X=X[test], y=table.y[test], row_ids=test)},
    )


PROTOCOLS: Mapping[str, Callable[..., Split]] = {
    "novelty": novelty,
    "outlier": outlier,
    "balanced": balanced,
    "supervised": supervised,
    "balanced-published": balanced_published,
    "supervised-published": supervised_published,
}


def _mixture(normals: Rows, frauds: Rows, n_rows: int | None, share: float) -> Rows:
    """Return the first rows of both classes, as many as give that share of frauds (at least one of each)."""
    if not 0 < share < 1:
        raise UsageError(f"'prevalence' must be in (0, 1); got {share}")
    most = min(len(normals) / (1 - share), len(frauds) / share)
    n = round(most if n_rows is None else min(n_rows, most))
    n_frauds = min(max(1, round(n * share)), n - 1)
    return np.concatenate([normals[: n - n_frauds], frauds[:n_frauds]])
