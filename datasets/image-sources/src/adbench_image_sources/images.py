"""What every source gives, and what a source is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adbench import Finder, Found


@dataclass(frozen=True)
class Images:
    """Images ``(n, height, width, channels)``, uint8, with their class ``(n,)``, in a training and a test part.

    Either part may be empty: partial copies exist.
    """

    train: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


class Source(Protocol):
    """One set of images, wherever it comes from."""

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

    def load(self, found: Found) -> Images:
        """Decode what ``locate`` found.

        Raises
        ------
        DatasetError
            One line: the file, what was expected, what was found.
        """
        ...
