"""What corruptions and perturbations are made of: blurs, warps, layers of weather, and colour.

Everything works on a batch, float ``(n, height, width, channels)`` with values around [0, 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Batch = NDArray[np.float32]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_WATER = np.array([175, 238, 238], np.float32) / 255  # pale turquoise
_MUD = np.array([63, 42, 20], np.float32) / 255


def luma(x: Batch) -> Batch:
    """Return the brightness as it is seen, ``(n, height, width, 1)``."""
    return x if x.shape[-1] == 1 else (x @ _LUMA)[..., np.newaxis]


def blur(x: NDArray[Any], sigma: float, *, mode: str = "nearest", truncate: float = 4.0) -> NDArray[Any]:
    """Blur each image, or each layer ``(n, height, width)``, by a Gaussian of ``sigma`` pixels."""
    return ndimage.gaussian_filter(x, (0, sigma, sigma, 0)[: x.ndim], mode=mode, truncate=truncate)


def defocus(x: Batch, radius: int, smoothing: float) -> Batch:
    """Blur each image by a disk of ``radius`` pixels, its rim smoothed."""
    reach = max(8, radius)
    grid = np.arange(-reach, reach + 1)
    disk = (grid[:, None] ** 2 + grid**2 <= radius**2).astype(np.float32)
    kernel = ndimage.gaussian_filter(disk / disk.sum(), smoothing)
    return ndimage.correlate(x, kernel[np.newaxis, :, :, np.newaxis], mode="mirror")


def motion_blur(x: NDArray[Any], radius: int, sigma: float, degrees: NDArray[Any] | float) -> NDArray[Any]:
    """Blur each image, or layer ``(n, height, width)``, along a line: half a Gaussian, at an angle for each image."""
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights = (weights / weights.sum()).astype(np.float32)
    angles = np.broadcast_to(np.deg2rad(degrees), len(x))[:, np.newaxis]
    height, width = x.shape[1:3]
    blurred = np.zeros_like(x)
    for step, weight in zip(steps, weights, strict=True):
        rows = np.arange(height) + np.ceil(step * np.sin(angles) - 0.5).astype(int)  # (n, height)
        cols = np.arange(width) + np.ceil(step * np.cos(angles) - 0.5).astype(int)  # (n, width)
        rows, cols = rows.clip(0, height - 1)[:, :, np.newaxis], cols.clip(0, width - 1)[:, np.newaxis]
        blurred += weight * _pixels(x, rows, cols)
    return blurred


def sample(x: NDArray[Any], rows: NDArray[Any], cols: NDArray[Any], *, mirror: bool = False) -> NDArray[Any]:
    """Read each image, or layer, at places between its pixels (bilinear).

    Parameters
    ----------
    rows, cols : ndarray of shape (height, width) or (n, height, width)
        Where, in pixels.
    mirror
        What lies outside: the image mirrored, or black.
    """
    height, width = x.shape[1:3]
    if mirror:
        rows, cols = _mirrored(rows, height), _mirrored(cols, width)
    else:
        x = np.pad(x, ((0, 0), (1, 1), (1, 1), *[(0, 0)] * (x.ndim - 3)))
        rows, cols = np.clip(rows + 1, 0, height + 1), np.clip(cols + 1, 0, width + 1)
    top, left = np.floor(rows).astype(int), np.floor(cols).astype(int)
    bottom, right = np.minimum(top + 1, x.shape[1] - 1), np.minimum(left + 1, x.shape[2] - 1)
    down, across = (rows - top).astype(x.dtype), (cols - left).astype(x.dtype)
    if x.ndim == 4:
        down, across = down[..., np.newaxis], across[..., np.newaxis]
    upper = _pixels(x, top, left) * (1 - across) + _pixels(x, top, right) * across
    lower = _pixels(x, bottom, left) * (1 - across) + _pixels(x, bottom, right) * across
    return upper * (1 - down) + lower * down


def _pixels(x: NDArray[Any], rows: NDArray[Any], cols: NDArray[Any]) -> NDArray[Any]:
    """Return ``x[n, rows, cols]`` for each image n, by one flat index: in colour that takes a third of the time."""
    height, width = x.shape[1:3]
    n = np.arange(len(x))[:, np.newaxis, np.newaxis]
    return x.reshape(-1, *x.shape[3:]).take((n * height + rows) * width + cols, axis=0)


def _mirrored(at: NDArray[Any], length: int) -> NDArray[Any]:
    return length - 1 - np.abs(np.mod(at, 2 * (length - 1)) - (length - 1))


def warp(x: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """Move each pixel from ``(col, row, 1)`` to ``matrix @ (col, row, 1)``, in pixels; what comes in is black."""
    rows, cols = np.indices(x.shape[1:3])
    source = np.einsum("ij,jyx->iyx", np.linalg.inv(matrix), np.stack([cols, rows, np.ones_like(rows)]))
    return sample(x, source[1] / source[2], source[0] / source[2])


def about_centre(matrix: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """Return a 2 x 2 matrix as a 3 x 3 one that keeps the images' centre where it is."""
    centre = (np.array(x.shape[2:0:-1]) - 1) / 2
    whole = np.eye(3)
    whole[:2, :2], whole[:2, 2] = matrix, centre - matrix @ centre
    return whole


