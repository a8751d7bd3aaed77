"""The file of a bundle: a zip whose members stand in it as they are, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from adbench.bundles import layout
from adbench.bundles.manifest import Member
from adbench.bundles.tables import Unsound
from adbench.errors import UsageError

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_NO_DATE = (1980, 1, 1, 0, 0, 0)


class Container:
    """Members of a bundle's file, read one by one and never unpacked.

    Only plain members of known names that stand uncompressed in the file are accepted: their sizes
    cannot be more than the file's, and no name reaches the file system.

    Raises
    ------
    Unsound
        If there is any other member, or the sizes do not fit.
    OSError, zipfile.BadZipFile
        If the file cannot be read, or is no zip.
    """

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("rb")
        try:
            size = os.fstat(self._file.fileno()).st_size
            if size > layout.MOST_BYTES:
                raise Unsound(f"it has {size:,} bytes, at most {layout.MOST_BYTES:,} are read")
            with zipfile.ZipFile(self._file) as archive:
                members = archive.infolist()
            _check(members, size)
        except BaseException:
            self._file.close()
            raise
        self._members = {member.filename: member for member in members}

    @property
    def names(self) -> set[str]:
        """The members' names."""
        return set(self._members)

    def size(self, name: str) -> int:
        """Return a member's bytes."""
        return self._members[name].file_size

    def read(self, name: str) -> bytes:
        """Return a member; whether it is what it should be, its sha256 tells."""
        member = self._members[name]
        self._file.seek(member.header_offset)
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\3\4":
            raise Unsound(f"{name} is not where the list of members says")
        _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        self._file.seek(name_length + extra_length, os.SEEK_CUR)
        data = self._file.read(member.file_size)
        if len(data) != member.file_size:
            raise Unsound(f"{name} is cut off")
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _check(members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > layout.MOST_MEMBERS:
        raise Unsound(f"it has {len(members):,} members, at most {layout.MOST_MEMBERS:,} are read")
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if not layout.is_member(name):
            why = "a path that leads out of it" if _leads_out(name) else "no part of a bundle"
            raise Unsound(f"it holds {name[:80]!r}, {why}")
        if name in seen:
            raise Unsound(f"it holds {name} twice")
        seen.add(name)
        stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
        if not stored or member.flag_bits & 1:
            raise Unsound(f"{name} is compressed or encrypted by the zip itself")
    # Members may not share bytes either: together they are no larger than the file.
    if sum(member.file_size for member in members) > size:
        raise Unsound("its members claim more bytes than it has")


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name


class ContainerWriter:
    """Takes the members of a new bundle, and remembers size and sha256 of each."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: dict[str, Member] = {}

    def add(self, name: str, data: bytes) -> None:
        """Add a member; the same data give the same file."""
        member = zipfile.ZipInfo(name, _NO_DATE)
        member.create_system, member.external_attr = 3, 0o644 << 16
        self._archive.writestr(member, data)
        self.members[name] = Member(len(data), hashlib.sha256(data).hexdigest())


@contextlib.contextmanager
def writing(path: Path) -> Iterator[ContainerWriter]:
    """Give a writer for a new file that takes its name when all is in it, and is gone if anything fails.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                yield ContainerWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}; give --out") from error
    finally:
        partial.unlink(missing_ok=True)
