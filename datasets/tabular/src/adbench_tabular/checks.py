"""What a table must be before anything is trained on it, and the one-line error if it is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError

MIN_NORMALS = 4
_HIGHEST = 1e150  # above it the square, and so the variance, is no longer finite


def wrong(path: Path, expected: str, found: str, way_out: str) -> DatasetError:
    """Return the error for a file that is not what it should be: one line, without its folder."""
    return DatasetError(" ".join(f"{path.name}: expected {expected}; found {found}. {way_out}".split()))


def listed(names: Iterable[object], limit: int = 8) -> str:
    """Return names for a message, cut after the first few.

    Examples
    --------
    >>> listed("abc", limit=2)
    "'a', 'b' and 1 more"
    """
    texts = [repr(name.item() if isinstance(name, np.generic) else name) for name in names]
    more = f" and {len(texts) - limit:,} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more


def checked_features(path: Path, X: NDArray[Any], columns: Sequence[object] | None = None) -> NDArray[np.float64]:
    """Return the features as float64 if they are a table of finite numbers.

    Parameters
    ----------
    path
        The file, for the message.
    X
        An array of any shape and dtype.
    columns
        The columns' names; None: their numbers from 0.
    """
    if X.ndim in (3, 4):
        raise wrong(path, "X with two dimensions", f"shape {X.shape}", "Images in an .npz are not read yet.")
    if X.ndim != 2:
        raise wrong(path, "X with two dimensions", f"shape {X.shape}", "Save it as (n_samples, n_features).")
    if X.dtype.kind not in "biuf":
        raise wrong(path, "X of numbers", f"dtype {X.dtype}", "Encode or drop what is not a number.")
    if 0 in X.shape:
        raise wrong(path, "rows and feature columns", f"{len(X)} x {X.shape[1]}", "Nothing can be learned from it.")
    X = X.astype(np.float64)
    bad = ~(np.abs(X) < _HIGHEST)  # true for NaN, too
    if bad.any():
        names = range(X.shape[1]) if columns is None else columns
        at = [name for name, is_bad in zip(names, bad.any(axis=0), strict=True) if is_bad]
        found = f"missing, infinite or huge values in {bad.any(axis=1).sum():,} row(s), in column(s) {listed(at)}"
        raise wrong(path, "finite numbers", found, "Fill them in or drop them.")
    return X


def checked_labels(path: Path, y: NDArray[Any], n_rows: int) -> NDArray[np.int64]:
    """Return the labels as int64 if they are one a row, 0 or 1, and both there."""
    if y.shape != (n_rows,):
        raise wrong(path, f"y of shape ({n_rows},), one label a row", f"shape {y.shape}", "Save X and y together.")
    values = np.unique(y)
    if not np.isin(values, (0, 1)).all():
        raise wrong(path, "labels 0 (normal) and 1 (anomaly)", listed(values), "Map them to 0 and 1.")
    n_anomalies = int(y.sum())
    n_normals = n_rows - n_anomalies
    if n_normals < MIN_NORMALS or n_anomalies < 1:
        expected = f"at least {MIN_NORMALS} normal rows and 1 anomaly"
        found = f"{n_normals:,} and {n_anomalies:,}"
        raise wrong(path, expected, found, "Check which label means normal.")
    return y.astype(np.int64)
