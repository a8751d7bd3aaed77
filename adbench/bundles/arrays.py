"""Arrays in a bundle: each distinct one once, the values of many in a member, read a piece at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.bundles import layout
from adbench.bundles.tables import Table, Unsound, texts, write, write_values

_SHAPE = re.compile(r"\d{1,9}(?:x\d{1,9}){0,4}")
_KEPT_PIECES = 12


class ArrayWriter:
    """Takes the arrays of trial after trial, and writes a member whenever one is full.

    Parameters
    ----------
    add
        Takes a member's name and bytes.
    """

    def __init__(self, add: Callable[[str, bytes], None]) -> None:
        self._add = add
        self._known: dict[tuple[str, str], int] = {}
        self._waiting: dict[tuple[str, str], list[NDArray[Any]]] = {}
        self._parts: dict[tuple[str, str], int] = {}
        self._index: dict[str, list[Any]] = {name: [] for name in layout.SCHEMAS[layout.INDEX].names}
        self._arrays: dict[str, list[str]] = {name: [] for name in layout.SCHEMAS[layout.ARRAYS].names}

    @property
    def distinct(self) -> int:
        """How many different arrays there are so far."""
        return len(self._known)

    def take(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take a trial's arrays, of which all have a group: what must not be published is out already."""
        for name in sorted(arrays):
            group = layout.group_of(name, images=True)
            assert group is not None
            self._index["key"].append(key)
            self._index["name"].append(name)
            self._index["array"].append(self._number_of(group, arrays[name]))

    def finish(self) -> None:
        """Write what is left, and the tables that say where each array is."""
        for stream in sorted(self._waiting):
            self._write(stream, all_of_it=True)
        self._add(layout.INDEX, write(self._index, layout.SCHEMAS[layout.INDEX], layout.TABLE_ROWS))
        self._add(layout.ARRAYS, write(self._arrays, layout.SCHEMAS[layout.ARRAYS], layout.TABLE_ROWS))

    def _number_of(self, group: str, array: NDArray[Any]) -> int:
        dtype = array.dtype.name
        if dtype not in layout.DTYPES or not array.dtype.isnative or not array.ndim:
            raise Unsound(f"an array of dtype {array.dtype} and shape {array.shape} has no place in a bundle")
        sha256 = layout.digest_of(array)
        number = self._known.setdefault((group, sha256), len(self._known))
        if number == len(self._arrays["sha256"]):
            row = {"group": group, "dtype": dtype, "shape": layout.shape_text(array), "sha256": sha256}
            for name, value in row.items():
                self._arrays[name].append(value)
            waiting = self._waiting.setdefault((group, dtype), [])
            waiting.append(array.ravel())
            if sum(map(len, waiting)) >= layout.PART_VALUES:
                self._write((group, dtype), all_of_it=False)
        return number

    def _write(self, stream: tuple[str, str], *, all_of_it: bool) -> None:
        values = np.concatenate(self._waiting[stream])
        whole = len(values) if all_of_it else len(values) // layout.PART_VALUES * layout.PART_VALUES
        for start in range(0, whole, layout.PART_VALUES):
            number = self._parts.get(stream, 0)
            self._parts[stream] = number + 1
            part = values[start : min(start + layout.PART_VALUES, whole)]
            self._add(layout.part_name(*stream, number), write_values(part, stream[0]))
        self._waiting[stream] = [values[whole:]]


