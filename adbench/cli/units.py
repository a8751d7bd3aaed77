"""Durations, sizes and folders as people write them."""

from __future__ import annotations

import math
import re
from pathlib import Path

import click

from adbench.errors import UsageError

FOLDER = click.Path(file_okay=False, path_type=Path)

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_BYTES |= {"k": 2**10, "m": 2**20, "g": 2**30, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def seconds(option: str, text: str) -> float | None:
    """Return a duration in seconds; ``none`` is None.

    Examples
    --------
    >>> seconds("--timeout", "10m"), seconds("--timeout", "1.5h"), seconds("--timeout", "none")
    (600.0, 5400.0, None)
    """
    return None if text == "none" else _parse(option, text, _SECONDS, "90, 30s, 10m or 1.5h")


def size(option: str, text: str) -> int:
    """Return a size in bytes.

    Examples
    --------
    >>> size("--memory", "4GB"), size("--memory", "512MiB")
    (4000000000, 536870912)
    """
    return int(_parse(option, text, _BYTES, "500MB, 4GB or 2GiB"))


def told_size(number: float) -> str:
    """Return a number of bytes as people say it.

    Examples
    --------
    >>> told_size(512), told_size(9_912_422), told_size(2.5e9)
    ('512 B', '9.9 MB', '2.5 GB')
    """
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.1f} {unit}" if unit != "B" else f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def _parse(option: str, text: str, units: dict[str, int], examples: str) -> float:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if not match or match.group(2).lower() not in units or not 0 < float(match.group(1)) < math.inf:
        raise UsageError(f"{option} takes something like {examples}; got {text!r}")
    return float(match.group(1)) * units[match.group(2).lower()]
