"""The idx format of MNIST: a header with type and shape, then unsigned bytes."""

from __future__ import annotations

import hashlib
import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adbench import open_binary, reading
from adbench_image_sources.images import AGAIN, damaged

_UNSIGNED_BYTE = 0x08


def read_idx(path: Path, shape: tuple[int, ...], *, highest: int = 255, sha256: str | None = None) -> NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, compressed (``.gz``) or plain.

    Parameters
    ----------
    path
        The file.
    shape
        What the file must hold, for instance ``(60_000, 28, 28)``.
    highest
        The highest value allowed: 9 for labels.
    sha256
        What its contents, uncompressed, must hash to. So a file compressed anew is still the official one.

    Returns
    -------
    ndarray of shape ``shape``
        Read-only.

    Raises
    ------
    DatasetError
        If the file is cut short, damaged, of another type or shape, out of range or altered.
    """
    n_header, n_values = 4 + 4 * len(shape), math.prod(shape)
    with reading(path, "a whole, readable file", AGAIN), open_binary(path) as file:
        contents = file.read(n_header + n_values + 1)  # one more shows a file that goes on

    magic = struct.pack(">HBB", 0, _UNSIGNED_BYTE, len(shape))
    if contents[:4] != magic:
        expected = f"an idx file of unsigned bytes in {len(shape)} dimension(s), which begins with {magic.hex()}"
        raise damaged(path, expected, contents[:4].hex() or "an empty file")
    if len(contents) < n_header:
        raise damaged(path, f"a header of {n_header} bytes", f"{len(contents)} bytes in all")
    found_shape = struct.unpack(f">{len(shape)}I", contents[4:n_header])
    if found_shape != shape:
        raise damaged(path, f"shape {_by(shape)}", _by(found_shape))
    if (found := len(contents) - n_header) != n_values:
        amount = f"more than {n_values:,}" if found > n_values else f"{found:,}"
        raise damaged(path, f"{n_values:,} bytes after the header", amount)
    values = np.frombuffer(contents, dtype=np.uint8, offset=n_header).reshape(shape)
    if values.max() > highest:
        raise damaged(path, f"values from 0 to {highest}", f"{values.max()}")
    if sha256 and (digest := hashlib.sha256(contents).hexdigest()) != sha256:
        raise damaged(path, f"the official contents (sha256 {sha256[:12]}...)", f"altered ones ({digest[:12]}...)")
    return values


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{length:,}" for length in shape)
