"""What data must be before anything is trained on it, and the one-line error if it is not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError

MIN_NORMALS = 4
MOST_BYTES = 8 << 30
"""Of an array in memory: a claim beyond it is refused before anything is read."""
_HIGHEST = 1e150  # above it the square, and so the variance, is no longer finite
_MOST_CHANNELS = 4


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


def check_size(path: Path, shape: Sequence[int], bytes_each: int = 8) -> None:
    """Refuse what would not fit: in Python's own integers, which do not overflow."""
    if math.prod(shape) * bytes_each > MOST_BYTES:
        size = " x ".join(f"{length:,}" for length in shape)
        raise DatasetError.in_file(
            path,
            expected=f"at most {MOST_BYTES:,} bytes in memory",
            found=f"{size} values",
            way_out="Take a part of it.",
        )


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
    if X.ndim != 2:
        raise DatasetError.in_file(
            path,
            expected="X with two dimensions",
            found=f"shape {X.shape}",
            way_out="Save a table as (n_samples, n_features).",
        )
    if X.dtype.kind not in "biuf":
        raise DatasetError.in_file(
            path, expected="X of numbers", found=f"dtype {X.dtype}", way_out="Encode or drop what is not a number."
        )
    if 0 in X.shape:
        raise DatasetError.in_file(
            path,
            expected="rows and feature columns",
            found=f"{len(X)} x {X.shape[1]}",
            way_out="Nothing can be learned from it.",
        )
    X = X.astype(np.float64)
    bad = ~(np.abs(X) < _HIGHEST)  # true for NaN, too
    if bad.any():
        names = range(X.shape[1]) if columns is None else columns
        at = [name for name, is_bad in zip(names, bad.any(axis=0), strict=True) if is_bad]
        found = f"missing, infinite or huge values in {bad.any(axis=1).sum():,} row(s), in column(s) {listed(at)}"
        raise DatasetError.in_file(path, expected="finite numbers", found=found, way_out="Fill them in or drop them.")
    return X


def checked_images(path: Path, X: NDArray[Any]) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return images as (n, height, width, channels): uint8 as they are, floats in [0, 1] as float32.

    Parameters
    ----------
    path
        The file, for the message.
    X
        Of shape (n, height, width) or (n, height, width, channels).
    """
    if X.ndim == 3:
        X = X[..., None]
    if 0 in X.shape or X.shape[3] > _MOST_CHANNELS:
        expected = (
            f"images of shape (n, height, width) or (n, height, width, channels), at most {_MOST_CHANNELS} channels"
        )
        first = X.shape[1] <= _MOST_CHANNELS
        way_out = "Put the channels last: X.transpose(0, 2, 3, 1)." if first else "Flatten what is no image."
        raise DatasetError.in_file(path, expected=expected, found=f"shape {X.shape}", way_out=way_out)
    is_number = X.dtype.kind in "biuf"
    lowest, highest = (X.min(), X.max()) if is_number else (np.nan, np.nan)
    is_share = X.dtype.kind == "f" and lowest >= 0 and highest <= 1  # false for NaN, too
    if X.dtype == np.uint8 and highest > 1:
        return X
    if is_share:
        return X.astype(np.float32)
    if X.dtype.kind in "bu" and highest <= 1:  # as grey levels all but black: surely meant as shares
        way_out = "Save X.astype(np.float32)."
    elif X.dtype.kind in "iu" and lowest >= 0 and highest <= 255:
        way_out = "Save X.astype(np.uint8)."
    else:
        way_out = "Scale them, such as by X / 255."
    raise DatasetError.in_file(
        path,
        expected="images as uint8 from 0 to 255, or as floating point in [0, 1]",
        found=f"{X.dtype} from {float(lowest):g} to {float(highest):g}" if is_number else f"dtype {X.dtype}",
        way_out=way_out,
    )


def checked_labels(path: Path, y: NDArray[Any], n_rows: int) -> NDArray[np.int64]:
    """Return the labels as int64 if they are one a row, 0 or 1, and both there."""
    if y.shape != (n_rows,):
        raise DatasetError.in_file(
            path,
            expected=f"y of shape ({n_rows},), one label a row",
            found=f"shape {y.shape}",
            way_out="Save X and y together.",
        )
    values = np.unique(y)
    if not np.isin(values, (0, 1)).all():
        raise DatasetError.in_file(
            path, expected="labels 0 (normal) and 1 (anomaly)", found=listed(values), way_out="Map them to 0 and 1."
        )
    n_anomalies = int(y.sum())
    n_normals = n_rows - n_anomalies
    if n_normals < MIN_NORMALS or n_anomalies < 1:
        expected = f"at least {MIN_NORMALS} normal rows and 1 anomaly"
        found = f"{n_normals:,} and {n_anomalies:,}"
        raise DatasetError.in_file(path, expected=expected, found=found, way_out="Check which label means normal.")
    return y.astype(np.int64)
