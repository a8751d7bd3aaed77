"""Reading a bundle as a source of results, as a store is one."""

from __future__ import annotations

import contextlib
import hashlib
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adbench.bundles import layout, manifest
from adbench.bundles.arrays import ArrayReader
from adbench.bundles.container import Container
from adbench.bundles.contents import check_arrays, record_of
from adbench.bundles.tables import Table, Unsound, texts
from adbench.errors import StoreError
from adbench.record import MISSING, Label, Record
from adbench.specs import PROFILES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEY = re.compile(r"[0-9a-f]{64}")


class Bundle:
    """Records and scores of a bundle, read only when asked for; to be closed.

    Parameters
    ----------
    path
        The file.
    check
        Whether every member is held against its sum at once; ``adbench verify`` does that itself.

    Raises
    ------
    StoreError
        One line: it is no bundle, is damaged or altered, is of another version, or absurdly large.
    """

    def __init__(self, path: Path, *, check: bool = True) -> None:
        self.path = path
        with contextlib.ExitStack() as undo, self._reading():
            self._container = Container(path)
            undo.callback(self._container.close)
            self._read_manifest()
            if check and (altered := self.altered_members()):
                raise Unsound(f"{altered[0]} is not what was published; 'adbench verify' says more")
            self._records = self.table(layout.RECORDS)
            self._labels, self._statuses, self._row_of = self._read_labels()
            self._arrays = ArrayReader(self._container.read, self._container.names)
            undo.pop_all()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def labels(self) -> list[Label]:
        """Return the label of every planned trial, in order."""
        return list(self._labels)

    def states(self) -> dict[str, str]:
        """Return key -> what changes with a trial's outcome; a trial that has not run has none."""
        whole = self.manifest.members[layout.RECORDS].sha256 + self.manifest.members[layout.ARRAYS].sha256
        found = zip(self._labels, self._statuses, strict=True)
        return {label.key: f"{whole} {status}" for label, status in found if status != MISSING}

    def records(self, keys: Collection[str] | None = None) -> dict[str, Record]:
        """Return key -> outcome, or the trial as planned where there is none; of all trials if none are named."""
        wanted = self._row_of if keys is None else [key for key in keys if key in self._row_of]
        found: dict[str, Record] = {}
        known: tuple[int, list[str]] = (-1, [])
        for key in sorted(wanted, key=self._row_of.__getitem__):
            piece, row = divmod(self._row_of[key], layout.RECORD_ROWS)
            with self._reading():
                if piece != known[0]:
                    known = piece, texts(self._records.piece(piece, ["body"]), "body")
                place = self._row_of[key]
                found[key] = record_of(self._labels[place], self._statuses[place], known[1][row])
                if found[key].run not in self.manifest.runs and found[key].status != MISSING:
                    raise Unsound(f"the record of trial {key[:12]} names a run that there is not")
        return found

    def run_facts(self) -> dict[int, dict[str, Any]]:
        """Return run number -> machine facts."""
        return {number: dict(facts) for number, facts in self.manifest.runs.items()}

    def arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Return a trial's arrays by name.

        Raises
        ------
        StoreError
            If there are none, they were altered, or they do not fit together.
        """
        with self._reading(f"trial {key[:12]}: "):
            if not self.has_arrays(key):
                raise Unsound("it has no scores")
            found = self._arrays.arrays(key)
            check_arrays(found)
        return found

    def has_arrays(self, key: str) -> bool:
        """Tell whether a trial's arrays are there."""
        return key in self._arrays.keys

    def array_numbers(self, key: str) -> dict[str, int]:
        """Return array name -> number of the array: trials that share an array have one number for it."""
        return self._arrays.numbers(key) if self.has_arrays(key) else {}

    def cached(self, version: str, names: Collection[str]) -> dict[str, bytes]:
        """Return nothing: what is made of a bundle is made anew."""
        return {}

    def keep_cached(self, version: str, bodies: Mapping[str, bytes]) -> None:
        """Keep nothing: a bundle is not written to."""

    def table(self, name: str) -> Table:
        """Return one of its tables, not decoded yet."""
        row_group = layout.RECORD_ROWS if name == layout.RECORDS else layout.TABLE_ROWS
        with self._reading():
            return Table(name, self._container.read(name), layout.SCHEMAS[name], layout.MOST_ROWS[name], row_group)

    def altered_members(self) -> list[str]:
        """Return the members that are not what the manifest says."""
        with self._reading():
            return [
                name
                for name, stated in sorted(self.manifest.members.items())
                if hashlib.sha256(self._container.read(name)).hexdigest() != stated.sha256
            ]

    def counts(self) -> dict[str, int]:
        """Return what there is of everything, to be held against what the manifest says."""
        return {
            "trials": len(self._labels),
            "arrays": self._arrays.distinct,
            "numbers": self.table(layout.NUMBERS).rows,
        }

    @contextlib.contextmanager
    def _reading(self, where: str = "") -> Iterator[None]:
        """Turn whatever is wrong with the file into one line that names it."""
        name = self.path.name
        try:
            yield
        except FileNotFoundError as error:
            raise StoreError(f"there is no bundle {self.path}: 'adbench bundle' makes one") from error
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError) as error:
            raise StoreError(f"{name} is no bundle: it is no zip file, or a damaged one") from error
        except OSError as error:
            raise StoreError(f"the bundle {self.path} cannot be read: {error.strerror or 'it is damaged'}") from error
        except Unsound as error:
            raise StoreError(f"the bundle {name} is refused: {where}{error}") from error
        except manifest.OtherVersion as error:
            raise StoreError(f"the bundle {name} {error}: pip install the adbench-suite that made it") from error
        except (pa.ArrowException, MemoryError, UnicodeError) as error:
            raise StoreError(f"the bundle {name} is refused: {where}it cannot be decoded") from error

    def _read_manifest(self) -> None:
        container = self._container
        if layout.MANIFEST not in container.names:
            raise Unsound(f"it holds no {layout.MANIFEST}")
        if container.size(layout.MANIFEST) > layout.MOST_MANIFEST_BYTES:
            raise Unsound(f"its {layout.MANIFEST} is absurdly large")
        self.manifest = manifest.read(container.read(layout.MANIFEST))
        stated, there = set(self.manifest.members), container.names - {layout.MANIFEST}
        if lacking := sorted({*stated, *layout.TABLES} - there):
            raise Unsound(f"{lacking[0][:80]!r} is missing")
        if surplus := sorted(there - stated):
            raise Unsound(f"it holds {surplus[0]}, which its manifest does not name")

    def _read_labels(self) -> tuple[list[Label], list[str], dict[str, int]]:
        """Return labels and statuses in order, and key -> the first row of that trial."""
        columns = ["profile", "key", "detector", "task", "planned_at"]
        labels: list[Label] = []
        statuses: list[str] = []
        for piece in self._records.pieces([*columns, "status"]):
            labels += [Label(*row) for row in zip(*(texts(piece, name) for name in columns), strict=True)]
            statuses += texts(piece, "status")
        if not all(_KEY.fullmatch(label.key) and label.profile in PROFILES for label in labels):
            raise Unsound(f"{layout.RECORDS} names a trial by no key, or under no profile")
        if len({(label.profile, label.key) for label in labels}) != len(labels):
            raise Unsound(f"{layout.RECORDS} names a trial twice")
        first: dict[str, int] = {}
        for row, label in enumerate(labels):
            first.setdefault(label.key, row)
        return labels, statuses, first