class ArrayReader:
    """Finds a trial's arrays in a bundle.

    Parameters
    ----------
    read
        Returns a member's bytes by its name.
    names
        Of the members there are.

    Raises
    ------
    Unsound
        If the tables of arrays do not fit together.
    """

    def __init__(self, read: Callable[[str], bytes], names: Iterable[str]) -> None:
        self._read = read
        self._names = set(names)
        self._slices, self._name, self._number = _index(_table(read, layout.INDEX))
        self._groups, self._dtypes, self._shapes, self._sha256 = _catalogue(_table(read, layout.ARRAYS))
        if len(self._number) and not 0 <= self._number.min() <= self._number.max() < len(self._sha256):
            raise Unsound(f"{layout.INDEX} names arrays that {layout.ARRAYS} has not")
        self._starts = _starts(self._groups, self._dtypes, self._shapes)
        self._open: dict[tuple[str, str], tuple[str, Table]] = {}
        self._pieces: dict[tuple[str, int], NDArray[Any]] = {}

    @property
    def keys(self) -> set[str]:
        """Keys of trials that have arrays."""
        return set(self._slices)

    @property
    def distinct(self) -> int:
        """How many different arrays there are."""
        return len(self._sha256)

    def numbers(self, key: str) -> dict[str, int]:
        """Return array name -> number of the array, of one trial: equal arrays have one number."""
        start, stop = self._slices[key]
        return dict(zip(self._name[start:stop], self._number[start:stop].tolist(), strict=True))

    def arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Return a trial's arrays by name, each held against its sha256."""
        return {name: self._array(name, number) for name, number in self.numbers(key).items()}

    def _array(self, name: str, number: int) -> NDArray[Any]:
        dtype, shape = self._dtypes[number], self._shapes[number]
        stream = (self._groups[number], dtype)
        start, stop = self._starts[number], self._starts[number] + math.prod(shape)
        chunks = [
            self._piece(stream, chunk)[max(0, start - chunk * layout.CHUNK_VALUES) : stop - chunk * layout.CHUNK_VALUES]
            for chunk in range(start // layout.CHUNK_VALUES, -(-stop // layout.CHUNK_VALUES))
        ]
        values = np.concatenate(chunks) if chunks else np.empty(0, dtype)
        if len(values) != math.prod(shape):
            raise Unsound(f"values of array {name!r} are missing")
        array = values.astype(dtype, copy=False).reshape(shape)
        if layout.digest_of(array) != self._sha256[number]:
            raise Unsound(f"array {name!r} was altered: its sha256 is not the one stated")
        return array

    def _piece(self, stream: tuple[str, str], chunk: int) -> NDArray[Any]:
        """Return a row group of a stream of values, and keep the last few: trials of one task lie side by side."""
        part, piece = divmod(chunk, layout.PART_VALUES // layout.CHUNK_VALUES)
        name = layout.part_name(*stream, part)
        found = self._pieces.pop((name, piece), None)
        if found is None:
            found = self._part(stream, name).piece(piece).column("value").to_numpy()
        self._pieces[name, piece] = found
        if len(self._pieces) > _KEPT_PIECES:
            del self._pieces[next(iter(self._pieces))]
        return found

    def _part(self, stream: tuple[str, str], name: str) -> Table:
        known, table = self._open.get(stream, ("", None))
        if table is None or known != name:
            if name not in self._names:
                raise Unsound(f"{name} is missing")
            schema = layout.part_schema(stream[1])
            table = Table(name, self._read(name), schema, layout.PART_VALUES, layout.CHUNK_VALUES)
            self._open[stream] = name, table
        return table


def _table(read: Callable[[str], bytes], name: str) -> Table:
    return Table(name, read(name), layout.SCHEMAS[name], layout.MOST_ROWS[name], layout.TABLE_ROWS)


def _index(table: Table) -> tuple[dict[str, tuple[int, int]], list[str], NDArray[Any]]:
    """Return key -> first and last row, names, and numbers of arrays."""
    keys: list[str] = []
    names: list[str] = []
    numbers = [np.empty(0, np.int32)]
    for piece in table.pieces():
        keys += texts(piece, "key")
        names += texts(piece, "name")
        numbers.append(piece.column("array").to_numpy())
    firsts = [row for row in range(len(keys)) if not row or keys[row] != keys[row - 1]]
    slices = {keys[first]: (first, after) for first, after in pairwise([*firsts, len(keys)])}
    if len(slices) != len(firsts):
        raise Unsound(f"{table.name} names a trial in two places")
    if any(layout.group_of(name, images=True) is None for name in set(names)):
        raise Unsound(f"{table.name} holds an array of a name that no trial has")
    if any(len(set(names[first:after])) != after - first for first, after in slices.values()):
        raise Unsound(f"{table.name} names an array twice")
    return slices, names, np.concatenate(numbers)


def _catalogue(table: Table) -> tuple[list[str], list[str], list[tuple[int, ...]], list[str]]:
    """Return groups, dtypes, shapes and sums of the arrays."""
    columns: dict[str, list[str]] = {name: [] for name in layout.SCHEMAS[layout.ARRAYS].names}
    for piece in table.pieces():
        for name, values in columns.items():
            values += texts(piece, name)
    if not set(columns["group"]) <= set(layout.GROUPS) or not set(columns["dtype"]) <= set(layout.DTYPES):
        raise Unsound(f"{table.name} names kinds of arrays that there are not")
    shapes = {text: _shape(text) for text in set(columns["shape"])}
    return columns["group"], columns["dtype"], [shapes[text] for text in columns["shape"]], columns["sha256"]


def _shape(text: str) -> tuple[int, ...]:
    shape = tuple(map(int, text.split("x"))) if _SHAPE.fullmatch(text) else None
    if shape is None or math.prod(shape) > layout.MOST_ARRAY_VALUES:
        raise Unsound(f"an array cannot have the shape {text[:40]!r}")
    return shape


def _starts(groups: list[str], dtypes: list[str], shapes: list[tuple[int, ...]]) -> list[int]:
    """Return where each array begins among the values of its group and dtype."""
    ends: dict[tuple[str, str], int] = {}
    starts = []
    for group, dtype, shape in zip(groups, dtypes, shapes, strict=True):
        start = ends.get((group, dtype), 0)
        starts.append(start)
        ends[group, dtype] = start + math.prod(shape)
    return starts
