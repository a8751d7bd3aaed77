"""What a split must be before anything is trained on it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.dataset import Split, TestSet
from adbench.errors import DatasetError, PluginError

_TEST_NAME = re.compile(r"[A-Za-z0-9_.,()+@ -]{1,60}")


def check_split(made: Split, setting: str) -> None:
    """Raise PluginError or DatasetError where a split breaks the contract."""
    _check_rows("X_train", made.X_train, made.X_train)
    if len(made.train_ids) != len(made.X_train):
        raise PluginError(f"train_ids has {len(made.train_ids)} rows, X_train {len(made.X_train)}")
    if (setting == "supervised") != (made.y_train is not None):
        raise PluginError(f"y_train belongs to supervised tasks and to no other; this one is {setting}")
    if made.y_train is not None and (
        len(made.y_train) != len(made.X_train) or set(np.unique(made.y_train).tolist()) != {0, 1}
    ):
        raise PluginError("y_train must hold a label for each training row, 0 or 1, and both of them")
    if made.contamination is not None and not 0 < made.contamination < 1:
        raise PluginError(f"the stated contamination must be in (0, 1); got {made.contamination}")
    if not made.tests:
        raise PluginError("a split must have at least one test set")
    for name, test in made.tests.items():
        if not _TEST_NAME.fullmatch(name):
            raise PluginError(f"a test set's name is letters, digits, blanks and any of '-_.,()+@'; got {name!r}")
        _check_rows(name, test.X, made.X_train)
        if not len(test.X) == len(test.y) == len(test.row_ids):
            raise PluginError(f"test set {name!r}: X, y and row_ids differ in length")
        if set(np.unique(test.y).tolist()) != {0, 1}:
            raise DatasetError(f"test set {name!r} must hold normal rows and anomalies; its labels are all one class")
        if test.attack:
            _check_attack(name, test)
        if test.X is not made.X_train and np.intersect1d(made.train_ids, test.row_ids).size:
            raise PluginError(f"test set {name!r} holds rows of the training set")


def _check_attack(name: str, test: TestSet) -> None:
    attack = test.attack
    assert attack is not None
    if not (attack.direction in (-1, 1) and np.isfinite(attack.epsilon) and attack.epsilon > 0):
        raise PluginError(f"test set {name!r}: an attack has epsilon > 0 and direction -1 or 1; got {attack}")
    if attack.at is not None:
        _check_rows(f"{name}, attack", attack.at, test.X)
        if len(attack.at) != np.count_nonzero(test.y):
            raise PluginError(f"test set {name!r}: 'at' must have a row for each attacked row; got {len(attack.at)}")


def _check_rows(name: str, X: NDArray[Any], like: NDArray[Any]) -> None:
    if X.ndim not in (2, 4) or X.shape[1:] != like.shape[1:] or not len(X):
        raise PluginError(f"{name}: expected rows of shape {like.shape[1:]}, got an array of shape {X.shape}")
    expected = np.float64 if X.ndim == 2 else np.float32
    if X.dtype != expected:
        raise PluginError(f"{name}: expected {np.dtype(expected)}, got {X.dtype}")
    if not np.isfinite(X).all():
        raise DatasetError(f"{name} holds NaN or infinite values")


def repeated_shares(made: Split) -> dict[str, float]:
    """Return the share of each test set's rows that equal a training row to the bit."""
    train = _row_hashes(made.X_train)
    return {
        name: 1.0 if test.X is made.X_train else float(np.isin(_row_hashes(test.X), train).mean())
        for name, test in made.tests.items()
    }


def _row_hashes(X: NDArray[Any]) -> NDArray[np.uint64]:
    """Return 64 bits for each row, equal where rows are equal to the bit."""
    rows = np.ascontiguousarray(X).reshape(len(X), -1).view(np.uint8)
    digests = b"".join(hashlib.blake2b(row.data, digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, np.uint64)
