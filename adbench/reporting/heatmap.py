"""A heat map of AUROC as an SVG picture: test sets down, detectors across."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from adbench.reporting.leaderboard import Board, by_mean
from adbench.reporting.rows import Row
from adbench.reporting.words import MARK, printable

_CELL = (46, 20)  # width and height, in pixels
_GLYPH = 6.2  # mean width of a letter at 11 pixels
# Blue above chance, orange below, white at .5: told apart with any colour vision (ColorBrewer PuOr, reordered).
_BELOW, _CHANCE, _ABOVE = (179, 88, 6), (247, 247, 247), (33, 102, 172)


def heat_map(boards: Sequence[Board]) -> str:
    """Return the picture of a task's test sets: declared scores, detectors in the order of their mean AUROC.

    Parameters
    ----------
    boards
        One for each test set.

    Returns
    -------
    str
        SVG, readable on light and dark pages. A cell without a value is empty where the test set was not
        met, and crossed where the detector failed.
    """
    names = by_mean(boards)
    left = 12 + _GLYPH * max(len(board.test) + 2 for board in boards)
    top = 12 + 0.75 * _GLYPH * max(len(name) for name in names)
    width = left + _CELL[0] * len(names) + 0.7 * _GLYPH * max(len(name) for name in names)
    height = top + _CELL[1] * len(boards) + 8
    parts = [
        MARK,
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        'font-family="sans-serif" font-size="11" role="img">',
        f"<title>{_text(f'AUROC on {boards[0].task}, a test set a line')}</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
    ]
    for column, name in enumerate(names):
        x = left + _CELL[0] * (column + 0.5)
        parts.append(f'<text transform="translate({x:.0f} {top - 5:.0f}) rotate(-45)">{_text(name)}</text>')
    for line, board in enumerate(boards):
        y = top + _CELL[1] * line
        name = _text(board.test + " †" * board.is_attack)
        parts.append(f'<text x="{left - 6:.0f}" y="{y + 14:.0f}" text-anchor="end">{name}</text>')
        rows = board.headlines
        for column, name in enumerate(names):
            if name in rows:
                parts += _cell(rows[name], left + _CELL[0] * column, y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _cell(row: Row, x: float, y: float) -> list[str]:
    wide, high = _CELL
    box = f'x="{x:.0f}" y="{y:.0f}" width="{wide - 1}" height="{high - 1}"'
    if row.failed or row.auroc is None:
        sign = "×" if row.failed else ""
        return [
            f'<rect {box} fill="#ddd"/><text x="{x + wide / 2:.0f}" y="{y + 14:.0f}" text-anchor="middle">{sign}</text>'
        ]
    value = row.auroc.estimate
    end = _ABOVE if value > 0.5 else _BELOW
    share = abs(value - 0.5) * 2
    shade = [round(c + (e - c) * share) for c, e in zip(_CHANCE, end, strict=True)]
    colour = "#" + "".join(f"{part:02x}" for part in shade)
    light = sum(weight * part for weight, part in zip((0.30, 0.59, 0.11), shade, strict=True))
    ink = "#000" if light > 128 else "#fff"
    return [
        f'<rect {box} fill="{colour}"/>'
        f'<text x="{x + wide / 2:.0f}" y="{y + 14:.0f}" text-anchor="middle" fill="{ink}">{value:.3f}</text>'
    ]


def _text(value: str) -> str:
    return escape(printable(value))
