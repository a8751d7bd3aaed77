"""The datasets: they differ in where the rows come from, and share the protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from adbench import DataMissing, Finder, Found, Split, UsageError, check_checksum
from adbench_tabular.checks import MIN_NORMALS, checked_features, checked_images, checked_labels
from adbench_tabular.images import list_images, read_images
from adbench_tabular.labels import to_binary
from adbench_tabular.readers import read_npz, read_parquet, read_text, to_numbers

_CLASSICAL_FOLDERS = ("adbench_classical", "Classical", "adbench/datasets/Classical")
_CLASSICAL_PAGE = "https://github.com/Minqi824/ADBench/tree/main/adbench/datasets/Classical"


class _Rows:
    """Arrays ``X`` (a table or images) and ``y`` (1 = anomaly), split by one of the shared protocols."""

    def split(
        self,
        arrays: Mapping[str, NDArray[Any]],
        *,
        seed: int,
        repetition: int,
        protocol: Literal["novelty", "outlier", "pyod-6040", "first-half"],
        max_rows: int | None = None,
    ) -> Split:
        """Split the rows by the task's protocol.

        Parameters
        ----------
        arrays, seed, repetition
            As for every dataset. The published protocols use the repetition as their seed.
        protocol
            The task's name.
        max_rows
            At most so many rows, training and test together, drawn by class; None: all. The published
            protocols take what their sources take.
        """
        from adbench_tabular.protocols import PROTOCOLS  # brings scikit-learn, which locate and load can do without

        asked = {} if max_rows is None else {"max_rows": _checked(max_rows, protocol)}
        return PROTOCOLS[protocol](arrays["X"], arrays["y"], seed=seed, repetition=repetition, **asked)


def _checked(max_rows: int, protocol: str) -> int:
    if protocol not in ("novelty", "outlier"):
        raise UsageError(f"'max_rows' is for novelty and outlier: {protocol} takes the rows that its source takes")
    if max_rows <= MIN_NORMALS:
        raise UsageError(f"'max_rows' must be at least {MIN_NORMALS + 1}; got {max_rows}")
    return max_rows


@dataclass(frozen=True)
class ClassicalTable(_Rows):
    """One of ADBench's "Classical" files.

    Parameters
    ----------
    file
        Its official name, such as ``6_cardio.npz``.
    checksum
        What it must have, where it is known.
    """

    file: str
    checksum: str = ""

    def locate(self, finder: Finder) -> Found:
        """Look for the file where ADBench has it, or in ``adbench_classical/``."""
        path = finder.find(*(f"{folder}/{self.file}" for folder in _CLASSICAL_FOLDERS))
        if path is None:
            raise DataMissing(
                f"{self.file} is not on this machine: put it into {_CLASSICAL_FOLDERS[0]}/ of the data folder "
                f"(--data-dir or ADBENCH_DATA), from {_CLASSICAL_PAGE}"
            )
        return Found(files=(path,), note=f"ADBench's {self.file}.")

    def load(self, found: Found) -> dict[str, NDArray[Any]]:
        """Read and check ``X`` and ``y``."""
        (path,) = found.files
        way_out = f"Get {self.file} again from {_CLASSICAL_PAGE}, or read yours with -D 'file:PATH'."
        check_checksum(path, self.checksum, way_out)
        X, y = read_npz(path)
        X = checked_features(path, X)
        return {"X": X, "y": checked_labels(path, y, len(X))}


@dataclass(frozen=True)
class UserFile(_Rows):
    """A user's own file: a table, or an npz of images.

    Parameters
    ----------
    path
        An npz with ``X`` and ``y``, a csv, a tsv or a parquet file.
    label
        The label column; None: the only one with a usual name.
    normal
        The label of normal rows; None: labels are 0 and 1, false and true, or normal and anomaly.
    """

    path: str
    label: str | None = None
    normal: str | None = None

    def locate(self, finder: Finder) -> Found:
        """Look whether the file is still there."""
        return Found(files=(_still_there(self.path),), note="A user's own file.")

    def load(self, found: Found) -> dict[str, NDArray[Any]]:
        """Read and check the features, and turn the labels into 0 and 1."""
        (path,) = found.files
        columns = None
        if path.name.lower().endswith(".npz"):
            X, labels = read_npz(path)
        else:
            read = read_parquet if path.name.lower().endswith(".parquet") else read_text
            features, labels = read(path, self.label)
            X, columns = to_numbers(path, features), list(features.columns)
        X = checked_images(path, X) if X.ndim in (3, 4) else checked_features(path, X, columns)
        y = to_binary(path, labels, self.normal) if labels.ndim == 1 else labels
        return {"X": X, "y": checked_labels(path, y, len(X))}


@dataclass(frozen=True)
class UserImages(_Rows):
    """A user's own folder or archive of images, in class folders.

    Parameters
    ----------
    path
        What holds the class folders, such as ``normal/`` and ``anomaly/``.
    normal
        The folder of normal images, all others hold anomalies; None: ``normal``, beside ``anomaly`` alone.
    size
        Width and height in pixels that images are brought to; None: all have the same already.
    """

    path: str
    normal: str | None = None
    size: tuple[int, int] | None = None

    def locate(self, finder: Finder) -> Found:
        """List a folder's images; their names, sizes and times tell later whether it has changed."""
        path = _still_there(self.path)
        if not path.is_dir():
            return Found(files=(path,), note="A user's own archive of images.")
        listing = list_images(path)
        others = f"; {listing.n_others:,} other file(s) in it are not read" if listing.n_others else ""
        note = f"A user's own folder of {len(listing.names):,} images{others}."
        return Found(files=(path,), note=note, details={"state": listing.state})

    def load(self, found: Found) -> dict[str, NDArray[Any]]:
        """Decode the images, and turn their folders' names into 0 and 1."""
        (path,) = found.files
        X, folders = read_images(path, self.size, found.details.get("state"))
        return {"X": X, "y": checked_labels(path, to_binary(path, folders, self.normal), len(X))}


def _still_there(text: str) -> Path:
    path = Path(text)
    if not path.exists():
        raise DataMissing(f"{path.name} is no longer there: give its address anew with -D 'file:PATH'")
    return path


@dataclass(frozen=True)
class BreastCancer(_Rows):
    """The Wisconsin diagnostic data that come with scikit-learn: 569 rows, 30 features, 212 malignant."""

    def locate(self, finder: Finder) -> Found:
        """Return at once: the data come with scikit-learn."""
        return Found(note="Complete: it comes with scikit-learn.")

    def load(self, found: Found) -> dict[str, NDArray[Any]]:
        """Return the features, and malignant tumours as anomalies."""
        from sklearn.datasets import load_breast_cancer

        X, is_benign = load_breast_cancer(return_X_y=True)
        return {"X": X, "y": 1 - is_benign.astype(np.int64)}
