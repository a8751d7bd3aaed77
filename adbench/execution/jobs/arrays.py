"""Arrays as files: memory-mapped on reading, so that processes share them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read(path: Path, *, writable: bool = False) -> NDArray[Any]:
    """Map an ``.npy`` file.

    Parameters
    ----------
    path
        The file.
    writable
        Give private, writable pages: what is written stays in this process. Plugins get these, since
        much native code refuses read-only arrays.
    """
    return np.asarray(np.load(path, mmap_mode="c" if writable else "r", allow_pickle=False))


def write_folder(folder: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write arrays and ``facts.json`` into a new folder, whole or not at all; an existing one stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        (partial / "facts.json").write_text(json.dumps(facts, allow_nan=False), encoding="utf-8")
        if not (folder / "facts.json").exists():
            shutil.rmtree(folder, ignore_errors=True)  # half removed by somebody: of no use
        partial.rename(folder)
    except OSError:
        # Another process made the same folder first: contents are a function of the name.
        if not (folder / "facts.json").exists():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_folder(folder: Path) -> dict[str, NDArray[Any]]:
    """Map the arrays that a folder's facts name; damaged ones are none."""
    try:
        return {name: read(folder / f"{name}.npy") for name in read_facts(folder)["names"]}
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return {}


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the facts beside a folder's arrays."""
    facts: dict[str, Any] = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return facts


def fingerprint(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the sha256 of named arrays: names, types, shapes and values, in the order of names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {little.dtype.str} {little.shape}\n".encode())
        digest.update(little.data.cast("B") if little.size else b"")
    return digest.hexdigest()
