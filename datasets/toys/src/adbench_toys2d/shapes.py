"""Where the normal rows of a toy set are: round Gaussians on points of a line figure, all within [0, 10]^2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIDE = 10.0


def radius_of(share: float) -> float:
    """Return the radius, in standard deviations, that holds a share of a round Gaussian in two dimensions.

    Examples
    --------
    >>> round(radius_of(0.99), 3)
    3.035
    """
    return sqrt(-2 * log(1 - share))


@dataclass(frozen=True)
class Shape:
    """An equal mixture of round Gaussians.

    Parameters
    ----------
    centres : ndarray of shape (k, 2)
        Their means.
    spreads : ndarray of shape (k,)
        Their standard deviations.
    """

    centres: Floats
    spreads: Floats

    def sample(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw normal rows, of shape (n, 2)."""
        which = rng.integers(len(self.centres), size=n)
        return self.centres[which] + self.spreads[which, None] * rng.standard_normal((n, 2))

    def distance(self, X: Floats) -> Floats:
        """Return how many standard deviations each row is from the nearest centre, of shape (n,)."""
        offsets = X[:, None] - self.centres  # (n, k, 2)
        return np.min(np.hypot(offsets[..., 0], offsets[..., 1]) / self.spreads, axis=1)

    def density(self, X: Floats) -> Floats:
        """Return the density of normal rows, of shape (n,): no score ranks uniform anomalies better."""
        squares = ((X[:, None] - self.centres) ** 2).sum(axis=2) / self.spreads**2  # (n, k)
        return np.mean(np.exp(-squares / 2) / (2 * pi * self.spreads**2), axis=1)


def _equal(centres: Floats, spread: float) -> Shape:
    return Shape(centres, np.full(len(centres), spread))


def _arc(radius: float, start: float, stop: float, k: int) -> Floats:
    angles = np.linspace(start, stop, k, endpoint=False)
    return radius * np.column_stack([np.cos(angles), np.sin(angles)])


_MIDDLE = np.array([[SIDE / 2, SIDE / 2]])
_MOON = _arc(2.4, 0, pi, 200)
_LOWER = np.array([2.4, 1.2]) - _MOON  # turned by half a circle: it opens upwards, into the other

SHAPES: Mapping[str, Shape] = {
    "gaussian": _equal(_MIDDLE, 1.0),
    "gaussian-narrow": _equal(_MIDDLE, 0.5),
    "moons": _equal(_MIDDLE - np.array([1.2, 0.6]) + np.concatenate([_MOON, _LOWER]), 0.3),
    # As many points for each unit of length, so that both rings are equally dense.
    "rings": _equal(_MIDDLE + np.concatenate([_arc(1.5, 0, 2 * pi, 150), _arc(3.5, 0, 2 * pi, 350)]), 0.25),
    "clusters": Shape(np.array([[2.5, 2.5], [7.5, 3.0], [5.0, 7.0]]), np.array([0.3, 0.6, 0.9])),
}
