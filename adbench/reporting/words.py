"""How pages say things: escaped text, numbers, tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from adbench.intervals import Interval

MARK = "<!-- made by adbench leaderboard -->"


def printable(value: object) -> str:
    """Return a text on one line, with a sign in place of what steers a terminal, a page's direction or an encoding."""
    return visible(" ".join(str(value).split()))


def visible(value: str) -> str:
    """Return a text of one or more lines with nothing in it that cannot be seen."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in value)


def all_visible(value: Any) -> Any:
    """Return plain values in which every text is :func:`visible`, names of parts too."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible(str(name)): all_visible(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [all_visible(part) for part in value]
    return value


def text(value: object, most: int | None = None) -> str:
    """Return a plugin's or user's text, or ``most`` signs of it, so that Markdown and HTML show it as it is."""
    flat = printable(value)
    if most is not None and len(flat) > most:
        flat = flat[: most - 1] + "…"
    escaped = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", escaped)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "trial"), counted(2, "trial")
    ('1 trial', '2 trials')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def with_limits(interval: Interval) -> str:
    """Return an estimate with its 95 % limits."""
    return f"{interval.estimate:.3f} [{interval.lower:.3f}, {interval.upper:.3f}]"


def number(value: float | None, decimals: int = 3) -> str:
    """Return some decimals, or nothing for None."""
    return "" if value is None else f"{value:.{decimals}f}"


def seconds(value: float | None) -> str:
    """Return seconds with about three digits, or nothing for None."""
    if value is None:
        return ""
    return f"{value:.3f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def megabytes(value: float | None) -> str:
    """Return whole MB, or nothing for None."""
    return "" if value is None else f"{value:,.0f}"


def rows_of(number: int, kind: str) -> str:
    """Return a number of rows of a kind.

    Examples
    --------
    >>> rows_of(1200, "training")
    '1,200 training rows'
    """
    return f"{number:,} {kind} rows"


def marked(detector: str, is_floor: bool) -> str:
    """Return a detector's name, a floor's in italics."""
    return f"*{text(detector)}*" if is_floor else text(detector)


def code(lines: str) -> str:
    """Return a block with shell commands."""
    return f"```sh\n{lines}\n```"


def folded(summary: str, *parts: str) -> str:
    """Return parts that a page shows on a click; the summary is plain text, the parts are Markdown."""
    # Inside an HTML block no backslash escapes anything: every sign that could mean something is an entity.
    told = re.sub(r"[^\w\s.,:;@=()†-]", lambda sign: f"&#{ord(sign[0])};", printable(summary))
    return "\n\n".join([f"<details><summary>{told}</summary>", *(part for part in parts if part), "</details>"])


def table(lines: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    """Return a Markdown table of cells that are escaped already; names to the left, numbers to the right."""
    plain: Callable[[str], bool] = {"detector", "task", "test", "rule", "group", ""}.__contains__
    align = ["left" if plain(name) else "right" for name in head]
    return tabulate(lines, headers=head, tablefmt="pipe", disable_numparse=True, colalign=align)
