"""The store: a folder with records in SQLite and one file of score arrays a trial.

::

    results.db            records, labels, runs, cached evaluations
    scores/KEY.npz        scores/TEST/SCORE, y/TEST, row_ids/TEST, train_scores/SCORE,
                          curve/..., extreme/TEST/..., embedding/TEST/...
    work/                 of the run under way
    lock                  held by the coordinator, the only writer

Arrays are on disk under their final name before the record that speaks of them is committed: a
record is always whole, whenever the process dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adbench.errors import StoreError, UnknownName, UsageError
from adbench.record import Label, Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE runs (id INTEGER PRIMARY KEY, started TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE records (
    key TEXT PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), finished TEXT NOT NULL,
    status TEXT NOT NULL, detector TEXT NOT NULL, dataset TEXT NOT NULL, task TEXT NOT NULL,
    repetition INTEGER NOT NULL, seconds REAL NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE labels (
    profile TEXT NOT NULL, key TEXT NOT NULL, detector TEXT NOT NULL, task TEXT NOT NULL,
    planned TEXT NOT NULL, PRIMARY KEY (profile, key)
) WITHOUT ROWID;
CREATE TABLE evaluations (
    key TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (key, version)
) WITHOUT ROWID;
"""


class Store:
    """A folder of results. Make it with :meth:`open_for_writing` or :meth:`open_for_reading`."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self.folder = folder
        self.writable = lock is not None
        self._db = connection
        self._lock = lock

    @classmethod
    def open_for_writing(cls, folder: Path) -> Store:
        """Open or make a store as its only writer.

        Raises
        ------
        StoreError
            If it cannot be written, is in use, is damaged, or is of a newer version.
        """
        try:
            (folder / "scores").mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"the store folder {folder} cannot be written: {error.strerror}; give --store") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise StoreError(
                f"the store {folder} is in use by another adbench run; wait for it, or give --store"
            ) from error
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, lock)
            connection = _connect(folder, f"{(folder / 'results.db').absolute().as_uri()}")
            undo.callback(connection.close)
            store = cls(folder, connection, lock)
            store._prepare()
            undo.pop_all()
        return store

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open an existing store: for writing if it is free, so that evaluations are cached, else for reading."""
        store = cls.open_for_reading(folder)
        with contextlib.suppress(StoreError):
            writable = cls.open_for_writing(folder)
            store.close()
            return writable
        return store

    @classmethod
    def open_for_reading(cls, folder: Path) -> Store:
        """Open a store that may be in use by a run.

        Raises
        ------
        StoreError
            If there is none, it is damaged, or it is of a newer version.
        """
        database = folder / "results.db"
        if not database.is_file():
            raise StoreError(f"there is no store in {folder}: 'adbench run' makes one, --store names another")
        with contextlib.ExitStack() as undo:
            connection = _connect(folder, f"{database.absolute().as_uri()}?mode=ro")
            undo.callback(connection.close)
            store = cls(folder, connection, lock=None)
            store._check_version()
            undo.pop_all()
        return store

    def close(self) -> None:
        """Release the store."""
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin_run(self, facts: Mapping[str, Any], started: str) -> int:
        """Take note of a run's machine and commit, and return its number."""
        with self._writing():
            done = self._db.execute("INSERT INTO runs (started, facts) VALUES (?, ?)", (started, json.dumps(facts)))
        return int(done.lastrowid or 0)

    def run_facts(self) -> dict[int, dict[str, Any]]:
        """Return run number -> machine facts, with the start time."""
        rows = self._db.execute("SELECT id, started, facts FROM runs")
        return {number: {"started": started, **json.loads(facts)} for number, started, facts in rows}

    def add(self, record: Record, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a trial's outcome: arrays first, then the record, then it is known."""
        if arrays:
            self._write_arrays(record.key, arrays)
        trial = record.trial
        row = (
            record.key,
            record.run,
            record.finished,
            record.status,
            trial.detector,
            trial.dataset,
            trial.task,
            trial.repetition,
            record.seconds,
            record.to_json(),
        )
        with self._writing():
            if self._db.execute("SELECT 1 FROM records WHERE key = ?", (record.key,)).fetchone():
                self._db.execute("DELETE FROM evaluations WHERE key GLOB ?", (f"*{record.key}*",))
            self._db.execute("INSERT OR REPLACE INTO records VALUES (?,?,?,?,?,?,?,?,?,?)", row)

    def plan(self, records: Iterable[Record]) -> None:
        """Take note of trials that belong to a profile, as records that are still missing."""
        rows = [(*astuple(Label.of(record.trial)), record.to_json()) for record in records]
        with self._writing():
            self._db.executemany("INSERT OR IGNORE INTO labels VALUES (?,?,?,?,?)", rows)

    def statuses(self) -> dict[str, str]:
        """Return key -> status of every record."""
        return dict(self._db.execute("SELECT key, status FROM records"))

    def uninstalled(self) -> set[str]:
        """Return the keys of trials that were skipped because something was not installed."""
        query = "SELECT key FROM records WHERE status = 'skipped' AND NOT json_extract(body, '$.installed')"
        return {key for (key,) in self._db.execute(query)}

    def versions(self) -> dict[str, dict[str, str]]:
        """Return key -> distribution versions of every record that is ok."""
        rows = self._db.execute("SELECT key, json_extract(body, '$.versions') FROM records WHERE status = 'ok'")
        return {key: json.loads(versions) for key, versions in rows}

    def records(self) -> Iterator[Record]:
        """Yield every record, in the order of keys."""
        for (body,) in self._db.execute("SELECT body FROM records ORDER BY key"):
            yield Record.from_json(body)

    def record(self, prefix: str) -> Record:
        """Return the record whose key starts with ``prefix``.

        Raises
        ------
        UnknownName
            If there is none.
        UsageError
            If there is more than one.
        """
        query = "SELECT key, body FROM records WHERE substr(key, 1, ?) = ? ORDER BY key LIMIT 2"
        rows = self._db.execute(query, (len(prefix), prefix)).fetchall()
        if not rows:
            known = [key[:12] for (key,) in self._db.execute("SELECT key FROM records")]
            raise UnknownName("trial", prefix, known, shown_by="adbench export")
        if len(rows) > 1:
            first, second = (key[: len(prefix) + 8] for key, _ in rows)
            raise UsageError(f"several trials' keys begin with {prefix!r}, such as {first} and {second}: give more")
        return Record.from_json(rows[0][1])

    def labelled(self, only: Collection[str] | None = None) -> list[tuple[Label, Record]]:
        """Return every planned trial by its label, with its outcome or as missing, in order."""
        query = """
            SELECT profile, key, labels.detector, labels.task, coalesce(body, planned)
            FROM labels LEFT JOIN records USING (key) ORDER BY profile, labels.task, labels.detector, key
        """
        read = lru_cache(maxsize=None)(Record.from_json)  # profiles share trials
        rows = self._db.execute(query)
        return [(Label(*row[:4]), read(row[4])) for row in rows if only is None or row[1] in only]

    def seconds(self) -> list[tuple[str, str, str, float]]:
        """Return detector, dataset, task and wall seconds of every record, for forecasts."""
        return self._db.execute("SELECT detector, dataset, task, seconds FROM records ORDER BY finished").fetchall()

    def evaluations(self, version: str) -> dict[str, dict[str, Any]]:
        """Return key -> cached evaluation of that version."""
        rows = self._db.execute("SELECT key, body FROM evaluations WHERE version = ?", (version,))
        return {key: json.loads(body) for key, body in rows}

    def keep_evaluations(self, version: str, bodies: Mapping[str, Mapping[str, Any]]) -> None:
        """Cache evaluations, if this store is open for writing."""
        if self.writable and bodies:
            rows = [(key, version, json.dumps(body, allow_nan=False)) for key, body in bodies.items()]
            with self._writing():
                self._db.executemany("INSERT OR REPLACE INTO evaluations VALUES (?,?,?)", rows)

    def arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Return a trial's arrays by name.

        Raises
        ------
        StoreError
            If the file is missing or damaged.
        """
        import numpy as np

        path = self._scores_path(key)
        try:
            # NumPy does not close a file that it opened itself and then cannot read.
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                return dict(file)
        except Exception as error:
            told = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged ({error}); remove it"
            raise StoreError(f"score file {path.name} {told}; 'adbench run' makes it anew") from error

    def has_arrays(self, key: str) -> bool:
        """Tell whether a trial's score file is there."""
        return self._scores_path(key).is_file()

    @contextlib.contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Give a fresh folder for the run under way, and remove it afterwards."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Commit what is done inside, or nothing of it."""
        try:
            with self._db:
                yield
        except sqlite3.OperationalError as error:
            raise StoreError(f"the store {self.folder} cannot be written: {error}") from error

    def _scores_path(self, key: str) -> Path:
        return self.folder / "scores" / f"{key}.npz"

    def _write_arrays(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        import numpy as np

        path = self._scores_path(key)
        partial = path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"the store {self.folder} cannot be written: {error.strerror}") from error

    def _prepare(self) -> None:
        """Make the tables of a new store, or check an old one."""
        if not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
            with self._writing():
                self._db.execute("INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),))
        self._check_version()

    def _check_version(self) -> None:
        try:
            row = self._db.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.folder / 'results.db'} is not a store of adbench: {error}") from error
        found = int(row[0]) if row else 0
        if found > SCHEMA_VERSION:
            raise StoreError(
                f"the store {self.folder} is of version {found}, this adbench reads up to {SCHEMA_VERSION}: "
                "pip install --upgrade adbench-suite, or give another --store"
            )


def _connect(folder: Path, uri: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=10)
        # A record lost to a power cut is run again; a torn database is what WAL excludes.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{folder / 'results.db'} cannot be read: {error}") from error
    return connection
