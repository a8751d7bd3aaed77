"""Reading files from elsewhere without trusting them: archives, pickles and long texts, for dataset plugins.

Nothing is unpacked onto the disk: members are read one by one, so that no path of an archive can
lead anywhere, and each limit holds before the memory is taken.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from adbench.errors import DatasetError, one_line

# What decoders raise on damaged files; RuntimeError is what zipfile says of encrypted members.
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
_CHUNK = 1 << 20
_LONGEST_NAME = 1 << 16
_LONG_NAMES = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
#: File names that :func:`read_members` can read end with one of these.
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
_BINARY = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_AGAIN = "Get the official file again."


@contextmanager
def reading(path: Path, expected: str, way_out: str = _AGAIN) -> Iterator[None]:
    """Turn what decoders raise on a damaged file into one clear line.

    Parameters
    ----------
    path
        The file that is read inside.
    expected
        What it should be.
    way_out
        What the user can do.

    Raises
    ------
    DatasetError
        In place of the decoder's own exception.
    """
    try:
        yield
    except _DAMAGED as error:
        text = getattr(error, "strerror", None) or str(error).replace(f"{path.parent}/", "") or type(error).__name__
        found = f"one cut short or damaged ({one_line(text, 100)})"
        raise DatasetError.in_file(path, expected=expected, found=found, way_out=way_out) from error


def read_members(
    path: Path,
    wanted: Callable[[str], bool] = lambda name: True,
    *,
    most_bytes: int = 4 << 30,
    most_member: int = 512 << 20,
    most_members: int = 500_000,
) -> Iterator[tuple[str, bytes]]:
    """Read the wanted regular files of a zip or tar archive (plain, gz, bz2, xz), in the archive's order.

    Parameters
    ----------
    path
        The archive.
    wanted
        Told a member's name, such as ``gzip/emnist-letters-train-images-idx3-ubyte.gz``.
    most_bytes
        What the members may hold in all, unpacked: those that are skipped count as well in a
        compressed tar, since they must be unpacked to be passed.
    most_member
        What one member may hold: it is read as a whole.
    most_members
        How many there may be.

    Yields
    ------
    tuple of str and bytes
        A member's name and contents.

    Raises
    ------
    DatasetError
        If the archive is damaged, too large, or has a member whose path leads out of it, a link or a device.
    """
    with reading(path, "a whole, readable archive"):
        if zipfile.is_zipfile(path):
            yield from _zip_members(path, wanted, most_bytes, most_member, most_members)
        else:
            yield from _tar_members(path, wanted, most_bytes, most_member, most_members)


def _zip_members(
    path: Path, wanted: Callable[[str], bool], most_bytes: int, most_member: int, most_members: int
) -> Iterator[tuple[str, bytes]]:
    left = most_bytes
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        _check_count(path, len(infos), most_members)
        for info in infos:
            _check_name(path, info.filename)
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise _refused(path, info.filename, "a link")
        for info in infos:
            if not info.is_dir() and wanted(info.filename):
                with archive.open(info) as member:
                    most = min(left, most_member)
                    contents = member.read(most + 1)  # the stated size may lie: what is read is what counts
                if len(contents) > most:
                    raise _too_large(path, most_bytes, most_member)
                left -= len(contents)
                yield info.filename, contents


def _tar_members(
    path: Path, wanted: Callable[[str], bool], most_bytes: int, most_member: int, most_members: int
) -> Iterator[tuple[str, bytes]]:
    left = most_bytes
    # As a stream, so that no member is met twice and a bomb is noticed on the way.
    with tarfile.open(path, "r|*", tarinfo=_BoundedTarInfo) as archive:
        for number, info in enumerate(archive, start=1):
            _check_count(path, number, most_members)
            _check_name(path, info.name)
            if not (info.isfile() or info.isdir()):
                raise _refused(path, info.name, "a link, device or other special member")
            left -= info.size
            is_wanted = info.isfile() and wanted(info.name)
            if left < 0 or (is_wanted and info.size > most_member):
                raise _too_large(path, most_bytes, most_member)
            if is_wanted:
                member = archive.extractfile(info)
                assert member is not None
                yield info.name, member.read()


class _BoundedTarInfo(tarfile.TarInfo):
    """A member whose name is not read into memory however long it is."""

    def _proc_member(self, tarfile_: tarfile.TarFile) -> Any:  # where tarfile reads such names as a whole
        if self.type in _LONG_NAMES and self.size > _LONGEST_NAME:
            raise tarfile.ReadError(f"a name or header of {self.size:,} bytes")
        return super()._proc_member(tarfile_)  # type: ignore[misc]


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacking ``.gz``, ``.bz2`` and ``.xz`` on the way."""
    opened: IO[bytes] = _BINARY.get(path.suffix.lower(), open)(path, "rb")  # type: ignore[operator]
    return opened


