"""Draw rows: what every split of images does the same way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw(rows: NDArray[np.integer], size: int | None, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ``size`` of the rows at random, without replacement; all of them, shuffled, if None or too few."""
    n = len(rows) if size is None else min(size, len(rows))
    return rng.choice(rows, size=n, replace=False).astype(np.int64)


def to_unit(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return grey levels 0-255 as float32 in [0, 1]."""
    return images / np.float32(255)