def zoomed(x: NDArray[Any], factor: float) -> NDArray[Any]:
    """Return the middle of each image, or layer, ``factor`` times as large."""
    return warp(x, about_centre(np.eye(2) * factor, x))


def brightened(x: Batch, amount: float) -> Batch:
    """Add to each pixel's HSV value, keeping hue and saturation."""
    value = x.max(axis=-1, keepdims=True)
    brighter = np.clip(value + amount, 0, 1)
    return np.where(value > 0, x * (brighter / np.where(value > 0, value, 1)), brighter)


def saturated(x: Batch, factor: float, amount: float) -> Batch:
    """Multiply and raise each pixel's HSV saturation; what has no hue becomes reddish, hue 0 being red."""
    value = x.max(axis=-1, keepdims=True)
    # How far each channel lies below the value, from 0 to 1; its maximum is the saturation.
    below = 1 - x / np.where(value > 0, value, 1)
    saturation = np.where(value > 0, below.max(axis=-1, keepdims=True), 0)
    red = np.array([0, 1, 1], x.dtype)
    direction = np.where(saturation > 0, below / np.where(saturation > 0, saturation, 1), red)
    return value * (1 - direction * np.clip(saturation * factor + amount, 0, 1))


def plasma(n: int, side: int, decay: float, rng: np.random.Generator) -> Batch:
    """Return ``(n, side, side)`` clouds from 0 to 1 by the diamond-square algorithm, on a torus."""
    size = 1 << (side - 1).bit_length()
    clouds = np.zeros((n, size, size))
    step, wobble = size, 100.0
    while step >= 2:
        half = step // 2
        corners = clouds[:, ::step, ::step]
        squares = corners + np.roll(corners, -1, 1) + np.roll(corners, -1, 2) + np.roll(corners, (-1, -1), (1, 2))
        middles = clouds[:, half::step, half::step] = _wobbled(squares, wobble, rng)
        tops = middles + np.roll(middles, 1, 1) + corners + np.roll(corners, -1, 2)
        clouds[:, ::step, half::step] = _wobbled(tops, wobble, rng)
        sides = middles + np.roll(middles, 1, 2) + corners + np.roll(corners, -1, 1)
        clouds[:, half::step, ::step] = _wobbled(sides, wobble, rng)
        step, wobble = half, wobble / decay
    clouds -= clouds.min(axis=(1, 2), keepdims=True)
    return (clouds / clouds.max(axis=(1, 2), keepdims=True))[:, :side, :side].astype(np.float32)


def _wobbled(total: NDArray[Any], wobble: float, rng: np.random.Generator) -> NDArray[Any]:
    # The published code multiplies by the wobble twice, and its table of decays is tuned to that.
    return total / 4 + wobble * rng.uniform(-wobble, wobble, total.shape)


