"""One class of CIFAR-10 against the other nine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from adbench_image_sources.cifar import CIFAR10
from adbench_image_sources.cifar_classes import CLASSES, ClassName
from adbench_image_sources.drawing import check_sizes, draw, mixed, to_unit
from adbench_image_sources.images import Images
from numpy.typing import NDArray

from adbench import Finder, Found, Split

# Row ids: training images from 0, test images from here, in every variant.
FIRST_TEST_ID = 50_000


@dataclass(frozen=True)
class OneClass:
    """CIFAR-10, in whichever form is here, for novelty detection."""

    def locate(self, finder: Finder) -> Found:
        """Look for the official batches, class folders of pictures, or the stand-in."""
        return CIFAR10.locate(finder)

    def load(self, found: Found) -> dict[str, NDArray[np.uint8]]:
        """Decode images ``(n, 32, 32, 3)`` and labels ``(n,)``, for training and for testing."""
        return asdict(CIFAR10.load(found))

    def describe(self, found: Found, arrays: Mapping[str, NDArray[np.uint8]]) -> Found:
        """Name the variant by the images that are there."""
        return CIFAR10.describe(found, Images(**arrays))

    def split(
        self,
        arrays: Mapping[str, NDArray[np.uint8]],
        *,
        seed: int,
        repetition: int,
        normal: ClassName,
        n_train: int | None = None,
        n_normal: int | None = None,
        n_anomaly: int | None = None,
    ) -> Split:
        """Train on one class's training images; test on its test images and on those of the other nine.

        Parameters
        ----------
        arrays, seed, repetition
            As for every dataset; the seed alone draws the rows.
        normal
            The normal class, for instance ``cat``.
        n_train, n_normal, n_anomaly
            Training images, normal test images, and anomalies from the other classes' test images; None,
            or more than there are: all of them.
        """
        check_sizes(n_train=n_train, n_normal=n_normal, n_anomaly=n_anomaly)
        label = CLASSES.index(normal)
        rng = np.random.default_rng(seed)
        is_normal = arrays["test_labels"] == label
        train = draw(np.flatnonzero(arrays["train_labels"] == label), n_train, rng)
        normals, anomalies = (
            draw(np.flatnonzero(chosen), size, rng) for chosen, size in ((is_normal, n_normal), (~is_normal, n_anomaly))
        )
        test = mixed(*((to_unit(arrays["test"][rows]), rows + FIRST_TEST_ID) for rows in (normals, anomalies)), rng)
        return Split(X_train=to_unit(arrays["train"][train]), train_ids=train, tests={"test": test})
