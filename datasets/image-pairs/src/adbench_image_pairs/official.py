"""The official MNIST and Fashion-MNIST: four idx files each, of the same names and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError, Finder
from adbench_image_pairs.idx import read_idx

_SHAPES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}


@dataclass(frozen=True)
class Images:
    """Grey images ``(n, 28, 28)``, uint8, with their class 0-9 ``(n,)``, in a training and a test part."""

    train: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


@dataclass(frozen=True)
class OfficialSet:
    """Where a set's files may lie, and what they must hold.

    Parameters
    ----------
    title
        The set's name for readers.
    folders
        Inside a data folder; the first is the one to recommend.
    page
        Where to get the files.
    sha256
        Of the four files, uncompressed, in the order of the shapes above. Taken from the files whose
        ``.gz`` have the published MD5 sums (the tests hold those).
    """

    title: str
    folders: tuple[str, ...]
    page: str
    sha256: tuple[str, str, str, str]

    def find(self, finder: Finder) -> tuple[Path, ...]:
        """Return the set's four files, or nothing if it is not here.

        Raises
        ------
        DatasetError
            If only some of the four are here.
        """
        paths = {
            stem: finder.find(*(f"{folder}/{stem}{suffix}" for suffix in (".gz", "") for folder in self.folders))
            for stem in _SHAPES
        }
        found = tuple(path for path in paths.values() if path)
        missing = [f"{stem}.gz" for stem, path in paths.items() if not path]
        if found and missing:
            raise DatasetError(
                f"{self.title}: expected four files in {found[0].parent.name}/; missing {', '.join(missing)}. "
                f"Get them from {self.page}, or move the folder away to use the stand-in."
            )
        return found

    def read(self, paths: Sequence[Path]) -> Images:
        """Read the four files that ``find`` gave."""
        return Images(
            *(
                read_idx(path, shape, highest=9 if "labels" in stem else 255, sha256=sha256)
                for path, (stem, shape), sha256 in zip(paths, _SHAPES.items(), self.sha256, strict=True)
            )
        )


MNIST = OfficialSet(
    title="MNIST",
    folders=("mnist", "MNIST/raw"),
    page="https://ossci-datasets.s3.amazonaws.com/mnist/",
    sha256=(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)

FASHION = OfficialSet(
    title="Fashion-MNIST",
    folders=("fashion_mnist", "FashionMNIST/raw"),
    page="https://github.com/zalandoresearch/fashion-mnist",
    sha256=(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
