"""Where data files are on this machine: the cache first, then the user's data folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from adbench.errors import UsageError


@dataclass(frozen=True)
class Finder:
    """Looks for files laid out as upstream has them.

    Parameters
    ----------
    folders
        Searched in this order.
    """

    folders: Sequence[Path]

    @classmethod
    def from_environment(cls, data_dir: str | os.PathLike[str] | None = None) -> Finder:
        """Make a finder over the download cache and ``data_dir`` (or ``ADBENCH_DATA``)."""
        chosen = data_dir or os.environ.get("ADBENCH_DATA") or None
        folders = [downloads_folder()]
        if chosen is not None:
            folder = Path(chosen).expanduser()
            if not folder.is_dir():
                origin = "--data-dir" if data_dir else "ADBENCH_DATA"
                raise UsageError(f"the data folder given by {origin} does not exist: {chosen}")
            folders.append(folder.absolute())
        return cls(tuple(folders))

    def find(self, *names: str) -> Path | None:
        """Return the first existing file among ``names``, paths relative to a data folder.

        Examples
        --------
        >>> Finder(()).find("mnist/train-images-idx3-ubyte.gz") is None
        True
        """
        for folder in self.folders:
            for name in names:
                if (path := folder / name).is_file():
                    return path
        return None


def cache_folder() -> Path:
    """Return the folder for downloads and decoded arrays (``ADBENCH_CACHE`` overrides)."""
    chosen = os.environ.get("ADBENCH_CACHE")
    return (
        Path(chosen).expanduser().absolute()
        if chosen
        else Path(platformdirs.user_cache_dir("adbench", appauthor=False))
    )


def downloads_folder() -> Path:
    """Return the folder that fetched files are kept in, laid out as upstream has them."""
    return cache_folder() / "downloads"


def mirror_address() -> str:
    """Return the base address of the mirror that is asked before upstream, ``ADBENCH_MIRROR``; empty: none."""
    return os.environ.get("ADBENCH_MIRROR", "").strip()


def prepared_folder(fingerprint: str, cache: Path | None = None) -> Path:
    """Return the folder of the decoded arrays with a fingerprint, as ``.npy`` files."""
    return (cache or cache_folder()) / "prepared" / fingerprint
