"""The store: a folder with records in SQLite and one file of score arrays a trial.

::

    results.db            records, labels with what is planned, runs, cached evaluations
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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adbench.errors import StoreError, UnknownName, UsageError
from adbench.planning.trial import Trial
from adbench.record import Label, Record
from adbench.score_files import ScoreFiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE runs (id INTEGER PRIMARY KEY, started TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE records (
    key TEXT PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), finished TEXT NOT NULL,
    status TEXT NOT NULL, detector TEXT NOT NULL, dataset TEXT NOT NULL, task TEXT NOT NULL,
    repetition INTEGER NOT NULL, seconds REAL NOT NULL, scores_sha256 TEXT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE labels (
    profile TEXT NOT NULL, key TEXT NOT NULL, detector TEXT NOT NULL, task TEXT NOT NULL,
    planned_at TEXT NOT NULL, PRIMARY KEY (profile, key)
) WITHOUT ROWID;
CREATE TABLE planned (
    profile TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (profile, key)
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
        self._files = ScoreFiles(folder / "scores")
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
        rows = self._read("SELECT id, started, facts FROM runs")
        try:
            return {number: {"started": started, **json.loads(facts)} for number, started, facts in rows}
        except (TypeError, ValueError) as error:
            raise self._damaged("the facts of a run cannot be read") from error

    def add(self, record: Record, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a trial's outcome: arrays first, then the record, then it is known."""
        sha256 = self._files.write(record.key, arrays) if arrays else ""
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
            record.whole_seconds,
            sha256,
            record.to_json(),
        )
        with self._writing():
            if self._db.execute("SELECT 1 FROM records WHERE key = ?", (record.key,)).fetchone():
                # KEY and KEY-WHAT: '.' is the sign after '-', so the primary key finds them.
                self._db.execute("DELETE FROM evaluations WHERE key >= ? AND key < ?", (record.key, f"{record.key}."))
            self._db.execute("INSERT OR REPLACE INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)

    def plan(self, records: Iterable[Record], again: Iterable[Trial] = ()) -> None:
        """Take note of what a plan holds, and that it is the newest one.

        Parameters
        ----------
        records
            Trials with what is known of them beforehand.
        again
            Trials that :meth:`planned_keys` knows: of these the time alone is set anew.
        """
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        new = [(replace(Label.of(record.trial), planned_at=now), record.to_json()) for record in records]
        with self._writing():
            self._db.executemany(
                "INSERT INTO labels VALUES (?,?,?,?,?) "
                "ON CONFLICT (profile, key) DO UPDATE SET planned_at = excluded.planned_at",
                [astuple(label) for label, _ in new],
            )
            # Apart from the labels: these are long, and a time that is set anew writes its whole row.
            self._db.executemany(
                "INSERT OR IGNORE INTO planned VALUES (?,?,?)",
                [(label.profile, label.key, body) for label, body in new],
            )
            self._db.executemany(
                "UPDATE labels SET planned_at = ? WHERE profile = ? AND key = ?",
                [(now, trial.profile, trial.key) for trial in again],
            )

    def unplan(self, trials: Iterable[Trial]) -> None:
        """Forget that trials were planned that have not run, and turned out to be a mistake."""
        with self._writing():
            for trial in trials:
                for table in ("planned", "labels"):
                    self._db.execute(
                        f"DELETE FROM {table} WHERE profile = ? AND key = ? AND key NOT IN (SELECT key FROM records)",
                        (trial.profile, trial.key),
                    )

    def planned_keys(self, profile: str) -> set[str]:
        """Return the keys of trials that were planned under a profile."""
        return {key for (key,) in self._read("SELECT key FROM labels WHERE profile = ?", (profile,))}

    def statuses(self) -> dict[str, str]:
        """Return key -> status of every record."""
        return dict(self._read("SELECT key, status FROM records"))

    def uninstalled(self) -> set[str]:
        """Return the keys of trials that were skipped for something that may be here by now."""
        query = "SELECT key FROM records WHERE status = 'skipped' AND NOT json_extract(body, '$.installed')"
        return {key for (key,) in self._read(query)}

    def versions(self) -> dict[str, dict[str, str]]:
        """Return key -> distribution versions of every record that is ok."""
        rows = self._read("SELECT key, json_extract(body, '$.versions') FROM records WHERE status = 'ok'")
        try:
            return {key: json.loads(versions) for key, versions in rows}
        except (TypeError, ValueError) as error:
            raise self._damaged("the versions of a record cannot be read") from error

    def records(self, keys: Collection[str] | None = None) -> dict[str, Record]:
        """Return key -> record: every outcome, or of these trials the outcome, as planned where there is none."""
        if keys is None:
            found = self._read("SELECT key, body FROM records ORDER BY key")
        else:
            planned = self._read_of("SELECT key, body FROM planned WHERE key IN ({})", keys)
            found = [*planned, *self._read_of("SELECT key, body FROM records WHERE key IN ({})", keys)]
        return {key: self._record_of(key, body) for key, body in dict(found).items()}

    def labels(self) -> list[Label]:
        """Return the label of every planned trial, in order."""
        query = "SELECT profile, key, detector, task, planned_at FROM labels ORDER BY profile, task, detector, key"
        return [Label(*row) for row in self._read(query)]

    def states(self) -> dict[str, str]:
        """Return key -> what changes with a trial's outcome; a trial that has not run has none."""
        kept = self._files.keys()
        rows = self._read("SELECT key, finished, scores_sha256 FROM records")
        return {key: f"{finished} {sha256} {key in kept}" for key, finished, sha256 in rows}

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
        rows = self._read(query, (len(prefix), prefix))
        if not rows:
            known = [key[:12] for (key,) in self._read("SELECT key FROM records")]
            raise UnknownName("trial", prefix, known, shown_by="adbench export")
        if len(rows) > 1:
            first, second = (key[: len(prefix) + 8] for key, _ in rows)
            raise UsageError(f"several trials' keys begin with {prefix!r}, such as {first} and {second}: give more")
        return self._record_of(*rows[0])

    def labelled(self, only: Collection[str] | None = None) -> list[tuple[Label, Record]]:
        """Return every planned trial by its label, with its outcome or as missing, in order."""
        labels = [label for label in self.labels() if only is None or label.key in only]
        records = self.records({label.key for label in labels})
        return [(label, records[label.key]) for label in labels]

    def seconds(self) -> list[tuple[str, str, str, float]]:
        """Return detector, dataset, task and wall seconds, with its fit, of every record, for forecasts."""
        return self._read("SELECT detector, dataset, task, seconds FROM records ORDER BY finished")

    def cached(self, version: str, names: Collection[str]) -> dict[str, bytes]:
        """Return name -> what was kept under it for that version: nobody's only copy, and perhaps damaged."""
        query = "SELECT key, body FROM evaluations WHERE version = ? AND key IN ({})"
        return {name: body for name, body in self._read_of(query, names, version) if isinstance(body, bytes)}

    def keep_cached(self, version: str, bodies: Mapping[str, bytes]) -> None:
        """Keep what was made of results, by a trial's key or ``KEY-WHAT``, if this store is open for writing.

        It is forgotten when the trial of that key is run again.
        """
        if self.writable and bodies:
            rows = [(name, version, body) for name, body in bodies.items()]
            with self._writing():
                self._db.executemany("INSERT OR REPLACE INTO evaluations VALUES (?,?,?)", rows)

    def arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Return a trial's arrays by name.

        Raises
        ------
        StoreError
            If the file is missing, or is not what was stored.
        """
        kept = self._read("SELECT scores_sha256 FROM records WHERE key = ?", (key,))
        return self._files.read(key, kept[0][0] if kept else None)

    def has_arrays(self, key: str) -> bool:
        """Tell whether a trial's score file is there."""
        return self._files.has(key)

    @contextlib.contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Give a fresh folder for the run under way, and remove it afterwards."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir()
        except FileExistsError as error:
            raise StoreError(f"{work} is not a folder that a run may empty: remove it, or give --store") from error
        except OSError as error:
            raise StoreError(f"the store {self.folder} cannot be written: {error.strerror}") from error
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
        except sqlite3.Error as error:
            raise StoreError(f"the store {self.folder} cannot be written: {error}") from error

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error

    def _read_of(self, query: str, keys: Collection[str], *values: Any) -> list[Any]:
        """Read what a query with ``IN ({})`` finds for many keys, in pieces that SQLite takes."""
        ordered = sorted(set(keys))
        pieces = (ordered[start : start + 500] for start in range(0, len(ordered), 500))
        return [row for p in pieces for row in self._read(query.format(",".join("?" * len(p))), (*values, *p))]

    def _record_of(self, key: str, body: str) -> Record:
        try:
            record = Record.from_json(body)
            if record.key == key:
                return record
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise self._damaged(f"the record of trial {key[:12]} cannot be read") from error
        raise self._damaged(f"the record of trial {key[:12]} is another trial's")

    def _damaged(self, told: str) -> StoreError:
        return StoreError(f"the store {self.folder} is damaged: {told}; give another --store")

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
            found = int(row[0]) if row else 0
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(f"{self.folder / 'results.db'} is not a store of adbench: {error}") from error
        if found < SCHEMA_VERSION:
            raise StoreError(
                f"the store {self.folder} is of version {found}, this adbench reads {SCHEMA_VERSION}: "
                "give another --store and run again"
            )
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
