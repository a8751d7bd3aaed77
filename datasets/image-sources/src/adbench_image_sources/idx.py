"""The idx format of MNIST: a header with type and shape, then unsigned bytes."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError

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
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            contents = file.read(n_header + n_values + 1)  # one more shows a file that goes on
    except (EOFError, OSError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error  # without the absolute path
        raise _damaged(path, "a whole, readable file", f"one cut short or damaged ({reason})") from error

    magic = struct.pack(">HBB", 0, _UNSIGNED_BYTE, len(shape))
    if contents[:4] != magic:
        expected = f"an idx file of unsigned bytes in {len(shape)} dimension(s), which begins with {magic.hex()}"
        raise _damaged(path, expected, contents[:4].hex() or "an empty file")
    if len(contents) < n_header:
        raise _damaged(path, f"a header of {n_header} bytes", f"{len(contents)} bytes in all")
    found_shape = struct.unpack(f">{len(shape)}I", contents[4:n_header])
    if found_shape != shape:
        raise _damaged(path, f"shape {_by(shape)}", _by(found_shape))
    if (found := len(contents) - n_header) != n_values:
        amount = f"more than {n_values:,}" if found > n_values else f"{found:,}"
        raise _damaged(path, f"{n_values:,} bytes after the header", amount)
    values = np.frombuffer(contents, dtype=np.uint8, offset=n_header).reshape(shape)
    if values.max() > highest:
        raise _damaged(path, f"values from 0 to {highest}", f"{values.max()}")
    if sha256 and (digest := hashlib.sha256(contents).hexdigest()) != sha256:
        raise _damaged(path, f"the official contents (sha256 {sha256[:12]}...)", f"altered ones ({digest[:12]}...)")
    return values


def _damaged(path: Path, expected: str, found: str) -> DatasetError:
    """Return the error for a file that is not what it should be."""
    return DatasetError.in_file(
        path,
        expected=expected,
        found=found,
        way_out="Get the official file again, or move the set's folder away to use the stand-in.",
    )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{length:,}" for length in shape)
