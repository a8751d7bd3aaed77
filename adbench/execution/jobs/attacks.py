"""Adversarial test rows, made inside the trial from the detector's own gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.detector import HasInputGradient
from adbench.execution.jobs.judging import InvalidScores


def apply(
    detector: HasInputGradient,
    X: NDArray[Any],
    attacked: NDArray[np.bool_],
    at: NDArray[Any] | None,
    *,
    epsilon: float,
    direction: int,
    clip: bool,
) -> NDArray[Any]:
    """Return rows, some of them moved along the sign of the gradient; see :class:`adbench.Attack`.

    Parameters
    ----------
    detector
        Fitted.
    X
        Rows as the detector takes them.
    attacked : ndarray of shape (n,)
        Which rows to move.
    at
        Where the gradient is taken, a row for each attacked one; None: at the rows themselves.

    Raises
    ------
    InvalidScores
        If the gradient has another shape, or holds NaN or infinite values.
    """
    start = np.array(X[attacked])
    where = start.copy() if at is None else np.array(at)
    gradient = np.asarray(detector.input_gradient(where))
    if gradient.shape != start.shape:
        raise InvalidScores(f"input_gradient must have the rows' shape {start.shape}; got {gradient.shape}")
    if gradient.dtype.kind != "f" or not np.isfinite(gradient).all():
        raise InvalidScores("input_gradient must give finite floating point numbers")
    moved = start + direction * epsilon * np.sign(gradient)
    made = np.array(X)
    made[attacked] = np.clip(moved, 0, 1) if clip else moved
    return made
