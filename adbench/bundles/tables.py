"""Parquet tables inside a bundle: written the same each time, read within limits."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adbench.bundles import layout


class Unsound(ValueError):
    """Something in a bundle that is not as it must be; the text says what, for the middle of a line."""


def write(columns: Mapping[str, Any], schema: Any, row_group: int) -> bytes:
    """Return a table as parquet."""
    table = pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)
    return _parquet(table, row_group, **_encodings(schema))


def _parquet(table: Any, row_group: int, **encodings: Any) -> bytes:
    made = io.BytesIO()
    pq.write_table(
        table,
        made,
        row_group_size=row_group,
        compression="zstd",
        compression_level=9,
        store_schema=False,  # parquet's own types say enough
        **encodings,
    )
    return made.getvalue()


def _encodings(schema: Any) -> dict[str, Any]:
    """Return how columns are encoded: floats split by bytes, whole numbers as differences, texts by dictionary."""
    kinds = {field.name: field.type for field in schema}
    floats = {name: "BYTE_STREAM_SPLIT" for name, kind in kinds.items() if pa.types.is_floating(kind)}
    wide = (pa.int32(), pa.int64())
    whole = {name: "DELTA_BINARY_PACKED" for name, kind in kinds.items() if kind in wide}
    texts = [name for name in kinds if name not in floats and name not in whole]
    return {"use_dictionary": texts, "column_encoding": floats | whole}


def write_values(values: Any, group: str) -> bytes:
    """Return the values of arrays as parquet: pictures have few distinct ones, scores hardly two of the same."""
    dtype = values.dtype.name
    schema = layout.part_schema(dtype)
    if group == "extras" and dtype.startswith("float"):
        return _parquet(pa.table([pa.array(values)], schema=schema), layout.CHUNK_VALUES, use_dictionary=True)
    return write({"value": values}, schema, layout.CHUNK_VALUES)


class Table:
    """A parquet table whose columns and sizes have been looked at, and that has not been decoded yet.

    Parameters
    ----------
    name
        The member's, for messages.
    data
        Its bytes.
    schema
        The columns it must have, exactly.
    most_rows, row_group
        Rows it may have, and those of each row group but the last.

    Raises
    ------
    Unsound
        If it is something else, or states absurd sizes.
    """

    def __init__(self, name: str, data: bytes, schema: Any, most_rows: int, row_group: int) -> None:
        self.name = name
        try:
            # Texts stay dictionaries: else a short page could stand for any number of copies of a long text.
            texts = [field.name for field in schema if field.type == pa.string()]
            self._file = pq.ParquetFile(
                pa.BufferReader(data),
                read_dictionary=texts,
                thrift_string_size_limit=2**24,
                thrift_container_size_limit=2**20,
            )
            found, facts = self._file.schema_arrow, self._file.metadata
        except KeyError as error:  # a text that is not there cannot be kept as a dictionary
            raise Unsound(f"{name} has other columns than {', '.join(schema.names)}") from error
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unsound(f"{name} is no parquet table") from error
        if [_plain(field) for field in found] != [_plain(field) for field in schema]:
            raise Unsound(f"{name} has other columns than {', '.join(schema.names)}")
        if facts.num_rows > most_rows:
            raise Unsound(f"{name} states {facts.num_rows:,} rows, at most {most_rows:,} are read")
        sizes = [facts.row_group(i).num_rows for i in range(facts.num_row_groups)]
        expected = [min(row_group, facts.num_rows - start) for start in range(0, facts.num_rows, row_group)]
        if [size for size in sizes if size] != expected:
            raise Unsound(f"{name} is not cut into pieces of {row_group:,} rows")
        largest = max((facts.row_group(i).total_byte_size for i in range(facts.num_row_groups)), default=0)
        if not 0 <= largest <= layout.MOST_CHUNK_BYTES:
            raise Unsound(f"{name} states a piece of {largest:,} bytes, at most {layout.MOST_CHUNK_BYTES:,} are read")
        self.rows = int(facts.num_rows)
        self._pieces = facts.num_row_groups if self.rows else 0

    def piece(self, number: int, columns: list[str] | None = None) -> Any:
        """Decode a row group.

        Raises
        ------
        Unsound
            If it cannot be, or holds a text of absurd length.
        """
        try:
            table = self._file.read_row_group(number, columns=columns, use_threads=False)
            table.validate(full=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unsound(f"{self.name} cannot be decoded") from error
        for name in table.column_names:
            longest = layout.MOST_BODY_BYTES if name == "body" else layout.MOST_NAME_LENGTH
            for chunk in table.column(name).chunks:
                if pa.types.is_dictionary(chunk.type) and _longest(chunk.dictionary) > longest:
                    raise Unsound(f"{self.name} holds a {name} of more than {longest:,} bytes")
        return table

    def pieces(self, columns: list[str] | None = None) -> Iterator[Any]:
        """Decode the row groups one after the other."""
        for number in range(self._pieces):
            yield self.piece(number, columns)


def texts(table: Any, column: str) -> list[str]:
    """Return a decoded column of texts, equal ones being one object."""
    found: list[str] = []
    for chunk in table.column(column).chunks:
        known = chunk.dictionary.to_pylist()
        found += [known[i] for i in chunk.indices.to_numpy().tolist()]
    return found


def _longest(values: Any) -> int:
    """Return the bytes of the longest text."""
    offsets = np.frombuffer(values.buffers()[1] or b"", np.int32)[values.offset : values.offset + len(values) + 1]
    return int(np.diff(offsets).max(initial=0))


def _plain(field: Any) -> tuple[str, Any, bool]:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return field.name, kind, field.nullable
