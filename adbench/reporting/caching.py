"""What is kept of things made of results, as bytes: nobody's only copy, so whatever cannot be read is made anew."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from adbench.finder import cache_folder

_T = TypeVar("_T")


def encoded(value: Any) -> bytes:
    """Return a value as bytes, none if it holds text that no encoding takes, such as a lone surrogate."""
    try:
        return msgspec.msgpack.encode(value)
    except UnicodeEncodeError:
        return b""


def decoded(body: bytes | None, kind: type[_T]) -> _T | None:
    """Read what :func:`encoded` wrote, None if it is something else."""
    try:
        return msgspec.msgpack.decode(body, type=kind) if body else None
    except msgspec.MsgspecError:
        return None


def remembered(what: str, of: str, kind: type[_T], make: Callable[[], _T]) -> _T:
    """Return what ``make`` gives, from this user's cache if it was made before.

    Parameters
    ----------
    what
        Folder in the cache.
    of
        All that the result is a function of, versions of libraries included.
    kind
        Type of the result.
    make
        Called if there is nothing that can be read.
    """
    path = cache_folder() / what / sha256(of.encode(errors="backslashreplace")).hexdigest()
    with contextlib.suppress(OSError):
        if (known := decoded(path.read_bytes(), kind)) is not None:
            return known
    made = make()
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(encoded(made))
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # it is made again next time
    return made
