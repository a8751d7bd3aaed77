"""Read a table's file: npz, csv, tsv or parquet. pandas and pyarrow are imported only where they are needed."""

from __future__ import annotations

import zipfile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError, check_text, reading
from adbench_tabular.checks import check_size, listed
from adbench_tabular.labels import pick_label

if TYPE_CHECKING:
    import pandas as pd

_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]
_WAY_OUT = "Save it anew."
_NPZ_WAY_OUT = "Save with np.savez(file, X=X, y=y)."
# A value takes two signs at least, so that this many bytes cannot hold more values than fit in memory.
_MOST_TEXT = 2 << 30
_LONGEST_HEADER = 1 << 16


def npz_shape(path: Path) -> tuple[int, ...]:
    """Return the shape of ``X``, reading no more than headers."""
    shape, _ = _npz_headers(path)["X"]
    return shape


def read_npz(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the arrays ``X`` and ``y``, never unpickling anything, and nothing whose size is a lie."""
    for shape, dtype in _npz_headers(path).values():
        # As float64, unless it is images: those are at most four bytes a value.
        check_size(path, shape, max(dtype.itemsize, 8 if len(shape) == 2 else 1))
    with reading(path, "an .npz with plain arrays X and y", _NPZ_WAY_OUT), zipfile.ZipFile(path) as archive:
        X, y = (_read_member(archive, f"{name}.npy") for name in ("X", "y"))
    return X, y


def _npz_headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Return shape and dtype of ``X`` and ``y`` as stated, checked against the size that the archive states."""
    if not zipfile.is_zipfile(path):  # before numpy takes it for a pickle
        found = "another format, or a damaged file"
        raise DatasetError.in_file(path, expected="an .npz", found=found, way_out=_NPZ_WAY_OUT)
    with reading(path, "an .npz with plain arrays X and y", _NPZ_WAY_OUT), zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        if not {"X", "y"} <= set(names):
            found = listed(names) or "none"
            raise DatasetError.in_file(path, expected="arrays X and y", found=found, way_out=_NPZ_WAY_OUT)
        return {name: _npy_header(archive, f"{name}.npy") for name in ("X", "y")}


def _npy_header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    info = archive.getinfo(name)
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0) and int.from_bytes(member.peek(4)[:4], "little") > _LONGEST_HEADER:
            raise ValueError(f"{name} states an absurdly long header")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member)
        stated = member.tell() + prod(shape) * dtype.itemsize
    if not dtype.itemsize:
        raise ValueError(f"{name} holds values of no size ({dtype})")
    if not dtype.hasobject and stated != info.file_size:
        raise ValueError(f"{name} states shape {shape} of {dtype}, which is not what its {info.file_size:,} bytes hold")
    return shape, dtype


def _read_member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return array


def read_text(path: Path, label: str | None) -> tuple[pd.DataFrame, pd.Series]:
    """Return the features and the labels, as text, of a csv or tsv file with a header."""
    import pandas as pd

    separator = "\t" if ".tsv" in path.name.lower() else ","
    check_text(path, separator=separator, most_bytes=_MOST_TEXT)
    options: dict[str, Any] = {"sep": separator, "skipinitialspace": True}
    with reading(path, "a text table with a header", _WAY_OUT):
        # Apart, because pandas renames doubled and empty names when it reads them as a header.
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options).iloc[0]
    _check_columns(path, header)
    label = pick_label(path, list(header), label)
    with reading(path, "as many fields in every row as in the header", _WAY_OUT):
        frame = pd.read_csv(
            path,
            dtype={label: str},
            keep_default_na=False,
            na_values={name: _MISSING for name in header if name != label},  # in the label, "NA" can be a class
            low_memory=False,  # else types are guessed piece by piece
            **options,
        )
    if not isinstance(frame.index, pd.RangeIndex):  # what pandas makes of fields beyond the header's
        expected = f"{len(header)} fields in every row, as in the header"
        raise DatasetError.in_file(path, expected=expected, found="more", way_out="Mend the rows.")
    return frame.drop(columns=label), frame[label]


def read_parquet(path: Path, label: str | None) -> tuple[pd.DataFrame, pd.Series]:
    """Return the features and the labels of a parquet file; its footer tells beforehand what it would take."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading(path, "a parquet file", _WAY_OUT), pq.ParquetFile(path) as file:
        footer, schema = file.metadata, file.schema_arrow
        check_size(path, (footer.num_rows, footer.num_columns))
        if nested := [field.name for field in schema if pa.types.is_nested(field.type)]:
            raise _no_numbers(path, listed(nested))
        # Words stay codes: a few bytes of them can state gigabytes.
        words = [field.name for field in schema if not pa.types.is_primitive(field.type)]
        frame = pq.read_table(path, read_dictionary=words).to_pandas()
    frame.columns = frame.columns.map(str)
    _check_columns(path, frame.columns)
    label = pick_label(path, list(frame.columns), label)
    return frame.drop(columns=label), frame[label]


def to_numbers(path: Path, features: pd.DataFrame) -> NDArray[np.float64]:
    """Return feature columns as one float64 array; missing values become NaN."""
    import pandas as pd
    from pandas.api.types import is_complex_dtype, is_numeric_dtype  # booleans are numeric there

    words = [
        name
        for name, column in features.items()
        if not is_numeric_dtype(column.dtype) or is_complex_dtype(column.dtype)
    ]
    if words and len(features):
        texts = pd.Series(features[words[0]].dropna().unique()).astype(str)
        no_numbers = texts[pd.to_numeric(texts, errors="coerce").isna()]
        example = f" (for instance {no_numbers.iloc[0][:40]!r})" if len(no_numbers) else ""
        raise _no_numbers(path, listed(words) + example)
    return features.to_numpy(dtype=np.float64, na_value=np.nan)


def _no_numbers(path: Path, others: str) -> DatasetError:
    return DatasetError.in_file(
        path,
        expected="numbers in every feature column",
        found=f"others in {others}",
        way_out="Encode or drop these columns.",
    )


def _check_columns(path: Path, columns: pd.Series | pd.Index) -> None:
    doubled = sorted(set(columns[columns.duplicated()]))
    if "" in list(columns):
        raise DatasetError.in_file(
            path,
            expected="a name for every column",
            found="one without",
            way_out="Name it; a saved index goes with index=False.",
        )
    if doubled:
        raise DatasetError.in_file(
            path,
            expected="distinct column names",
            found=f"{listed(doubled)} more than once",
            way_out="Rename or drop them.",
        )
