"""The 19 corruptions of ImageNet-C, at severities 1 to 5, on images of any size, grey or colour.

The settings are those of ImageNet-C's published code, in pixels and for 224 x 224 images; the reference
system uses them unchanged on 28 x 28 images, so they are strong here. Results are rounded to 256 levels,
so that no detector tells an image by its grid of values.

References
----------
Hendrycks and Dietterich (2019), Benchmarking neural network robustness to common corruptions and
perturbations, section 4.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adbench_image_pairs import filters
from adbench_image_pairs.filters import Batch

SEVERITIES = (1, 2, 3, 4, 5)


def corrupt(x: Batch, kind: str, severity: int, rng: np.random.Generator) -> Batch:
    """Return corrupted copies of images.

    Parameters
    ----------
    x : ndarray of shape (n, height, width, channels)
        In [0, 1]; square, with 1 or 3 channels.
    kind
        One of :data:`KINDS`.
    severity
        1 to 5.
    rng
        Each image's noise, angle or texture is its own.

    Returns
    -------
    ndarray of the same shape
        float32 in [0, 1], of 256 levels.
    """
    make, settings = KINDS[kind]
    return to_levels(make(x, rng, *settings[severity - 1]))


def to_levels(x: NDArray[Any]) -> Batch:
    """Clip to [0, 1] and round to 256 levels."""
    return (np.rint(np.clip(x, 0, 1) * 255) / 255).astype(np.float32)


def gaussian_noise(x: Batch, rng: np.random.Generator, spread: float) -> NDArray[Any]:
    """Add normal noise."""
    return x + rng.normal(0, spread, x.shape)


def shot_noise(x: Batch, rng: np.random.Generator, photons: float) -> NDArray[Any]:
    """Count a number of photons, so many where the image is white."""
    return rng.poisson(x * photons) / photons


def speckle_noise(x: Batch, rng: np.random.Generator, spread: float) -> NDArray[Any]:
    """Multiply by normal noise around 1."""
    return x + x * rng.normal(0, spread, x.shape)


def _impulse_noise(x: Batch, rng: np.random.Generator, share: float) -> NDArray[Any]:
    return np.where(rng.random(x.shape) < share, rng.integers(0, 2, x.shape), x)


def _gaussian_blur(x: Batch, _: np.random.Generator, sigma: float) -> NDArray[Any]:
    return filters.blur(x, sigma)


def _defocus_blur(x: Batch, _: np.random.Generator, radius: int, smoothing: float) -> NDArray[Any]:
    return filters.defocus(x, radius, smoothing)


def _glass_blur(x: Batch, rng: np.random.Generator, sigma: float, reach: int, rounds: int) -> NDArray[Any]:
    """Swap each pixel with one nearby, between two blurs."""
    x = filters.blur(x, sigma)
    n, height, width = np.arange(len(x)), *x.shape[1:3]
    for _ in range(rounds):
        for row in range(height - reach, reach, -1):
            for col in range(width - reach, reach, -1):
                down, across = rng.integers(-reach, reach, (2, len(x)))
                there = n, row + down, col + across
                x[n, row, col], x[there] = x[there], x[n, row, col].copy()
    return filters.blur(x, sigma)


def _motion_blur(x: Batch, rng: np.random.Generator, radius: int, sigma: float) -> NDArray[Any]:
    return filters.motion_blur(x, radius, sigma, rng.uniform(-45, 45, len(x)))


def _zoom_blur(x: Batch, _: np.random.Generator, stop: float, step: float) -> NDArray[Any]:
    factors = np.arange(1, stop, step)
    return (x + sum(filters.zoomed(x, factor) for factor in factors)) / (len(factors) + 1)


def _snow(
    x: Batch,
    rng: np.random.Generator,
    mean: float,
    spread: float,
    factor: float,
    least: float,
    radius: int,
    sigma: float,
    kept: float,
) -> NDArray[Any]:
    flakes = filters.snowflakes(x.shape[:3], mean, spread, factor, least, rng)
    fallen = filters.motion_blur(flakes, radius, sigma, rng.uniform(-135, -45, len(x)))
    return filters.snowed(x, fallen, kept)


def _frost(x: Batch, rng: np.random.Generator, kept: float, amount: float) -> NDArray[Any]:
    return kept * x + amount * filters.ice(len(x), x.shape[1], x.shape[-1], rng)


def _fog(x: Batch, rng: np.random.Generator, amount: float, decay: float) -> NDArray[Any]:
    clouds = filters.plasma(len(x), x.shape[1], decay, rng)[..., np.newaxis]
    brightest = x.max(axis=(1, 2, 3), keepdims=True)
    return (x + amount * clouds) * brightest / (brightest + amount)


def _brightness(x: Batch, _: np.random.Generator, amount: float) -> NDArray[Any]:
    return filters.brightened(x, amount)


def _contrast(x: Batch, _: np.random.Generator, factor: float) -> NDArray[Any]:
    mean = x.mean(axis=(1, 2), keepdims=True)
    return (x - mean) * factor + mean


def _saturate(x: Batch, _: np.random.Generator, factor: float, amount: float) -> NDArray[Any]:
    return in_colour(x, lambda colour: filters.saturated(colour, factor, amount))


def _elastic_transform(x: Batch, rng: np.random.Generator, amount: float, sigma: float, corners: float) -> NDArray[Any]:
    """Move three points of the image at random, then every pixel; settings in units of the image's side."""
    n, side = len(x), x.shape[1]
    middle, arm = side // 2, side // 3
    before = middle + arm * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])  # (row, col) of three points
    after = before + rng.uniform(-corners * side, corners * side, (n, 3, 2))
    ones = np.ones((n, 3, 1))
    back = np.linalg.solve(np.concatenate([after, ones], axis=2), np.broadcast_to(before, (n, 3, 2)))  # (n, 3, 2)
    grid = np.stack([*np.indices((side, side)), np.ones((side, side))])  # (3, side, side)
    moves = rng.uniform(-1, 1, (2, n, side, side))
    moves = amount * side * np.stack([filters.blur(move, sigma * side, mode="reflect", truncate=3) for move in moves])
    at = grid[:2, np.newaxis] + moves  # (2, n, side, side)
    places = np.einsum("nij,inyx->jnyx", back, np.concatenate([at, np.ones((1, n, side, side))]))
    return filters.sample(x, *places, mirror=True)


