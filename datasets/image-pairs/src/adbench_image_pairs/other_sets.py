"""Sets that are anomalies only, and only where their files are: SVHN, CIFAR-100, Omniglot and notMNIST."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from adbench_image_sources.idx import read_idx
from numpy.typing import NDArray

from adbench import DataMissing, DatasetError, Finder, Found, read_members, read_pickle

# What numpy's arrays ask for, pickled by numpy 1 and 2.
_ARRAYS = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


@dataclass(frozen=True)
class TestImages:
    """The test images of a set, in one official file.

    Parameters
    ----------
    title
        The set's name for readers.
    names
        Where the file may lie in a data folder.
    decode
        Reads it, as uint8 ``(n, height, width, channels)``.
    md5
        What torchvision says of the file; empty where it says nothing.
    """

    __test__ = False  # not a test class, whatever pytest makes of the name

    title: str
    names: tuple[str, ...]
    decode: Callable[[Path], NDArray[np.uint8]]
    md5: str = ""

    def locate(self, finder: Finder) -> Found:
        """Look for the file.

        Raises
        ------
        DataMissing
            If it is not there: these sets have no stand-in.
        """
        if path := finder.find(*self.names):
            return Found(files=(path,), note=f"{self.title}: the official file.")
        raise DataMissing(f"{self.title} is not on this machine: put {self.names[0]} into the data folder")

    def load(self, found: Found) -> NDArray[np.uint8]:
        """Decode the file, once it is known to be the official one."""
        (path,) = found.files
        try:
            if self.md5:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
                if digest != self.md5:
                    raise _wrong(path, f"the official file (md5 {self.md5[:12]}...)", f"another ({digest[:12]}...)")
            return self.decode(path)
        except OSError as error:
            raise _wrong(path, "a readable file", f"one that is not ({error.strerror or error})") from error


def _svhn(path: Path) -> NDArray[np.uint8]:
    from scipy.io import loadmat

    return np.ascontiguousarray(loadmat(path, variable_names=["X"])["X"].transpose(3, 0, 1, 2))


def _cifar100(path: Path) -> NDArray[np.uint8]:
    for _, contents in read_members(path, lambda name: name.endswith("/test"), most_bytes=320 << 20, most_members=100):
        rows = read_pickle(path, contents, _ARRAYS)[b"data"]
        return np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    raise _wrong(path, "a member named test", "none")


def _omniglot(path: Path) -> NDArray[np.uint8]:
    """Return the characters white on black, as MNIST's are, and of its size: they are black on white, 105 x 105."""
    from PIL import Image

    drawings = dict(read_members(path, lambda name: name.endswith(".png"), most_bytes=256 << 20))
    images = [Image.open(io.BytesIO(drawings[name])).convert("L") for name in sorted(drawings)]
    small = [np.asarray(image.resize((28, 28), Image.Resampling.BILINEAR)) for image in images]
    return 255 - np.stack(small)[..., np.newaxis]


def _notmnist(path: Path) -> NDArray[np.uint8]:
    return read_idx(path, (10_000, 28, 28))[..., np.newaxis]


def _wrong(path: Path, expected: str, found: str) -> DatasetError:
    way_out = "Get the official file again, or move it away to do without this set."
    return DatasetError.in_file(path, expected=expected, found=found, way_out=way_out)


SVHN = TestImages("SVHN", ("svhn/test_32x32.mat", "test_32x32.mat"), _svhn, md5="eb5a983be6a315427106f1b164d9cef3")
CIFAR100 = TestImages(
    "CIFAR-100",
    ("cifar100/cifar-100-python.tar.gz", "cifar-100-python.tar.gz"),
    _cifar100,
    md5="eb9058c3a382ffc7106e4002c42a8d85",
)
OMNIGLOT = TestImages(
    "Omniglot",
    ("omniglot/images_evaluation.zip", "omniglot-py/images_evaluation.zip"),
    _omniglot,
    md5="6b91aef0f799c5bb55b94e3f2daec811",
)
NOTMNIST = TestImages("notMNIST", ("notmnist/t10k-images-idx3-ubyte.gz", "notmnist/t10k-images-idx3-ubyte"), _notmnist)
