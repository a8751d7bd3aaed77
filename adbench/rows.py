"""The one check of what a detector is given, for every plugin to use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.errors import PluginError


def check_rows(X: NDArray[Any], like: tuple[int, ...] | None = None, *, at_least: int = 1) -> None:
    """Refuse rows that a detector cannot use.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        What ``fit`` or ``score`` was given.
    like
        Shape of one training row, when scoring.
    at_least
        Rows needed.

    Raises
    ------
    PluginError
        Too few rows, rows of another shape, NaN or infinite values.

    Examples
    --------
    >>> check_rows(np.array([[1.0, np.nan]]))
    Traceback (most recent call last):
    adbench.errors.PluginError: the rows hold NaN or infinite values, first in row 0 of 1
    """
    if like is not None and X.shape[1:] != tuple(like):
        raise PluginError(f"fitted on rows of shape {tuple(like)}; got rows of shape {X.shape[1:]}")
    if len(X) < at_least:
        raise PluginError(f"at least {at_least} rows are needed; got {len(X)}")
    # A sum is finite unless a value is not, or it overflows: only then is every value looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        total = X.sum()
    if not np.isfinite(total):
        finite = np.isfinite(X).reshape(len(X), -1).all(axis=1)
        if not finite.all():
            raise PluginError(f"the rows hold NaN or infinite values, first in row {finite.argmin()} of {len(X)}")
