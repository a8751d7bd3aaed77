"""Read a table's file: npz, csv, tsv or parquet. pandas is imported only where it is needed."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from adbench_tabular.checks import listed, wrong
from adbench_tabular.labels import pick_label

if TYPE_CHECKING:
    import pandas as pd

_UNREADABLE = (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)
_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]


def read_npz(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the arrays ``X`` and ``y``, never unpickling anything."""
    if not zipfile.is_zipfile(path):  # before numpy takes it for a pickle
        raise wrong(path, "an .npz", "another format, or a damaged file", "Save with np.savez(file, X=X, y=y).")
    with _reading(path, "an .npz with plain arrays X and y"), np.load(path, allow_pickle=False) as content:
        names = list(content)
        arrays = [np.asarray(content[name]) for name in ("X", "y") if name in names]
    if len(arrays) < 2:
        raise wrong(path, "arrays X and y", listed(names) or "none", "Save with np.savez(file, X=X, y=y).")
    X, y = arrays
    return X, y


def read_text(path: Path, label: str | None) -> tuple[pd.DataFrame, pd.Series]:
    """Return the features and the labels, as text, of a csv or tsv file with a header."""
    import pandas as pd

    separator = "\t" if ".tsv" in path.name.lower() else ","
    options: dict[str, Any] = {"sep": separator, "skipinitialspace": True}
    with _reading(path, "a text table with a header"):
        # Apart, because pandas renames doubled and empty names when it reads them as a header.
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options).iloc[0]
    _check_columns(path, header)
    label = pick_label(path, list(header), label)
    with _reading(path, "as many fields in every row as in the header"):
        frame = pd.read_csv(
            path,
            dtype={label: str},
            keep_default_na=False,
            na_values={name: _MISSING for name in header if name != label},  # in the label, "NA" can be a class
            low_memory=False,  # else types are guessed piece by piece
            **options,
        )
    if not isinstance(frame.index, pd.RangeIndex):  # what pandas makes of fields beyond the header's
        raise wrong(path, f"{len(header)} fields in every row, as in the header", "more", "Mend the rows.")
    return frame.drop(columns=label), frame[label]


def read_parquet(path: Path, label: str | None) -> tuple[pd.DataFrame, pd.Series]:
    """Return the features and the labels of a parquet file."""
    import pandas as pd

    with _reading(path, "a parquet file"):
        frame = pd.read_parquet(path, engine="pyarrow")
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
        texts = features[words[0]].dropna().astype(str)
        no_numbers = texts[pd.to_numeric(texts, errors="coerce").isna()]
        example = f" (for instance {no_numbers.iloc[0][:40]!r})" if len(no_numbers) else ""
        found = f"others in {listed(words)}{example}"
        raise wrong(path, "numbers in every feature column", found, "Encode or drop these columns.")
    return features.to_numpy(dtype=np.float64, na_value=np.nan)


def _check_columns(path: Path, columns: pd.Series | pd.Index) -> None:
    doubled = sorted(set(columns[columns.duplicated()]))
    if "" in list(columns):
        raise wrong(path, "a name for every column", "one without", "Name it; a saved index goes with index=False.")
    if doubled:
        raise wrong(path, "distinct column names", f"{listed(doubled)} more than once", "Rename or drop them.")


@contextmanager
def _reading(path: Path, expected: str) -> Iterator[None]:
    """Turn what a reader raises on a damaged file into one clear line."""
    try:
        yield
    except _UNREADABLE as error:
        text = (getattr(error, "strerror", None) or str(error)).replace(f"{path.parent}/", "")
        reason = text.strip().splitlines()[0] if text.strip() else type(error).__name__
        raise wrong(path, expected, f"one that cannot be read so ({reason})", "Save it anew.") from error
