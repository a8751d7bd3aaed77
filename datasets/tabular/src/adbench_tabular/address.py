"""Addresses of a user's own file: ``file:PATH#key=value&key=value``."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from urllib.parse import unquote

from adbench import DatasetSpec, UsageError
from adbench_tabular.tasks import NOVELTY, OUTLIER, PRELOAD

SUFFIXES = (".npz", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
_KEYS = ("label", "normal", "setting", "name")
_TASKS = {"novelty": (NOVELTY,), "outlier": (OUTLIER,)}
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}\Z")


def open_file(address: str) -> DatasetSpec | None:
    """Return the dataset for a ``file:`` address, or None for any other address.

    Path and values are percent-decoded, so write ``%23`` for ``#``, ``%26`` for ``&`` and ``%25`` for ``%``.

    Raises
    ------
    UsageError
        If the file is not there or of no known format, or a key or its value is wrong.
    """
    scheme, _, rest = address.partition(":")
    if scheme != "file":
        return None
    location, _, query = rest.partition("#")
    options = _parse(query)
    path = _check_path(unquote(location))
    if path.name.lower().endswith(".npz") and "label" in options:
        raise UsageError(f"{path.name}: 'label' is for csv, tsv and parquet; an .npz holds its labels as y")
    return DatasetSpec(
        name=options.get("name") or _slug(path),
        target="adbench_tabular.tables:UserTable",
        summary=f"A user's own table: {path.name}.",
        licence="the user's own data",
        modality="table",
        preload=PRELOAD,
        tasks=_TASKS[options["setting"]] if "setting" in options else (NOVELTY, OUTLIER),
        params={"path": str(path), "label": options.get("label"), "normal": options.get("normal")},
    )


def _parse(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, equals, text = part.partition("=")
        value = unquote(text)
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"no key {key!r} in a file: address.{hint} Known: {', '.join(_KEYS)}.")
        if not equals or not value:
            raise UsageError(f"{key!r} in a file: address needs a value: {key}=VALUE")
        if key in options:
            raise UsageError(f"{key!r} stands twice in a file: address")
        options[key] = value
    if (setting := options.get("setting", "novelty")) not in _TASKS:
        raise UsageError(f"'setting' of a file: address must be novelty or outlier; got {setting!r}")
    if not _NAME.match(name := options.get("name", "ok")):
        raise UsageError(
            f"'name' of a file: address is up to 80 lower-case letters, digits, '-', '_' and '.'; got {name!r}"
        )
    return options


def _check_path(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not text or not path.exists():
        raise UsageError(f"no such file: {text!r}")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise UsageError(f"not a readable file: {text!r}")
    if not path.name.lower().endswith(SUFFIXES):
        raise UsageError(f"{path.name}: expected a file that ends in one of {', '.join(SUFFIXES)}")
    return path


def _slug(path: Path) -> str:
    """Return the file's stem as a dataset's name."""
    stem = path.name.lower()
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    return re.sub(r"[^a-z0-9_.-]+", "-", stem).strip("-_.")[:80] or "table"
