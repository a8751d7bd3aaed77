"""The credit card table as a dataset: the official file, a part of it, or the stand-in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from adbench import Finder, Found, Split, UsageError
from adbench_creditcard.synthetic import FRAUDS, NORMALS, generate

ROWS = NORMALS + FRAUDS
SYNTHETIC = "synthetic"

_FOLDER = "creditcard"
_COMPLETE = (  # by name: what holds the whole table where it is downloaded
    "creditcard.csv",
    "creditcard.csv.gz",
    "creditcard.zip",
    "creditcardfraud.zip",
    "archive.zip",
    "creditcard.parquet",
    "creditcard.arff",
    "dataset_1597.pq",  # OpenML's parquet
)
_TABLES = (".csv", ".csv.gz", ".parquet", ".pq", ".arff", ".zip")
_WAY_TO_ALL = (
    "For the complete table put creditcard.csv of "
    "https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud into creditcard/ of the data folder "
    "(--data-dir or ADBENCH_DATA)."
)


@dataclass(frozen=True)
class CreditCard:
    """284,807 card payments of two days, 492 of them frauds: Time, 28 principal components and Amount."""

    def locate(self, finder: Finder) -> Found:
        """Look for a table by name, a complete one first; without any there is the stand-in.

        Which rows it holds is known once it is read: see :meth:`describe`.
        """
        path = finder.find(*(f"{_FOLDER}/{name}" for name in _COMPLETE)) or _largest(_others(finder))
        if path is None:
            note = f"Synthetic rows made from published summary figures, no real payment among them. {_WAY_TO_ALL}"
            return Found(variant=SYNTHETIC, note=note)
        return Found(variant="unread", files=(path,), note="A table that has not been read yet.")

    def load(self, found: Found) -> dict[str, NDArray[Any]]:
        """Read and check the table, and number its groups of equal rows.

        Returns
        -------
        dict
            ``X`` (n, 30), float64: Time in seconds, V1 to V28, Amount. ``y`` (n,): 1 = fraud.
            ``group`` (n,): the same number for rows that are equal in every feature.
        """
        if found.files:
            from adbench_creditcard.files import read_table

            X, y = read_table(*found.files)
        else:
            X, y = generate()
        return {"X": X, "y": y, "group": _groups(X)}

    def describe(self, found: Found, arrays: Mapping[str, NDArray[Any]]) -> Found:
        """Name the variant by the rows: none for the official table, else how many there are."""
        if not found.files:
            return found
        y = arrays["y"]
        n_repeats = len(y) - len(np.unique(arrays["group"]))
        facts = f"{len(y):,} rows, {y.sum():,} frauds ({y.mean():.3%}), {n_repeats:,} repeats of an earlier row"
        if _is_official(arrays["X"], y):
            return replace(found, variant="", note=f"The complete official table: {facts}.")
        note = f"Not the official table of {ROWS:,} rows and {FRAUDS} frauds (0.173%): {facts}. {_WAY_TO_ALL}"
        return replace(found, variant=f"{len(y)}rows", note=note)

    def split(
        self,
        arrays: Mapping[str, NDArray[Any]],
        *,
        seed: int,
        repetition: int,
        protocol: Literal["novelty", "outlier", "balanced", "supervised", "balanced-published", "supervised-published"],
        n_train: int | None = None,
        n_test: int | None = None,
        prevalence: float | None = None,
    ) -> Split:
        """Split the rows by the task's protocol.

        Parameters
        ----------
        arrays, seed, repetition
            As for every dataset. The published protocols use the repetition as their seed.
        protocol
            The task's name.
        n_train
            At most so many training rows; None: all.
        n_test
            At most so many test rows (``supervised``), normal ones (``novelty``) or of each class (``balanced``).
        prevalence
            The share of frauds in the test rows, and wherever frauds are trained on: they or the normal rows
            are thinned out. None: the table's own share, and every fraud in ``novelty``. The balanced and the
            published tasks say their own shares and heed no other.
        """
        for name, size in (("n_train", n_train), ("n_test", n_test)):
            if size is not None and size < 1:
                raise UsageError(f"{name!r} must be at least 1; got {size}")
        # Here, because it brings scikit-learn, which locate can do without.
        from adbench_creditcard.protocols import PROTOCOLS, Asked, Table

        table = Table(arrays["X"], arrays["y"].astype(np.int64), arrays["group"])
        if prevalence is not None and protocol not in ("novelty", "outlier", "supervised"):
            raise UsageError(f"'prevalence' is for novelty, outlier and supervised; {protocol} has a share of its own")
        return PROTOCOLS[protocol](table, Asked(seed, repetition, n_train, n_test, prevalence))


def _others(finder: Finder) -> Iterator[Path]:
    """Yield tables of any other name, such as ``creditcard_subset.csv.gz``."""
    for folder in finder.folders:
        for path in sorted((folder / _FOLDER).glob("creditcard*")):
            if path.name.lower().endswith(_TABLES) and path.is_file():
                yield path


def _largest(paths: Iterator[Path]) -> Path | None:
    return max(paths, key=lambda path: path.stat().st_size, default=None)


def _groups(X: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a number for each row, the same for equal rows."""
    rows = np.ascontiguousarray(X + 0.0).view(f"V{X.shape[1] * X.itemsize}")  # + 0.0: minus zero is zero
    return np.unique(rows.ravel(), return_inverse=True)[1].astype(np.int64)


def _is_official(X: NDArray[np.float64], y: NDArray[np.integer[Any]]) -> bool:
    """Say whether rows, frauds, sums of Amount and the means of V1 to V28 (all 0) are the published ones."""
    if (len(y), y.sum()) != (ROWS, FRAUDS):
        return False
    amount = X[:, -1]
    sums = [amount.sum(), amount[y == 1].sum()]
    return bool(
        np.allclose(sums, [25_162_590.01, 60_127.97], rtol=0, atol=0.05) and np.abs(X[:, 1:29].mean(0)).max() < 1e-6
    )