def ice(n: int, side: int, channels: int, rng: np.random.Generator) -> Batch:
    """Return ``(n, side, side, channels)`` textures of frost: bright needles on a bluish ground.

    The published corruption blends in photographs of frost. These are drawn instead, with what crops of
    the photographs have: a mean between .35 and .8, a spread within a crop of about .1, a blue tint.
    """
    needles = np.stack([blur(rng.normal(size=(n, side, side)), sigma) for sigma in (0.6, 1.2, 2.4)])
    needles /= needles.std(axis=(2, 3), keepdims=True)
    ridges = 1 - np.abs(needles).mean(axis=0)  # sharp where the noises cross 0
    ridges = (ridges - ridges.mean(axis=(1, 2), keepdims=True)) / ridges.std(axis=(1, 2), keepdims=True)
    level = rng.uniform(0.35, 0.8, (n, 1, 1))
    grey = (level + 0.1 * ridges)[..., np.newaxis].astype(np.float32)
    tint = np.array([0.88, 1.0, 1.07], np.float32) if channels == 3 else np.ones(1, np.float32)
    return np.clip(grey * tint, 0, 1)


def snowflakes(
    shape: tuple[int, ...], mean: float, spread: float, factor: float, least: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return layers ``(n, height, width)`` of sparse flakes, before they fall."""
    layer = zoomed(rng.normal(mean, spread, shape).astype(np.float32), factor)
    return np.where(layer < least, 0, layer).clip(0, 1)


def snowed(x: Batch, flakes: NDArray[np.float32], kept: float) -> Batch:
    """Lay fallen flakes on images whose colours have paled, all but a share that is ``kept``."""
    pale = kept * x + (1 - kept) * np.maximum(x, luma(x) * 1.5 + 0.5)
    return pale + (flakes + flakes[:, ::-1, ::-1])[..., np.newaxis]


def liquid(
    shape: tuple[int, ...], mean: float, spread: float, sigma: float, least: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return layers ``(n, height, width)`` of drops; where a layer has none, it is drawn anew.

    At the published settings that is one small image in fifty, where the published code divides by zero.
    """
    layers = np.zeros(shape)
    while (dry := np.flatnonzero(~layers.any(axis=(1, 2)))).size:
        drawn = blur(rng.normal(mean, spread, (len(dry), *shape[1:])), sigma)
        layers[dry] = np.where(drawn < least, 0, drawn)
    return layers


def splashed(x: Batch, drops: NDArray[np.float64], strength: float) -> Batch:
    """Add drops of water, shaded by their depth, to colour images."""
    shaded = np.stack([layer * np.maximum(_depth(layer > 0), 1) for layer in drops])  # none is all shadow
    most = shaded.max(axis=(1, 2), keepdims=True)
    water = strength * shaded / np.where(most > 0, most, 1)
    return x + water[..., np.newaxis].astype(np.float32) * _WATER


def muddied(x: Batch, drops: NDArray[np.float64], sigma: float) -> Batch:
    """Cover the thick parts of drops with mud, on colour images."""
    thick = blur((drops > 0).astype(np.float32), sigma)
    thick = np.where(thick < 0.8, 0, thick)[..., np.newaxis]
    return x * (1 - thick) + _MUD * thick


def _depth(wet: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the relief of one layer: distance from the drops' outline, equalised, lit from one side, smoothed."""
    outline = wet ^ ndimage.binary_erosion(wet)
    distance = ndimage.distance_transform_edt(~outline) if outline.any() else np.zeros(wet.shape)
    levels = ndimage.uniform_filter(np.minimum(distance, 20), 3, mode="mirror").astype(int)
    share = np.cumsum(np.bincount(levels.ravel()))
    lowest = share[levels.min()]
    equalised = 255 * (share - lowest) / max(wet.size - lowest, 1)
    light = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    relief = ndimage.correlate(equalised[levels], light, mode="mirror").clip(0, 255)
    return ndimage.uniform_filter(relief, 3, mode="mirror")
