"""What every source gives, what a source is, and what is said of a damaged one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError, Finder, Found

STAND_IN = "standin"
"""The variant of what takes a set's place where its files are not."""
AGAIN = "Get it again, or move the set away to do without it."


def damaged(path: PurePath, expected: str, found: str) -> DatasetError:
    """Return the error for a file that is not what it should be."""
    return DatasetError.in_file(path, expected=expected, found=found, way_out=AGAIN)


@dataclass(frozen=True)
class Images:
    """Images ``(n, height, width, channels)``, uint8, with their class ``(n,)``, in a training and a test part.

    Either part may be empty: partial copies exist.
    """

    train: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


class OtherSource(Protocol):
    """One set of images, wherever it comes from, of which at least the test images are known."""

    title: str

    def locate(self, finder: Finder) -> Found:
        """Say what is here: the official files, a partial copy or a stand-in.

        Raises
        ------
        DataMissing
            If there is nothing and no stand-in.
        DatasetError
            If some of the files are here and others missing.
        """
        ...

    def load_test(self, found: Found) -> NDArray[np.uint8]:
        """Decode the test images of what ``locate`` found, ``(n, height, width, channels)``.

        Raises
        ------
        DatasetError
            One line: the file, what was expected, what was found.
        """
        ...


class Source(OtherSource, Protocol):
    """One set of images with its classes, for training and for testing."""

    def load(self, found: Found) -> Images:
        """Decode what ``locate`` found.

        Raises
        ------
        DatasetError
            One line: the file, what was expected, what was found.
        """
        ...

    def load_test(self, found: Found) -> NDArray[np.uint8]:
        """Decode the test images alone."""
        return self.load(found).test

    def describe(self, found: Found, images: Images) -> Found:
        """Return what was found with the variant and note that the decoded images call for: mostly as it is."""
        return found
