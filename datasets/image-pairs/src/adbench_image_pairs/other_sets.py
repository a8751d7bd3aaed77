"""Sets that are anomalies only, and only where their files are: SVHN, CIFAR-100, Omniglot and notMNIST."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from adbench_image_sources import remote
from adbench_image_sources.cifar_batches import PICKLED_ARRAYS
from adbench_image_sources.idx import read_idx
from adbench_image_sources.images import AGAIN, OtherSource, damaged
from numpy.typing import NDArray

from adbench import DataMissing, Finder, Found, RemoteFile, check_checksum, read_members, read_pickle, reading


@dataclass(frozen=True)
class OtherSet(OtherSource):
    """The test images of a set, in one official file.

    Parameters
    ----------
    title
        The set's name for readers.
    file
        Where it belongs in a data folder, and its MD5 where one is published.
    elsewhere
        Where else it may lie.
    decode
        Reads it, as uint8 ``(n, height, width, channels)``.
    """

    title: str
    file: RemoteFile
    elsewhere: str
    decode: Callable[[Path], NDArray[np.uint8]]

    def locate(self, finder: Finder) -> Found:
        """Look for the file.

        Raises
        ------
        DataMissing
            If it is not there: these sets have no stand-in.
        """
        if path := finder.find(self.file.path, self.elsewhere):
            what = "the official file" if self.file.checksum else "a file of that name (no checksum is published)"
            return Found(files=(path,), note=f"{self.title}: {what}.")
        raise DataMissing(f"{self.title} is not on this machine: put {self.file.path} into the data folder")

    def load_test(self, found: Found) -> NDArray[np.uint8]:
        """Decode the file, once its checksum is known to be right, where one is published."""
        (path,) = found.files
        check_checksum(path, self.file.checksum, AGAIN)
        with reading(path, "a readable file", AGAIN):
            return self.decode(path)


def _svhn(path: Path) -> NDArray[np.uint8]:
    from scipy.io import loadmat

    return np.ascontiguousarray(loadmat(path, variable_names=["X"])["X"].transpose(3, 0, 1, 2))


def _cifar100(path: Path) -> NDArray[np.uint8]:
    for _, contents in read_members(path, lambda name: name.endswith("/test"), most_bytes=320 << 20, most_members=100):
        rows = read_pickle(path, contents, PICKLED_ARRAYS)[b"data"]
        return np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    raise damaged(path, "a member named test", "none")


def _omniglot(path: Path) -> NDArray[np.uint8]:
    """Return the characters white on black, as MNIST's are, and of its size: they are black on white, 105 x 105."""
    from PIL import Image

    drawings = dict(read_members(path, lambda name: name.endswith(".png"), most_bytes=256 << 20))
    images = [Image.open(io.BytesIO(drawings[name])).convert("L") for name in sorted(drawings)]
    small = [np.asarray(image.resize((28, 28), Image.Resampling.BILINEAR)) for image in images]
    return 255 - np.stack(small)[..., np.newaxis]


def _notmnist(path: Path) -> NDArray[np.uint8]:
    return read_idx(path, (10_000, 28, 28))[..., np.newaxis]


CIFAR100 = OtherSet("CIFAR-100", remote.CIFAR100, "cifar-100-python.tar.gz", _cifar100)
SVHN = OtherSet("SVHN", remote.SVHN, "test_32x32.mat", _svhn)
OMNIGLOT = OtherSet("Omniglot", remote.OMNIGLOT, "omniglot-py/images_evaluation.zip", _omniglot)
NOTMNIST = OtherSet("notMNIST", remote.NOTMNIST, "notmnist/t10k-images-idx3-ubyte", _notmnist)
