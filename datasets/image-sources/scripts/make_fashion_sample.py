"""Draw the sample of Fashion-MNIST that this package ships.

Usage: ``python make_fashion_sample.py FOLDER``, a folder with the four official ``.gz`` files, such as
``/usr/share/datasets/fashion-mnist`` of Debian's package ``dataset-fashion-mnist``.
The same images come out at every run.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from adbench_image_sources.idx_sets import FASHION
from adbench_image_sources.standins import FASHION_SAMPLE, N_TEST_PER_CLASS, N_TRAIN_PER_CLASS
from numpy.typing import NDArray

from adbench import Finder


def main(folder: Path) -> None:
    """Write the sample, with the rows of the official files that it holds."""
    official = FASHION.load(replace(FASHION, folders=(folder.name,)).locate(Finder((folder.parent,))))
    rng = np.random.default_rng(2017)
    train_rows = _stratified(official.train_labels, N_TRAIN_PER_CLASS, rng)
    test_rows = _stratified(official.test_labels, N_TEST_PER_CLASS, rng)
    np.savez_compressed(
        FASHION_SAMPLE,
        train=official.train[train_rows, ..., 0],
        train_labels=official.train_labels[train_rows],
        train_rows=train_rows,
        test=official.test[test_rows, ..., 0],
        test_labels=official.test_labels[test_rows],
        test_rows=test_rows,
    )


def _stratified(labels: NDArray[np.uint8], n_per_class: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    rows = [rng.choice(np.flatnonzero(labels == label), n_per_class, replace=False) for label in range(10)]
    return np.sort(np.concatenate(rows)).astype(np.uint16)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
