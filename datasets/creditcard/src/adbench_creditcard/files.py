"""Read and check the table's file: csv, zip, parquet or arff. All give the same arrays for the same rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError, check_text, open_binary, read_members, reading

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES = ("Time", *(f"V{i}" for i in range(1, 29)), "Amount")
COLUMNS = (*FEATURES, "Class")
# The official table's own ranges; of V1 to V28 the widest.
_RANGES = {"Time": (0.0, 172_792.0), "Amount": (0.0, 25_691.16)} | {f"V{i}": (-113.75, 120.59) for i in range(1, 29)}

_MEMBER = "creditcard.csv"
_MOST_BYTES = 400_000_000  # unpacked; the official csv has 150,828,752
_MOST_ROWS = 1_000_000
_LONGEST_LINE = 1 << 16
_AGAIN = "Get the official file again: adbench data fetch creditcard."
_WHOLE = "Keep the official columns and values: they are scaled by the task."


def read_table(path: Path) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return the 30 features, in the official order, and the labels.

    Parameters
    ----------
    path
        ``.csv`` (also with ``.gz``), a ``.zip`` that holds ``creditcard.csv``, ``.parquet``
        or ``.pq``, or OpenML's ``.arff``.

    Raises
    ------
    DatasetError
        One line: the file, what was expected, what was found.
    """
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        table = _read_parquet(path)
    elif name.endswith(".zip"):
        table = _read_csv(path, io.BytesIO(_unzipped(path)))
    else:
        check_text(path, most_columns=1_000, longest_line=_LONGEST_LINE, most_bytes=_MOST_BYTES)
        with open_binary(path) as file:
            table = _read_arff(path, file) if ".arff" in name else _read_csv(path, file)
    return _checked(path, table)


def _read_csv(path: Path, file: IO[bytes]) -> pa.Table:
    first = file.readline(_LONGEST_LINE).decode("utf-8-sig", errors="replace").strip("\r\n")
    return _parsed(path, file, next(csv.reader([first]), []), quote='"')


def _read_arff(path: Path, file: IO[bytes]) -> pa.Table:
    names: list[str] = []
    while line := file.readline(_LONGEST_LINE):
        text = line.decode("utf-8", errors="replace").strip()
        if text.lower() == "@data":
            return _parsed(path, file, names, quote="'")
        if attribute := re.match(r"@attribute\s+['\"]?([^\s'\"]+)", text, re.IGNORECASE):
            names.append(attribute[1])
    raise DatasetError.in_file(path, expected="an arff file with @data", found="none", way_out=_AGAIN)


def _parsed(path: Path, file: IO[bytes], names: list[str], quote: str) -> pa.Table:
    """Return the lines that follow, every column as numbers."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    _check_columns(path, names)
    expected = f"{len(COLUMNS)} numbers in every row"
    with reading(path, expected, _AGAIN):
        try:
            return arrow_csv.read_csv(
                file,
                read_options=arrow_csv.ReadOptions(column_names=names),
                parse_options=arrow_csv.ParseOptions(quote_char=quote),
                convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64())),
            )
        except pa.ArrowInvalid as error:
            if not (at := re.search(r"CSV column #(\d+): .*invalid value '(.*)'", str(error))):
                raise
            found = f"{at[2][:40]!r} in {names[int(at[1])]!r}"
            raise DatasetError.in_file(path, expected=expected, found=found, way_out=_AGAIN) from error


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    with reading(path, "a parquet file of numbers", _AGAIN), parquet.ParquetFile(path) as file:
        schema, about = file.schema_arrow, file.metadata
        _check_columns(path, schema.names)
        n_bytes = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
        if about.num_rows > _MOST_ROWS or n_bytes > _MOST_BYTES:
            expected, found = (
                f"at most {_MOST_ROWS:,} rows and {_MOST_BYTES:,} bytes",
                f"{about.num_rows:,} and {n_bytes:,}",
            )
            raise DatasetError.in_file(path, expected=expected, found=found, way_out=_AGAIN)
        for field in schema:
            # OpenML keeps the labels as the words '0' and '1'.
            if not (field.name == "Class" or pa.types.is_integer(field.type) or pa.types.is_floating(field.type)):
                found = f"{field.type} in {field.name!r}"
                raise DatasetError.in_file(path, expected="numbers in every column", found=found, way_out=_AGAIN)
        table = file.read()
        label = table.column("Class")
        if pa.types.is_dictionary(label.type):
            label = label.cast(label.type.value_type)
        return table.set_column(schema.get_field_index("Class"), "Class", label.cast(pa.float64()))


def _unzipped(path: Path) -> bytes:
    members: list[str] = []

    def wanted(name: str) -> bool:
        members.append(name)
        return name.rpartition("/")[2] == _MEMBER

    for _, contents in read_members(path, wanted, most_bytes=_MOST_BYTES):
        return contents
    found = _listed(members) or "an empty archive"
    raise DatasetError.in_file(path, expected=f"a member {_MEMBER}", found=found, way_out="Zip the csv file itself.")


def _check_columns(path: Path, names: Iterable[str]) -> None:
    names = list(names)
    if sorted(names) == sorted(COLUMNS):
        return
    without = [name for name in COLUMNS if name not in names]
    besides = [name for name in names if name not in COLUMNS]
    way_out = _AGAIN if len(without) == len(COLUMNS) else _WHOLE
    if not any(names):
        found = "an empty file"
    elif len(without) == len(COLUMNS):
        found = f"other ones ({_listed(names)})"
    else:
        parts = [f"{word} {_listed(some)}" for word, some in (("without", without), ("besides", besides)) if some]
        found = f"{len(names)}, {' and '.join(parts) or 'some of them doubled'}"
    expected = f"the {len(COLUMNS)} columns Time, V1 to V28, Amount and Class"
    raise DatasetError.in_file(path, expected=expected, found=found, way_out=way_out)


def _checked(path: Path, table: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return features and labels if all values are there and in the official table's ranges."""
    columns = {name: table.column(name).to_numpy().astype(np.float64) for name in COLUMNS}
    missing = [name for name, values in columns.items() if not np.isfinite(values).all()]
    if missing:
        found = f"missing or infinite values in {_listed(missing)}"
        raise DatasetError.in_file(path, expected="a number in every field", found=found, way_out=_AGAIN)
    for name, (lowest, highest) in _RANGES.items():
        values = columns[name]
        fits = (lowest <= values) & (values <= highest)
        _check(path, f"{name} from {lowest:g} to {highest:.10g}", values, fits)
    label, time = columns["Class"], columns["Time"]
    _check(path, "Class 0 or 1", label, (label == 0) | (label == 1))
    _check(path, "Time in whole seconds", time, time == np.floor(time))
    n_frauds = int(label.sum())
    if n_frauds < 2 or len(label) - n_frauds < 2 * n_frauds:
        expected = "at least two frauds, and twice as many normal rows"
        found = f"{n_frauds:,} frauds in {len(label):,} rows"
        raise DatasetError.in_file(path, expected=expected, found=found, way_out="Use a larger part of the table.")
    return np.column_stack([columns[name] for name in FEATURES]), label.astype(np.uint8)


def _check(path: Path, expected: str, values: NDArray[np.float64], fits: NDArray[np.bool_]) -> None:
    if not fits.all():
        found = f"{values[~fits][0]:.10g} ({np.count_nonzero(~fits):,} of {len(values):,} rows)"
        raise DatasetError.in_file(path, expected=expected, found=found, way_out=_WHOLE)


def _listed(names: Iterable[str], most: int = 4) -> str:
    texts = [repr(name[:40]) for name in names]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
