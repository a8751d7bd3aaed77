"""Mean AUROCs, detectors down and tasks across, in tables narrow enough to read."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from adbench.reporting.rows import NO_SCORES, Row
from adbench.reporting.words import marked, table, text

_WIDEST = 8
"""Columns beside the names: what a page shows without a scroll bar."""

Column = tuple[str, Mapping[str, Sequence[Row]]]


def matrix(columns: Sequence[Column], detectors: Sequence[str]) -> list[str]:
    """Return mean AUROCs as one or more tables.

    Parameters
    ----------
    columns
        Head, as Markdown, and the rows of each detector that the mean is over.
    detectors
        Names, in the lines' order.

    Returns
    -------
    list of str
        The best method of each column in bold, floors in italics. Who has nothing in a table's columns is not in it.
    """
    pieces = range(0, len(columns), _piece(len(columns)))
    return [_table(columns[start : start + _piece(len(columns))], detectors) for start in pieces]


def _piece(n: int) -> int:
    """Return how many columns a table has: about equally many in each."""
    return -(-n // -(-n // _WIDEST)) if n else 1


def _table(columns: Sequence[Column], detectors: Sequence[str]) -> str:
    best = [
        max((v for rows in found.values() if (v := _value(rows)) is not None and not rows[0].is_floor), default=None)
        for _, found in columns
    ]
    lines = []
    for name in detectors:
        own = [found.get(name, ()) for _, found in columns]
        if any(own):
            is_floor = next(rows for rows in own if rows)[0].is_floor
            cells = [
                _cell(rows, is_best=value is not None and _value(rows) == value)
                for rows, value in zip(own, best, strict=True)
            ]
            lines.append([marked(name, is_floor), *cells])
    return table(lines, ["detector", *(head for head, _ in columns)])


def _value(rows: Sequence[Row]) -> float | None:
    if not rows or any(row.failed or row.auroc is None for row in rows):
        return None
    return statistics.fmean(row.auroc.estimate for row in rows if row.auroc)


def _cell(rows: Sequence[Row], *, is_best: bool) -> str:
    value = _value(rows)
    if value is None:
        wrong = next((row for row in rows if row.failed or row.absent), None)
        return _word(wrong) if wrong else ""
    sign = "*" if rows[0].is_floor else "**" if is_best else ""
    warning = "≈" if not rows[0].is_floor and any(row.beats_floors is False for row in rows) else ""
    return f"{sign}{value:.3f}{sign}{warning}"


def _word(row: Row) -> str:
    """Return the first status that is not ok."""
    word = text(next((status for status in row.statuses if status != "ok"), NO_SCORES))
    return f"**{word}**" if row.failed else word