def _pixelate(x: Batch, _: np.random.Generator, share: float) -> NDArray[Any]:
    small = int(x.shape[1] * share)
    size = x.shape[2], x.shape[1]
    return _by_pillow(x, lambda image: image.resize((small, small), Image.Resampling.BOX).resize(size, Image.BOX))


def _jpeg_compression(x: Batch, _: np.random.Generator, quality: int) -> NDArray[Any]:
    def compress(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return _by_pillow(x, compress)


def _spatter(
    x: Batch,
    rng: np.random.Generator,
    mean: float,
    spread: float,
    sigma: float,
    least: float,
    strength: float,
    mud: bool,
) -> NDArray[Any]:
    drops = filters.liquid(x.shape[:3], mean, spread, sigma, least, rng)
    put = filters.muddied if mud else filters.splashed
    return in_colour(x, lambda colour: put(colour, drops, strength))


def in_colour(x: Batch, change: Callable[[Batch], Batch]) -> Batch:
    """Apply a change of colours; grey images become colour images before it and grey ones after."""
    return change(x) if x.shape[-1] == 3 else filters.luma(change(np.repeat(x, 3, axis=-1)))


def _by_pillow(x: Batch, change: Callable[[Image.Image], Image.Image]) -> NDArray[Any]:
    pixels = np.rint(x * 255).astype(np.uint8)
    changed = [np.asarray(change(Image.fromarray(image.squeeze()))) for image in pixels]
    return np.stack(changed).reshape(x.shape) / np.float32(255)


def _each(*values: float) -> tuple[tuple[float, ...], ...]:
    return tuple((value,) for value in values)


#: Kind -> the function and its settings at severities 1 to 5. The order is part of the row ids.
KINDS: dict[str, tuple[Callable[..., NDArray[Any]], tuple[tuple[Any, ...], ...]]] = {
    "gaussian-noise": (gaussian_noise, _each(0.08, 0.12, 0.18, 0.26, 0.38)),
    "shot-noise": (shot_noise, _each(60, 25, 12, 5, 3)),
    "impulse-noise": (_impulse_noise, _each(0.03, 0.06, 0.09, 0.17, 0.27)),
    "speckle-noise": (speckle_noise, _each(0.15, 0.2, 0.35, 0.45, 0.6)),
    "defocus-blur": (_defocus_blur, ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))),
    "glass-blur": (_glass_blur, ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))),
    "motion-blur": (_motion_blur, ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))),
    "zoom-blur": (_zoom_blur, ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))),
    "gaussian-blur": (_gaussian_blur, _each(1, 2, 3, 4, 6)),
    "snow": (
        _snow,
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
    ),
    "frost": (_frost, ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))),
    "fog": (_fog, ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))),
    "brightness": (_brightness, _each(0.1, 0.2, 0.3, 0.4, 0.5)),
    "contrast": (_contrast, _each(0.4, 0.3, 0.2, 0.1, 0.05)),
    "saturate": (_saturate, ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2))),
    "elastic-transform": (
        _elastic_transform,
        ((2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)),
    ),
    "pixelate": (_pixelate, _each(0.6, 0.5, 0.4, 0.3, 0.25)),
    "jpeg-compression": (_jpeg_compression, _each(25, 18, 15, 10, 7)),
    "spatter": (
        _spatter,
        (
            (0.65, 0.3, 4, 0.69, 0.6, False),
            (0.65, 0.3, 3, 0.68, 0.6, False),
            (0.65, 0.3, 2, 0.68, 0.5, False),
            (0.65, 0.3, 1, 0.65, 1.5, True),
            (0.67, 0.4, 1, 0.65, 1.5, True),
        ),
    ),
}
