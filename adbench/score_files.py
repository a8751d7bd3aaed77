"""Score files: one ``KEY.npz`` a trial, written whole and checked when read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adbench.errors import StoreError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ScoreFiles:
    """A store's folder of score files."""

    folder: Path

    def has(self, key: str) -> bool:
        """Tell whether a trial's file is there."""
        return self._path(key).is_file()

    def keys(self) -> set[str]:
        """Return the keys of all trials that have a file."""
        return {path.stem for path in self.folder.glob("*.npz")}

    def read(self, key: str, sha256: str | None) -> dict[str, NDArray[Any]]:
        """Return a trial's arrays by name.

        Parameters
        ----------
        key
            Of the trial.
        sha256
            What the file must have; None if nothing is known of it.

        Raises
        ------
        StoreError
            If the file is missing, damaged or altered.
        """
        import numpy as np

        path = self._path(key)
        try:
            # NumPy does not close a file that it opened itself and then cannot read.
            with path.open("rb") as opened:
                if sha256 is not None and hashlib.file_digest(opened, "sha256").hexdigest() != sha256:
                    raise ValueError("its sha256 is not the one that was kept")
                opened.seek(0)
                with np.load(opened, allow_pickle=False) as file:
                    return dict(file)
        except FileNotFoundError as error:
            raise StoreError(f"score file {path.name} is missing; 'adbench run' makes it anew") from error
        except Exception as error:
            # A run looks no further than whether the file is there.
            raise StoreError(
                f"score file {path.name} is damaged or altered ({error}): remove it and run again"
            ) from error

    def write(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> str:
        """Write a trial's file, on disk under its final name when this returns, and return its sha256."""
        import numpy as np

        path = self._path(key)
        partial = path.with_suffix(".partial")
        try:
            with partial.open("w+b") as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"score file {path.name} cannot be written: {error.strerror}") from error
        return sha256

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"
