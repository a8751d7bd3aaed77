"""The 14 perturbation sequences of ImageNet-P, 30 steps each, as the reference system has them.

A sequence changes an image little by little. The settings are those of the published code for small
images (Tiny ImageNet-P), which the reference system uses on 28 x 28 ones.

References
----------
Hendrycks and Dietterich (2019), Benchmarking neural network robustness to common corruptions and
perturbations, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench_image_pairs import corruptions, filters
from adbench_image_pairs.filters import Batch

N_STEPS = 30


def perturb(x: Batch, kind: str, rng: np.random.Generator) -> Batch:
    """Return a sequence for each image.

    Parameters
    ----------
    x : ndarray of shape (n, height, width, channels)
        In [0, 1].
    kind
        One of :data:`KINDS`.
    rng
        Each image's noise or layer is its own.

    Returns
    -------
    ndarray of shape (n, 30, height, width, channels)
        float32 in [0, 1], of 256 levels.
    """
    return np.stack([corruptions.to_levels(step) for step in KINDS[kind](x, rng)], axis=1)


def _gaussian_noise(x: Batch, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (corruptions.gaussian_noise(x, rng, 0.025 + i / 1000) for i in range(1, N_STEPS + 1))


def _shot_noise(x: Batch, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (corruptions.shot_noise(x, rng, 500 - 5 * i) for i in range(1, N_STEPS + 1))


def _speckle_noise(x: Batch, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (corruptions.speckle_noise(x, rng, 0.05 + i / 1000) for i in range(1, N_STEPS + 1))


def _motion_blur(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (filters.motion_blur(x, 14, 3, 5 * (i - 30)) for i in range(N_STEPS))


def _zoom_blur(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    total = x
    for i in range(1, N_STEPS + 1):
        total = total + filters.zoomed(x, 1 + 0.004 * i)
        yield total / (i + 1)


def _gaussian_blur(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (filters.blur(x, 0.35 + 0.014 * i, truncate=7) for i in range(N_STEPS))


def _snow(x: Batch, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    flakes = filters.snowflakes(x.shape[:3], 0.05, 0.28, 2, 0.5, rng)
    return (filters.snowed(x, filters.motion_blur(flakes, 10, 2.5, 4 * i - 150), 0.85) for i in range(N_STEPS))


def _brightness(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (filters.brightened(x, (i - 15) * 0.02) for i in range(N_STEPS))


def _translate(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (filters.warp(x, np.array([[1, 0, i - 15], [0, 1, 0], [0, 0, 1]])) for i in range(N_STEPS))


def _rotate(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    for angle in np.deg2rad(np.arange(N_STEPS) - 15):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        yield filters.warp(x, filters.about_centre(turn, x))


def _scale(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    return (filters.zoomed(x, (2.5 * i + 40) / 100) for i in range(N_STEPS))


def _shear(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    for angle in np.deg2rad(np.arange(N_STEPS) - 15):
        slant = np.array([[1, -np.sin(angle)], [0, np.cos(angle)]])
        yield filters.warp(x, filters.about_centre(slant, x))


def _tilt(x: Batch, _: np.random.Generator) -> Iterator[NDArray[Any]]:
    """Turn the image in space about both its axes, seen from as far as its diagonal."""
    height, width = x.shape[1:3]
    far = np.hypot(height, width)
    middle_row, middle_col = (height - 1) / 2, (width - 1) / 2
    into_space = np.array([[1, 0, -middle_col], [0, 1, -middle_row], [0, 0, 0], [0, 0, 1]])
    away = np.eye(4)
    away[2, 3] = far
    onto_plane = np.array([[far, 0, middle_col, 0], [0, far, middle_row, 0], [0, 0, 1, 0]])
    for angle in np.deg2rad(np.arange(N_STEPS) - 15):
        cos, sin = np.cos(angle), np.sin(angle)
        about_x = np.array([[1, 0, 0, 0], [0, cos, -sin, 0], [0, sin, cos, 0], [0, 0, 0, 1]])
        about_y = np.array([[cos, 0, -sin, 0], [0, 1, 0, 0], [sin, 0, cos, 0], [0, 0, 0, 1]])
        yield filters.warp(x, onto_plane @ away @ about_x @ about_y @ into_space)


def _spatter(x: Batch, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    """Let drops run down, four fifths of a pixel a step."""
    drops = filters.liquid(x.shape[:3], 0.6, 0.25, 1.75, 0.7, rng)
    for _ in range(N_STEPS):
        yield corruptions.in_colour(x, lambda colour, drops=drops: filters.splashed(colour, drops, 0.6))
        drops = 0.2 * drops + 0.8 * np.pad(drops, ((0, 0), (1, 0), (0, 0)))[:, :-1]


#: Kind -> its 30 steps. The order is part of the row ids.
KINDS: dict[str, Callable[[Batch, np.random.Generator], Iterator[NDArray[Any]]]] = {
    "gaussian-noise": _gaussian_noise,
    "shot-noise": _shot_noise,
    "speckle-noise": _speckle_noise,
    "motion-blur": _motion_blur,
    "zoom-blur": _zoom_blur,
    "gaussian-blur": _gaussian_blur,
    "snow": _snow,
    "brightness": _brightness,
    "translate": _translate,
    "rotate": _rotate,
    "tilt": _tilt,
    "scale": _scale,
    "spatter": _spatter,
    "shear": _shear,
}
