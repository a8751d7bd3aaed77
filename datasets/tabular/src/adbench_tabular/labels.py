"""Which column of a user's table is the label, and which of its values are anomalies."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError
from adbench_tabular.checks import listed

USUAL_NAMES = ("label", "y", "class", "target", "anomaly", "outlier")
_BINARY = {"0.0": 0, "1.0": 1, "false": 0, "true": 1, "normal": 0, "anomaly": 1}


def pick_label(path: Path, columns: Sequence[str], label: str | None) -> str:
    """Return the label column: the named one, or the only one with a usual name."""
    if label is not None:
        if label in columns:
            return label
        near = difflib.get_close_matches(label, columns, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Name it with label=COLUMN."
        raise DatasetError.in_file(
            path, expected=f"a column {label!r}", found=f"columns {listed(columns)}", way_out=hint
        )
    usual = [name for name in columns if name.casefold() in USUAL_NAMES]
    if len(usual) != 1:
        expected = f"one label column named {', '.join(USUAL_NAMES[:-1])} or {USUAL_NAMES[-1]}"
        found = f"columns {listed(usual or columns)}"
        raise DatasetError.in_file(path, expected=expected, found=found, way_out="Name it with label=COLUMN.")
    return usual[0]


def to_binary(path: Path, labels: Any, normal: str | None) -> NDArray[np.int64]:
    """Return 1 for anomalies and 0 for normal rows.

    Parameters
    ----------
    path
        The file, for messages.
    labels
        One-dimensional, of any type.
    normal
        The label of normal rows; all others are anomalies. None: labels are 0 and 1, false and true, or
        normal and anomaly.
    """
    import pandas as pd

    codes, values = pd.factorize(labels)
    texts = [_canonical(value) for value in values]
    missing = np.isin(codes, [-1, *(code for code, text in enumerate(texts) if text in ("", "nan"))])
    if missing.any():
        found = f"{missing.sum():,} row(s) without"
        raise DatasetError.in_file(path, expected="a label in every row", found=found, way_out="Label or drop them.")
    if normal is None:
        if not set(texts) <= _BINARY.keys():
            raise DatasetError.in_file(
                path,
                expected="labels 0 and 1, false and true, or normal and anomaly",
                found=listed(values),
                way_out="Say which value is normal with normal=VALUE.",
            )
        y_of_code = np.array([_BINARY[text] for text in texts], dtype=np.int64)
    else:
        y_of_code = np.array([text != _canonical(normal) for text in texts], dtype=np.int64)
        if y_of_code.all():
            near = difflib.get_close_matches(normal, [str(value) for value in values], n=1)
            hint = f"Did you mean normal={near[0]}?" if near else "Give one of them as normal=VALUE."
            found = f"labels {listed(values)}"
            raise DatasetError.in_file(path, expected=f"rows labelled {normal!r}", found=found, way_out=hint)
    return y_of_code[codes]


def _canonical(value: object) -> str:
    """Return one spelling for labels that mean the same, such as 1, 1.0 and "1".

    Examples
    --------
    >>> _canonical(1), _canonical(" 1.00"), _canonical(True), _canonical("Cat")
    ('1.0', '1.0', 'true', 'Cat')
    """
    text = str(value).strip()
    if text.lower() in _BINARY:
        return text.lower()
    try:
        return str(float(text))
    except ValueError:
        return text