def check_text(
    path: Path,
    *,
    most_columns: int = 100_000,
    longest_line: int = 16 << 20,
    most_bytes: int = 8 << 30,
    separator: str = ",",
) -> None:
    """Refuse a text table that no honest table looks like, in bounded memory and before it is parsed.

    Parameters
    ----------
    path
        A csv or tsv file, plain or compressed (``.gz``, ``.bz2``, ``.xz``).
    most_columns
        In the first line.
    longest_line, most_bytes
        Of the unpacked text.
    separator
        Between fields.

    Raises
    ------
    DatasetError
        If the file is beyond a limit, or damaged.
    """
    line = total = 0  # bytes since the last line's end, and in all
    fields = 1
    in_header = True
    with reading(path, "a readable text table", "Save it anew."), open_binary(path) as file:
        while chunk := file.read(_CHUNK):
            total += len(chunk)
            first, newline, rest = chunk.partition(b"\n")
            if in_header:
                while newline and not first.strip() and not line:  # readers pass over empty lines before the header
                    first, newline, rest = rest.partition(b"\n")
                fields += first.count(separator.encode())
                in_header = not newline
            line += len(first)
            if fields > most_columns:
                raise _text_error(path, f"at most {most_columns:,} columns", f"more than {fields - 1:,}")
            if line > longest_line or (len(rest) > longest_line and _longest(rest) > longest_line):
                raise _text_error(path, f"lines of at most {longest_line:,} bytes", "a longer one")
            if total > most_bytes:
                raise _text_error(path, f"at most {most_bytes:,} bytes of text", "more")
            if newline:
                line = len(rest) - rest.rfind(b"\n") - 1


def _longest(text: bytes) -> int:
    return max(map(len, text.split(b"\n")))


def digest_of(path: Path, algorithm: str) -> str:
    """Return a file's ``md5`` or ``sha256``, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def check_checksum(path: Path, checksum: str, way_out: str = _AGAIN) -> None:
    """Refuse a file that does not have its published checksum.

    Parameters
    ----------
    path
        The file.
    checksum
        ``md5:HEX`` or ``sha256:HEX``; empty: nothing is checked.
    way_out
        What the user can do.

    Raises
    ------
    DatasetError
        If it is another file, an altered one or cut short.
    """
    algorithm, _, expected = checksum.partition(":")
    if not expected:
        return
    with reading(path, "a readable file", way_out):
        found = digest_of(path, algorithm)
    if found != expected:
        told = f"another or an altered one ({algorithm} {found[:12]}...)"
        official = f"the official file ({algorithm} {expected[:12]}...)"
        raise DatasetError.in_file(path, expected=official, found=told, way_out=way_out)


def read_pickle(path: Path, contents: bytes, allowed: Collection[tuple[str, str]]) -> Any:
    """Unpickle plain data, admitting only the names that it is known to need.

    Parameters
    ----------
    path
        Where the pickle comes from, for messages.
    contents
        The pickle.
    allowed
        ``(module, name)`` pairs that may be looked up.

    Raises
    ------
    DatasetError
        If it asks for any other name, which could run anything, or is damaged.
    """

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in allowed:
                raise DatasetError.in_file(
                    path,
                    expected="a pickle of plain arrays",
                    found=f"one that asks for {module}.{name}: it could run code and is not read",
                    way_out=_AGAIN,
                )
            return _TAMED[module, name] if (module, name) in _TAMED else super().find_class(module, name)

    try:
        return Unpickler(io.BytesIO(contents), encoding="bytes").load()
    except DatasetError:
        raise
    except Exception as error:  # a damaged pickle raises whatever it likes
        found = f"a damaged one ({type(error).__name__}: {one_line(str(error), 100)})"
        raise DatasetError.in_file(path, expected="a pickle of plain arrays", found=found, way_out=_AGAIN) from error


def _latin1(text: str, encoding: str) -> bytes:
    """Encode as old protocols write bytes; other codecs can make much of little."""
    if encoding != "latin1":
        raise ValueError(f"bytes are encoded as latin1, not {one_line(encoding, 20)}")
    return text.encode("latin1")


def _new_array(kind: object, shape: object, dtype: object) -> Any:
    """Return the empty array that a pickled one is then filled into, whatever size is asked for."""
    import numpy as np

    return np.ndarray.__new__(np.ndarray, (0,), "b")


_TAMED: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _latin1,
    ("numpy", "ndarray"): object(),  # named, never called: a call would give memory as it lies there
    ("numpy.core.multiarray", "_reconstruct"): _new_array,
    ("numpy._core.multiarray", "_reconstruct"): _new_array,
}
"""What stands in for names that plain arrays need, and that could do harm as they are."""


def _check_name(path: Path, name: str) -> None:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in name[:2]:
        raise _refused(path, name, "a path that leads out of the archive")


def _check_count(path: Path, number: int, most: int) -> None:
    if number > most:
        raise DatasetError.in_file(path, expected=f"at most {most:,} members", found="more", way_out=_AGAIN)


def _refused(path: Path, name: str, what: str) -> DatasetError:
    found = f"{what} ({one_line(name, 60)!r})"
    return DatasetError.in_file(path, expected="an archive of plain files", found=found, way_out=_AGAIN)


def _too_large(path: Path, most: int, most_member: int) -> DatasetError:
    expected = f"an archive of at most {most:,} bytes, unpacked, and {min(most, most_member):,} in a member"
    return DatasetError.in_file(path, expected=expected, found="more", way_out=_AGAIN)


def _text_error(path: Path, expected: str, found: str) -> DatasetError:
    return DatasetError.in_file(path, expected=expected, found=found, way_out="Is it the table you meant?")
