"""Draw rows: what every split of images does the same way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from adbench import Attack, TestSet, UsageError

#: Images in [0, 1], and their row ids ``(n,)``.
Rows = tuple[NDArray[np.float32], NDArray[np.int64]]


def check_sizes(least: int = 1, /, **sizes: int | None) -> None:
    """Refuse sizes that are too small, by their names; None means all.

    Raises
    ------
    UsageError
        One line: the parameter, what it must be, what it is.
    """
    for name, size in sizes.items():
        if size is not None and size < least:
            raise UsageError(f"{name!r} must be at least {least}; got {size}")


def draw(rows: NDArray[np.integer], size: int | None, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ``size`` of the rows at random, without replacement; all of them, shuffled, if None or too few."""
    n = len(rows) if size is None else min(size, len(rows))
    return rng.choice(rows, size=n, replace=False).astype(np.int64)


def to_unit(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return grey levels 0-255 as float32 in [0, 1]."""
    return images / np.float32(255)


def mixed(normals: Rows, anomalies: Rows, rng: np.random.Generator, attack: Attack | None = None) -> TestSet:
    """Return both in random order, so that a row's place does not tell its class.

    Parameters
    ----------
    normals, anomalies
        Of the same image size.
    rng
        Draws the order.
    attack
        What is done to the anomalies; the rows of its ``at`` go with theirs.
    """
    n = len(normals[0])
    place = rng.permutation(n + len(anomalies[0]))
    # Each row is written to its place: sets are large, and joining them first would take twice the memory.
    X = np.empty((len(place), *normals[0].shape[1:]), np.float32)
    ids = np.empty(len(place), np.int64)
    y = np.zeros(len(place), np.uint8)
    X[place[:n]], X[place[n:]] = normals[0], anomalies[0]
    ids[place[:n]], ids[place[n:]] = normals[1], anomalies[1]
    y[place[n:]] = 1
    if attack and attack.at is not None:
        attack = replace(attack, at=attack.at[np.argsort(place[n:])])
    return TestSet(X, y, ids, attack)
