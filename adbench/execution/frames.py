"""Framed JSON, the language between coordinator, host and child: a length in four bytes, then UTF-8."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct(">I")
#: No message is larger; a length beyond it is garbage from a process that wrote what it should not.
MAX_BYTES = 2**24


def encode(message: Any) -> bytes:
    """Return the frame of a JSON value."""
    body = json.dumps(message).encode()
    return _LENGTH.pack(len(body)) + body


def write(fd: int, message: Any) -> None:
    """Write one frame to a file descriptor."""
    data = memoryview(encode(message))
    while data:
        data = data[os.write(fd, data) :]


class Decoder:
    """Turns chunks of bytes into messages, however they were cut.

    Examples
    --------
    >>> decoder = Decoder()
    >>> list(decoder.feed(encode({"a": 1})[:5])), list(decoder.feed(encode({"a": 1})[5:]))
    ([], [{'a': 1}])
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Add bytes and yield every message that is now complete.

        Raises
        ------
        ValueError
            If the bytes are no frames.
        """
        self._buffer += chunk
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_BYTES:
                raise ValueError(f"a frame of {length} bytes")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield json.loads(body)
