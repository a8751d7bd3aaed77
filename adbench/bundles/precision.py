"""Scores in a fraction of the space: five digits and more, every order and every tie kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How far a score may move for a shorter number, in steps of float32: 8 millionths of it.
_STEPS = 64


def compacted(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return a trial's arrays with scores rounded, order and ties being what they were.

    Training and test scores of one name are rounded together: each distinct score becomes the float32
    with the most zeros at its end that is nearer to it than to its neighbours, and differs from it by
    at most 8 millionths; where even float32 cannot tell neighbours apart, the higher moves up to the
    next. So rank metrics do not change at all, and a limit that is one of the scores separates the
    same rows; other limits move by millionths. Scores that float32 cannot hold stay as they are, and
    so do those that are float32: rounding twice is rounding once.

    Examples
    --------
    >>> made = compacted({"train_scores/s": np.array([0.1, 0.3]), "scores/test/s": np.array([0.1 + 1e-12, 0.1, 0.2])})
    >>> made["scores/test/s"].dtype.name, made["scores/test/s"].argsort().tolist()
    ('float32', [1, 0, 2])
    >>> np.allclose(made["train_scores/s"], [0.1, 0.3], rtol=8e-6)
    True
    """
    by_score: dict[str, list[str]] = {}
    for name in sorted(arrays):
        if name.startswith(("scores/", "train_scores/")):
            by_score.setdefault(name.rpartition("/")[2], []).append(name)
    made = dict(arrays)
    for names in by_score.values():
        values = np.concatenate([arrays[name] for name in names])
        rounded = None if values.dtype == np.float32 else _rounded(values)
        if rounded is not None:
            stops = np.cumsum([len(arrays[name]) for name in names])[:-1]
            made |= dict(zip(names, np.split(rounded, stops), strict=True))
    return made


def _rounded(values: NDArray[Any]) -> NDArray[np.float32] | None:
    distinct, place = np.unique(values, return_inverse=True)
    if not len(distinct) or not max(-distinct[0], distinct[-1]) < np.finfo(np.float32).max:
        return None
    steps = _steps_of(distinct.astype(np.float32))
    row = np.arange(len(steps))
    steps = _shortest(np.maximum.accumulate(steps - row) + row)
    rounded: NDArray[np.float32] = _of_steps(steps)[place]
    return rounded if np.isfinite(rounded).all() else None


def _shortest(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each of some rising numbers the one with the most zero bits at its end between its neighbours."""
    between = (steps[:-1] + steps[1:]) >> 1
    above = np.maximum(steps - _STEPS - 1, np.append(steps[0] - _STEPS - 1, between))
    upto = np.minimum(steps + _STEPS, np.append(between, steps[-1] + _STEPS))
    # All that agree with the upper end down to the first bit in which the ends differ lie between them.
    offset = 2**33
    differing = np.frexp(((above + offset) ^ (upto + offset)).astype(np.float64))[1].astype(np.int64) - 1
    shortest: NDArray[np.int64] = ((upto + offset) >> differing << differing) - offset
    return shortest


def _steps_of(floats: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return floats as whole numbers that count the floats from 0: the next float up is the next number."""
    bits = floats.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _of_steps(steps: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.where(steps < 0, -steps | 0x80000000, steps).astype(np.uint32).view(np.float32)
