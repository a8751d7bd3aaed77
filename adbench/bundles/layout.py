"""What a bundle is made of: names of members, columns, kinds of arrays, and the limits of what is read."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FORMAT = "adbench-bundle"
FORMAT_VERSION = 1
SUFFIX = ".adbench.zip"

MANIFEST = "manifest.json"
RECORDS = "records.parquet"
INDEX = "index.parquet"
ARRAYS = "arrays.parquet"
NUMBERS = "numbers.parquet"
TABLES = (RECORDS, INDEX, ARRAYS, NUMBERS)

DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")
GROUPS = ("scores", "rows", "extras")

#: Values in a member and in one of its row groups; only the last of each holds fewer.
PART_VALUES = 2**22
CHUNK_VALUES = 2**18
#: Rows that are decoded at a time: records are long.
RECORD_ROWS = 256
TABLE_ROWS = 2**18

# Far beyond what the largest board needs, far below what a machine cannot hold.
MOST_BYTES = 4 * 2**30
MOST_MEMBERS = 10_000
MOST_MANIFEST_BYTES = 8 * 2**20
MOST_ROWS = {RECORDS: 2_000_000, INDEX: 20_000_000, ARRAYS: 20_000_000, NUMBERS: 50_000_000}
MOST_BODY_BYTES = 256 * 2**10
MOST_NAME_LENGTH = 500
MOST_ARRAY_VALUES = 2**28
#: Of one row group, as its footer states it.
MOST_CHUNK_BYTES = 256 * 2**20

_PART = re.compile(rf"({'|'.join(GROUPS)})-({'|'.join(DTYPES)})-(\d{{4}})\.parquet")
_TEST = r"[A-Za-z0-9 \-_.,()+@]{1,80}"
_NAME = r"[a-z0-9][a-z0-9_.-]{0,79}"
_PUBLISHED = {
    "scores": re.compile(rf"scores/{_TEST}/{_NAME}|train_scores/{_NAME}"),
    "rows": re.compile(rf"(?:y|row_ids)/{_TEST}"),
    "extras": re.compile(rf"curve/[^/\x00-\x1f]{{1,80}}|extreme/{_TEST}/index|embedding/{_TEST}/(?:index|xy)"),
}
_IMAGES = re.compile(rf"extreme/{_TEST}/(?:X|reconstruction)")


def part_name(group: str, dtype: str, number: int) -> str:
    """Return the name of a member with values, the first being number 0."""
    return f"{group}-{dtype}-{number + 1:04}.parquet"


def is_member(name: str) -> bool:
    """Tell whether a bundle may have a member of this name."""
    return name in (MANIFEST, *TABLES) or _PART.fullmatch(name) is not None


def group_of(name: str, *, images: bool) -> str | None:
    """Return the group of an array by its name in the store, None if it is not published.

    The most and least anomalous test rows, and what a detector made of them, are the data themselves:
    they are given away with ``images`` only, where the licence allows it.

    Examples
    --------
    >>> group_of("scores/test/elbo", images=False), group_of("y/test", images=False)
    ('scores', 'rows')
    >>> group_of("extreme/test/X", images=False), group_of("extreme/test/X", images=True)
    (None, 'extras')
    """
    if _IMAGES.fullmatch(name):
        return "extras" if images else None
    return next((group for group, names in _PUBLISHED.items() if names.fullmatch(name)), None)


def digest_of(array: NDArray[Any]) -> str:
    """Return the sha256 of an array: its dtype, shape and bytes."""
    made = hashlib.sha256(f"{array.dtype.name} {shape_text(array)}\n".encode())
    made.update(np.ascontiguousarray(array).data)
    return made.hexdigest()


def shape_text(array: NDArray[Any]) -> str:
    """Return a shape as text, ``8x28x28x1``."""
    return "x".join(map(str, array.shape))


def _required(**columns: Any) -> Any:
    # Without lists and empty cells, the row count of a footer bounds what decoding can make.
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


_TEXT = pa.string()
SCHEMAS = {
    RECORDS: _required(
        profile=_TEXT, key=_TEXT, detector=_TEXT, task=_TEXT, planned_at=_TEXT, status=_TEXT, body=_TEXT
    ),
    INDEX: _required(key=_TEXT, name=_TEXT, array=pa.int32()),
    ARRAYS: _required(group=_TEXT, dtype=_TEXT, shape=_TEXT, sha256=_TEXT),
    NUMBERS: _required(
        key=_TEXT,
        detector=_TEXT,
        score=_TEXT,
        dataset=_TEXT,
        task=_TEXT,
        test=_TEXT,
        variant=_TEXT,
        profile=_TEXT,
        setting=_TEXT,
        lane=_TEXT,
        seed=pa.int64(),
        status=_TEXT,
        threshold=_TEXT,
        metric=_TEXT,
        value=pa.float64(),
    ),
}


def part_schema(dtype: str) -> Any:
    """Return the columns of a member with values."""
    return _required(value=pa.bool_() if dtype == "bool" else getattr(pa, dtype)())
