"""The pair as a dataset: each set from its official files, or from its stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from adbench_image_sources import parts
from adbench_image_sources.drawing import Rows, check_sizes, draw, mixed, to_unit
from adbench_image_sources.idx_sets import FASHION, MNIST
from numpy.typing import NDArray

from adbench import Finder, Found, Split

# Row ids number the four parts one after the other, at their official sizes, so that an id means the
# same part in every variant: MNIST training, MNIST test, Fashion-MNIST training, Fashion-MNIST test.
FIRST_ID = {"mnist_train": 0, "mnist_test": 60_000, "fashion_train": 70_000, "fashion_test": 130_000}

_SOURCES = {"mnist": MNIST, "fashion": FASHION}


@dataclass(frozen=True)
class ImagePair:
    """MNIST and Fashion-MNIST, one of them normal and the other the anomaly."""

    def locate(self, finder: Finder) -> Found:
        """Look for the official files of each set; a set without any has its stand-in."""
        return parts.join({name: source.locate(finder) for name, source in _SOURCES.items()})

    def load(self, found: Found) -> dict[str, NDArray[np.uint8]]:
        """Decode the four parts as uint8 ``(n, 28, 28, 1)``: a quarter of the room that float32 would take."""
        arrays = {}
        for name, part in parts.split(found).items():
            images = _SOURCES[name].load(part)
            arrays |= {f"{name}_train": images.train, f"{name}_test": images.test}
        return arrays

    def split(
        self,
        arrays: Mapping[str, NDArray[np.uint8]],
        *,
        seed: int,
        repetition: int,
        normal: Literal["mnist", "fashion"],
        n_train: int | None = None,
        n_test: int | None = None,
        first: bool = False,
        n_of_each_part: int | None = None,
    ) -> Split:
        """Train on one set's training images; test on its test images and as many of the other set's.

        Parameters
        ----------
        arrays, seed, repetition
            As for every dataset; the seed alone draws the rows.
        normal
            ``mnist`` or ``fashion``.
        n_train, n_test
            Training images, and test images of *each* set; None, or more than there are: all of them,
            as long as both sets give equally many test images.
        first
            Test on the first images of each set, as otenim/AnomalyDetectionUsingAutoencoder does.
        n_of_each_part
            Take so many anomalies from the other set's training images and so many from its test images
            instead, as sohamk10/Image-reconstruction-and-Anomaly-detection does.
        """
        check_sizes(n_train=n_train, n_test=n_test, n_of_each_part=n_of_each_part)
        (anomaly,) = _SOURCES.keys() - {normal}
        rng = np.random.default_rng(seed)
        n_smaller = min(len(arrays[f"{normal}_test"]), len(arrays[f"{anomaly}_test"]))
        n_each = n_smaller if n_test is None else min(n_test, n_smaller)

        X_train, train_ids = _draw(arrays, f"{normal}_train", n_train, rng)
        normals = _draw(arrays, f"{normal}_test", n_each, rng, first=first)
        if n_of_each_part is None:
            anomalies = _draw(arrays, f"{anomaly}_test", n_each, rng, first=first)
        else:
            drawn = [_draw(arrays, f"{anomaly}_{part}", n_of_each_part, rng) for part in ("train", "test")]
            anomalies = np.concatenate([X for X, _ in drawn]), np.concatenate([ids for _, ids in drawn])
        return Split(X_train=X_train, train_ids=train_ids, tests={"test": mixed(normals, anomalies, rng)})


def _draw(
    arrays: Mapping[str, NDArray[np.uint8]],
    part: str,
    size: int | None,
    rng: np.random.Generator,
    *,
    first: bool = False,
) -> Rows:
    """Return ``size`` random or first images of a part (all if None), in [0, 1], and their row ids."""
    rows = np.arange(len(arrays[part]))
    rows = rows[:size] if first else draw(rows, size, rng)
    return to_unit(arrays[part][rows]), rows + FIRST_ID[part]
