"""The tables as datasets: they differ in where the rows come from, and share the protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench import DataMissing, Finder, Found, Split
from adbench_tabular.checks import checked_features, checked_labels
from adbench_tabular.labels import to_binary
from adbench_tabular.readers import read_npz, read_parquet, read_text, to_numbers

_CLASSICAL_FOLDERS = ("adbench_classical", "Classical", "adbench/datasets/Classical")
_CLASSICAL_PAGE = "https://github.com/Minqi824/ADBench/tree/main/adbench/datasets/Classical"


class _Table:
    """Arrays ``X`` (float64) and ``y`` (1 = anomaly), split by one of the shared protocols."""

    def split(
        self, arrays: Mapping[str, NDArray[Any]], *, seed: int, repetition: int, protocol: str, **sizes: int | None
    ) -> Split:
        """Split the rows by the task's protocol."""
        from adbench_tabular.protocols import PROTOCOLS  # brings scikit-learn, which locate and load can do without

        return PROTOCOLS[protocol](arrays["X"], arrays["y"], seed=seed, repetition=repetition, **sizes)


@dataclass(frozen=True)
class ClassicalTable(_Table):
    """One of ADBench's "Classical" files.

    Parameters
    ----------
    file
        Its official name, such as ``6_cardio.npz``.
    """

    file: str

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
        X, y = read_npz(path)
        X = checked_features(path, X)
        return {"X": X, "y": checked_labels(path, y, len(X))}


@dataclass(frozen=True)
class UserTable(_Table):
    """A user's own file.

    Parameters
    ----------
    path
        An npz with ``X`` and ``y``, a csv, a tsv or a parquet file.
    label
        The label column; None: the only one with a usual name.
    normal
        The label of normal rows; None: labels are 0 and 1, or false and true.
    """

    path: str
    label: str | None = None
    normal: str | None = None

    def locate(self, finder: Finder) -> Found:
        """Look whether the file is still there."""
        path = Path(self.path)
        if not path.is_file():
            raise DataMissing(f"{path.name} is no longer there: give its address anew with -D 'file:PATH'")
        return Found(files=(path,), note="A user's own file.")

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
        X = checked_features(path, X, columns)
        y = to_binary(path, labels, self.normal) if labels.ndim == 1 else labels
        return {"X": X, "y": checked_labels(path, y, len(X))}


@dataclass(frozen=True)
class BreastCancer(_Table):
    """The Wisconsin diagnostic data that come with scikit-learn: 569 rows, 30 features, 212 malignant."""

    def locate(self, finder: Finder) -> Found:
        """Return at once: the data come with scikit-learn."""
        return Found(note="Complete: it comes with scikit-learn.")

    def load(self, found: Found) -> dict[str, NDArray[Any]]:
        """Return the features, and malignant tumours as anomalies."""
        from sklearn.datasets import load_breast_cancer

        X, is_benign = load_breast_cancer(return_X_y=True)
        return {"X": X, "y": 1 - is_benign.astype(np.int64)}
