"""Fetching: which sources a file has, in which order, and how it gets to its place."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

import pooch

from adbench.downloads import kaggle
from adbench.downloads.failures import SourceFailed
from adbench.downloads.http import Patience, Resuming
from adbench.downloads.watch import Watch
from adbench.errors import DataMissing, DatasetError, UsageError, one_line
from adbench.finder import downloads_folder
from adbench.specs import RemoteFile

#: For a mirror that nobody asked to wait for.
_ASIDE = Patience(tries=2, pause=0.5, longest_pause=5, timeout=10)


@dataclass(frozen=True)
class Brought:
    """A file that is now in its place.

    Parameters
    ----------
    file
        What it is.
    source
        The address that gave it.
    size
        Bytes.
    """

    file: RemoteFile
    source: str
    size: int


class FetchFailed(DataMissing):
    """A file that no source gave; the line names each of them, and why.

    Parameters
    ----------
    file
        What was wanted.
    failures
        Address and reason of each source, in the order they were asked.
    """

    def __init__(self, file: RemoteFile, failures: Sequence[tuple[str, SourceFailed]]) -> None:
        self.file = file
        self.failures = tuple(failures)
        told = "; ".join(f"{shown(source)}: {failure.reason}" for source, failure in failures)
        super().__init__(f"{file.path} could not be fetched: {told or 'no address is known'}")


@dataclass
class Fetcher:
    """Brings files into a folder of downloads.

    A file is downloaded beside its place (in ``.partial/``), held against its checksum, and moved to
    its place when all files of its folder that were asked for are there: nothing ever reads half of a
    file, or half of a set of files that belong together.

    Parameters
    ----------
    folder
        Where ``RemoteFile.path`` begins.
    mirror
        Base address that is asked first, for ``MIRROR/<path>``; empty: none.
    upstream
        Whether the files' own addresses are asked as well.
    patience
        For sources that fail.
    watch
        Who is told.

    Raises
    ------
    UsageError
        If the mirror is no http or https address.
    """

    folder: Path
    mirror: str = ""
    upstream: bool = True
    patience: Patience = field(default_factory=Patience)
    watch: Watch = field(default_factory=Watch)
    _silent: dict[str, SourceFailed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            address = urlsplit(self.mirror)
            is_address = address.scheme in ("http", "https") and bool(address.hostname)
        except ValueError:
            is_address = False
        if self.mirror and not is_address:
            raise UsageError(f"ADBENCH_MIRROR must be an http or https address; got {shown(self.mirror)!r}")

    def bring(self, files: Sequence[RemoteFile], *, force: bool = False) -> list[Brought]:
        """Bring files that lie in one folder (see :func:`by_folder`), all of them or none.

        Parameters
        ----------
        files
            Those that are wanted.
        force
            Bring them even if they are in their place.

        Raises
        ------
        FetchFailed
            If no source gives one of them. What came is kept for the next time.
        DatasetError
            If it cannot be written here.
        """
        inside = PurePosixPath(files[0].path).parent
        staging = self.folder / ".partial" / inside
        try:
            staging.mkdir(parents=True, exist_ok=True)
            with self._alone(staging / ".lock", str(inside)):
                # Another fetch may have brought them while this one waited.
                wanted = [file for file in files if force or not (self.folder / file.path).is_file()]
                brought = [self._stage(file, staging) for file in wanted]
                (self.folder / inside).mkdir(parents=True, exist_ok=True)
                for file in wanted:
                    (staging / _name(file)).replace(self.folder / file.path)
        except OSError as error:
            reason = error.strerror or one_line(str(error), 200)
            raise DatasetError(
                f"{inside}/ cannot be fetched into {self.folder}: {reason}. What came is kept and gone on from; "
                "ADBENCH_CACHE names another folder"
            ) from error
        return brought

    def _stage(self, file: RemoteFile, staging: Path) -> Brought:
        """Get one file from the first source that gives it, checked, but not to its place yet."""
        failures = []
        for source in self._sources(file):
            host = source.partition("//")[2].partition("/")[0]
            try:
                if host in self._silent:  # nor would it answer now
                    raise self._silent[host]
                size = self._get(source, file, staging)
                self.watch.brought(file.path, shown(source), size)
                return Brought(file, source, size)
            except SourceFailed as failure:
                if failure.unreachable:
                    self._silent[host] = failure
                failures.append((source, failure))
        raise FetchFailed(file, failures)

    def _sources(self, file: RemoteFile) -> list[str]:
        mirrored = [f"{self.mirror.rstrip('/')}/{quote(file.path)}"] if self.mirror else []
        return [*mirrored, *(file.urls if self.upstream else ())]

    def _get(self, source: str, file: RemoteFile, staging: Path) -> int:
        resuming = Resuming(
            staging / f"{_name(file)}.part",
            file.size,
            bool(file.checksum),
            self.patience,
            paused=partial(self.watch.paused, file.path),
            advanced=partial(self.watch.advanced, file.path),
        )
        downloader = kaggle.download if source.startswith(kaggle.SCHEME) else resuming
        pooch.get_logger().setLevel(logging.WARNING)  # it would tell of each file by itself
        path = staging / _name(file)
        for may_try_again in (True, False):
            try:
                pooch.retrieve(source, file.checksum or None, _name(file), staging, downloader=downloader)
                break
            except ValueError as error:  # the checksum's: all else that a downloader raises here is none
                # The earlier part may be of another state of the file, where the server cannot tell.
                if not (may_try_again and resuming.resumed):
                    algorithm = file.checksum.partition(":")[0]
                    raise SourceFailed(f"what it gives does not have the published {algorithm} checksum") from error
        size = path.stat().st_size
        if file.size not in (None, size):
            path.unlink()
            raise SourceFailed(f"its file has {size:,} bytes, {file.size:,} are expected")
        return size

    @contextmanager
    def _alone(self, lock: Path, what: str) -> Iterator[None]:
        """Keep other fetches, of this or another process, out of a folder."""
        with lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.watch.said(f"{what}/ is being fetched by another process: waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def bring_missing(files: Sequence[RemoteFile], *, mirror: str, upstream: bool, watch: Watch | None = None) -> None:
    """Bring files into the cache before a run; see :meth:`adbench.session.Session.bring_data` for what is an error.

    Raises
    ------
    DatasetError
        If one cannot be had, with ``upstream``; or if it cannot be written here.
    """
    watch = watch or Watch()
    patience = Patience() if upstream else _ASIDE
    fetcher = Fetcher(downloads_folder(), mirror, upstream, patience, watch)
    for group in by_folder(files):
        try:
            fetcher.bring(group)
        except FetchFailed as failed:
            if upstream:
                raise
            ((_, failure),) = failed.failures
            if not failure.missing:
                watch.said(f"{failed}. The run goes on with what is here")
            if failure.unreachable:
                return


def shown(address: str) -> str:
    """Return an address on one line as it may be shown: without a user's name and password.

    Examples
    --------
    >>> shown("http://me:secret@example.org/a")
    'http://example.org/a'
    """
    scheme, slashes, rest = one_line(address, 200).partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def by_folder(files: Sequence[RemoteFile]) -> list[list[RemoteFile]]:
    """Return files in groups that belong together, those of one folder; what is named twice comes once.

    Examples
    --------
    >>> files = [RemoteFile(path=path) for path in ("a/1", "b/1", "a/2", "a/1")]
    >>> [[file.path for file in group] for group in by_folder(files)]
    [['a/1', 'a/2'], ['b/1']]
    """
    distinct = {file.path: file for file in reversed(files)}.values()
    ordered = sorted(distinct, key=lambda file: file.path)
    return [list(group) for _, group in groupby(ordered, key=lambda file: PurePosixPath(file.path).parent)]


def _name(file: RemoteFile) -> str:
    return PurePosixPath(file.path).name
