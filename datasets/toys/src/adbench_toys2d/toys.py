"""The toy sets as datasets: one pool of generated rows for each shape, from which a seed draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench import Finder, Found, Split, TestSet, UsageError
from adbench_toys2d.shapes import SHAPES, SIDE, radius_of

GRID = 20
_NORMALS = 12_000
_ANOMALIES = 4_000
_PARTS = ("normal", "uniform", "far", "grid")


@dataclass(frozen=True)
class Toy:
    """Points of the square [0, 10]^2: rows around a figure are normal.

    Parameters
    ----------
    shape
        A name of :data:`adbench_toys2d.shapes.SHAPES`.
    """

    shape: str

    def locate(self, finder: Finder) -> Found:
        """Return at once: the rows are generated."""
        return Found(note="Complete: it is generated, the same everywhere.")

    def load(self, found: Found) -> dict[str, NDArray[Any]]:
        """Generate all rows ``X``, their label ``y`` and their ``part``: normal, uniform, far or grid."""
        rng = np.random.default_rng(0)
        shape = SHAPES[self.shape]
        normal = shape.sample(rng, _NORMALS)
        uniform = rng.uniform(0, SIDE, (_ANOMALIES, 2))
        candidates = rng.uniform(0, SIDE, (4 * _ANOMALIES, 2))
        far = candidates[shape.distance(candidates) > radius_of(0.999)][:_ANOMALIES]
        ticks = np.linspace(0, SIDE, GRID)
        grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        parts = (normal, uniform, far, grid)
        y_grid = shape.distance(grid) > radius_of(0.99)
        return {
            "X": np.concatenate(parts),
            "y": np.concatenate([np.repeat([0, 1, 1], [len(part) for part in parts[:3]]), y_grid]).astype(np.int64),
            "part": np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        }

    def split(
        self, arrays: Mapping[str, NDArray[Any]], *, seed: int, repetition: int, n_train: int, n_test: int
    ) -> Split:
        """Draw training rows, and as many further normal rows as anomalies for each test set but the grid.

        Parameters
        ----------
        arrays, seed, repetition
            As :class:`adbench.Dataset` says; the seed alone draws.
        n_train, n_test
            At most 12,000 together, and at most 4,000 for testing.

        Raises
        ------
        UsageError
            If there are not so many rows.
        """
        if not (2 <= n_train <= _NORMALS - n_test and 1 <= n_test <= _ANOMALIES):
            raise UsageError(
                f"'n_train' must be at least 2, 'n_test' from 1 to {_ANOMALIES:,}, "
                f"and both at most {_NORMALS:,} together; got {n_train:,} and {n_test:,}"
            )
        rng = np.random.default_rng(seed)
        rows = {name: np.flatnonzero(arrays["part"] == number) for number, name in enumerate(_PARTS)}
        normals = rng.permutation(rows["normal"])[: n_train + n_test]
        train, tested = normals[:n_train], normals[n_train:]
        X, y = arrays["X"], arrays["y"]
        mean, deviation = X[train].mean(axis=0), X[train].std(axis=0)

        def scaled(which: NDArray[np.int64]) -> NDArray[np.float64]:
            return (X[which] - mean) / deviation

        def test_set(which: NDArray[np.int64]) -> TestSet:
            return TestSet(X=scaled(which), y=y[which], row_ids=which)

        def mixed(anomalies: NDArray[np.int64]) -> TestSet:
            return test_set(rng.permutation(np.concatenate([tested, rng.permutation(anomalies)[: len(tested)]])))

        tests = {"uniform": mixed(rows["uniform"]), "far": mixed(rows["far"]), "grid": test_set(rows["grid"])}
        return Split(X_train=scaled(train), train_ids=train, tests=tests)
