"""What is kept of things made of results, as bytes: nobody's only copy, so whatever cannot be read is made anew."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

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
