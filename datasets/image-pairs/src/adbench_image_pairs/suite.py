"""Anomalies that are made, not found: flips, noise, light, blobs, and what an attack starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from adbench_image_pairs import filters
from adbench_image_pairs.filters import Batch

EPSILON = 0.3  # of the attacks


@dataclass(frozen=True)
class Made:
    """How one test set's anomalies come from the normal test images.

    Parameters
    ----------
    make
        From images and a generator to as many anomalies, or to an attack's starting rows.
    direction
        0: no attack; -1: one that lowers the anomaly score; +1: one that raises it.
    clip
        Whether the attacked rows are kept in [0, 1].
    at_images
        Whether the gradient is taken at the normal test images, as the reference does, not at the starting rows.
    """

    make: Callable[[Batch, np.random.Generator], Batch]
    direction: int = 0
    clip: bool = True
    at_images: bool = False


def _uniform(x: Batch, rng: np.random.Generator) -> Batch:
    return rng.random(x.shape, dtype=np.float32)


def _normal(x: Batch, rng: np.random.Generator) -> Batch:
    return rng.standard_normal(x.shape, dtype=np.float32)


def _same(x: Batch, _: np.random.Generator) -> Batch:
    return x


def _unit(x: Batch) -> Batch:
    return np.clip(x, 0, 1)


def blobs(x: Batch, rng: np.random.Generator) -> Batch:
    """Return sparse binary images of a few smooth spots, 2 to 12 % of the pixels, all channels alike.

    They take the place of the reference's private "garbage" images, which are blob-like and of 0 and 1.
    """
    height, width, channels = x.shape[1:]
    images = np.empty((len(x), height, width, 1), np.float32)
    for image in images:
        field = filters.blur(rng.normal(size=(1, height, width)), rng.uniform(1.0, 2.5), mode="wrap")[0]
        darker = round((1 - rng.uniform(0.02, 0.12)) * field.size)
        image[..., 0] = field > np.partition(field, darker, axis=None)[darker]
    return np.repeat(images, channels, axis=-1)


#: Test set -> how it is made. The order is part of the row ids.
MADE = {
    "hflip": Made(lambda x, rng: x[:, :, ::-1]),
    "vflip": Made(lambda x, rng: x[:, ::-1]),
    "uniform-noise": Made(_uniform),
    "normal-noise-clipped": Made(lambda x, rng: _unit(_normal(x, rng))),
    "normal-noise-unclipped": Made(_normal),
    # Clipped, as the reference does: values above 1 would give them away.
    "added-normal-noise": Made(lambda x, rng: _unit(x + np.float32(0.1) * _normal(x, rng))),
    "added-uniform-noise": Made(lambda x, rng: _unit(x + np.float32(0.1) * _uniform(x, rng))),
    "brightened": Made(lambda x, rng: _unit(x + np.float32(0.1))),
    "blobs": Made(blobs),
    # Where images are mapped from [0, 1] to [-1, 1] and these are not, 0 and 1 are what .5 and 1 are mapped to.
    "blobs-raw-scale": Made(lambda x, rng: (1 + blobs(x, rng)) / 2),
    "fgsm-uniform-clipped": Made(_uniform, -1),
    "fgsm-uniform-unclipped": Made(_uniform, -1, clip=False),
    "fgsm-normal-clipped": Made(_normal, -1),
    "fgsm-normal-unclipped": Made(_normal, -1, clip=False),
    "fgsm-input-clipped": Made(_same, +1),
    "fgsm-input-unclipped": Made(_same, +1, clip=False),
    "fgsm-uniform-published": Made(_uniform, -1, clip=False, at_images=True),
    "fgsm-normal-published": Made(_normal, -1, clip=False, at_images=True),
}
PUBLISHED = (
    "hflip",
    "vflip",
    "uniform-noise",
    "normal-noise-clipped",
    "fgsm-uniform-published",
    "fgsm-normal-published",
)
SUITE = tuple(name for name, made in MADE.items() if not made.at_images)
