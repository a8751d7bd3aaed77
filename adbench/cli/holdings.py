"""Holdings as text: an overview of many datasets, everything known of a few, and JSON."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Any
from urllib.parse import urlsplit

from adbench.cli.units import told_size
from adbench.finder import Finder, downloads_folder
from adbench.inventory import COMPLETE, DAMAGED, MISSING, VARIANT, Holding
from adbench.reporting.words import counted

_INDENT = "    "
_WIDEST = 24
"""A longer name or variant stands out of its column."""


def overview(holdings: Sequence[Holding], finder: Finder) -> Iterator[str]:
    """Yield what is here, a few lines each, then what is missing, by what to do about it."""
    here = [each for each in holdings if each.state in (COMPLETE, VARIANT)]
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(*map(_names, here), strict=True)]
    for (licence, source), same in groupby(here, key=lambda each: (each.spec.licence, each.spec.source)):
        for each in same:
            yield from _line(each, widths, finder)
            if each.state == VARIANT:
                yield from _paragraph(_advice(each))
        yield from _paragraph(f"{licence or 'licence not stated'} | {source or 'no citation'}")
    for damaged in (each for each in holdings if each.state == DAMAGED):
        yield f"{damaged.spec.name}  DAMAGED"
        yield from _paragraph(damaged.told)
    for group in _by_advice([each for each in holdings if each.state == MISSING]):
        yield ""
        yield from wrap(f"not here ({len(group)}): {', '.join(each.spec.name for each in group)}", _columns())
        yield from _paragraph(("" if len(group) == 1 else "e.g. ") + _advice(group[0]))
    yield ""
    yield from wrap(
        f"{len(here)} of {len(holdings)} datasets are here, {sum(map(_is_official, here))} of them "
        "complete and official. 'adbench data status NAME' shows everything known of one.",
        _columns(),
    )


def at_length(holdings: Sequence[Holding]) -> Iterator[str]:
    """Yield everything known of each dataset."""
    for number, each in enumerate(holdings):
        if number:
            yield ""
        yield f"{each.spec.name}: {each.spec.summary}"
        for name, text in _fields(each):
            first, *rest = wrap(text, _columns() - 16, break_long_words=False, break_on_hyphens=False) or [""]
            yield f"{_INDENT}{name:<12}{first}"
            yield from (f"{_INDENT}{'':<12}{line}" for line in rest)


def as_json(each: Holding) -> dict[str, Any]:
    """Return a holding as plain values."""
    return {
        "name": each.spec.name,
        "state": each.state,
        "variant": each.variant,
        "rows": each.rows,
        "arrays": {name: list(shape) for name, shape in each.shapes.items()},
        "fingerprint": each.fingerprint,
        "licence": each.spec.licence,
        "citation": each.spec.source,
        "files": [str(path) for path in each.files],
        "told": each.told,
        "to_fetch": [file.path for file in each.lacking],
    }


def _fields(each: Holding) -> Iterator[tuple[str, str]]:
    complete = "complete official data" if _is_official(each) else "complete"
    yield "state", {COMPLETE: complete, VARIANT: f"variant {each.variant}"}.get(each.state, each.state)
    if each.fingerprint:
        yield "rows", f"{each.rows:,}"
        shapes = (f"{name} {'×'.join(map(str, shape))}" for name, shape in each.shapes.items())
        yield "arrays", ", ".join(shapes)
        yield "fingerprint", each.fingerprint
    yield "licence", each.spec.licence or "not stated"
    yield "citation", each.spec.source or "not stated"
    for number, path in enumerate(each.files):
        yield "" if number else "files", str(path)
    yield "note", each.told
    for number, file in enumerate(each.spec.files):
        hosts = ", ".join(urlsplit(url).netloc or url for url in file.urls) or "no address known"
        yield "" if number else "upstream", f"{file.path}{' (not here)' * (file in each.lacking)}: {hosts}"
    if each.lacking:
        yield "to do", _fetch_hint(each)


def _line(each: Holding, widths: Sequence[int], finder: Finder) -> Iterator[str]:
    name, variant = (text.ljust(width) for text, width in zip(_names(each), widths, strict=True))
    line = f"{name}  {variant}  {each.rows:>9,} rows  {each.fingerprint[:8]}  "
    places = _places(each, finder)
    if len(line) + len(places) <= _columns():
        yield line + places
        return
    yield line.rstrip()
    yield from _paragraph(places)


def _is_official(each: Holding) -> bool:
    return each.state == COMPLETE and bool(each.spec.files)


def _names(each: Holding) -> tuple[str, str]:
    return each.spec.name, f"@{each.variant}" if each.variant else "complete"


def _places(each: Holding, finder: Finder) -> str:
    """Return the folders a dataset's files are in, relative to the cache or the data folder where they are there."""
    by_root: dict[str, dict[str, None]] = {}
    for path in each.files:
        root = next((folder for folder in finder.folders if path.is_relative_to(folder)), None)
        if root is not None:
            called = "cache" if root == downloads_folder() else "data folder"
            by_root.setdefault(called, {})[f"{path.parent.relative_to(root)}/"] = None
        elif not any(path.is_relative_to(folder) for folder in sys.path if folder):
            by_root.setdefault("elsewhere", {})[f"{path.parent}/"] = None
    return (
        "; ".join(f"{called}: {', '.join(places)}" for called, places in by_root.items()) or "from installed packages"
    )


def _by_advice(missing: Sequence[Holding]) -> list[list[Holding]]:
    """Return the datasets in groups that one advice serves: those of one kind, to be fetched or not."""
    groups: dict[tuple[str, bool], list[Holding]] = {}
    for each in missing:
        groups.setdefault((each.spec.target, bool(each.lacking)), []).append(each)
    return sorted(groups.values(), key=len)


def _advice(each: Holding) -> str:
    """Return what was found and what to do for the real thing."""
    return f"{each.told.rstrip('.')}. {_fetch_hint(each)}" if each.lacking else each.told


def _fetch_hint(each: Holding) -> str:
    sizes = [file.size for file in each.lacking if file.size is not None]
    told = f", {told_size(sum(sizes))}" if len(sizes) == len(each.lacking) else ""
    return f"'adbench data fetch {each.spec.name}' fetches {counted(len(each.lacking), 'official file')}{told}."


def _paragraph(text: str) -> list[str]:
    return wrap(
        text,
        _columns(),
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _columns() -> int:
    return max(60, min(100, shutil.get_terminal_size((100, 24)).columns))
