"""Addresses of a user's own data: ``file:PATH#key=value&key=value``."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from adbench import ARCHIVE_SUFFIXES, DatasetSpec, UsageError
from adbench_tabular.tasks import IMAGE_NOVELTY, IMAGE_OUTLIER, NOVELTY, OUTLIER, PRELOAD, PYOD_6040

TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
_SUFFIXES = (".npz", *TABLES, *ARCHIVE_SUFFIXES)
_KEYS = ("label", "normal", "size", "setting", "name")
_SETTINGS = ("novelty", "outlier", "pyod-6040")
_TASKS = {
    "table": {"novelty": NOVELTY, "outlier": OUTLIER, "pyod-6040": PYOD_6040},
    "image": {"novelty": IMAGE_NOVELTY, "outlier": IMAGE_OUTLIER},
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}\Z")
_SIZE = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})\Z")


def open_file(address: str) -> DatasetSpec | None:
    """Return the dataset for a ``file:`` address, or None for any other address.

    Path and values are percent-decoded, so write ``%23`` for ``#``, ``%26`` for ``&`` and ``%25`` for ``%``.

    Raises
    ------
    UsageError
        If the file is not there or of no known format, or a key or its value is wrong.
    DatasetError
        If the file is an npz without readable headers: they tell a table from images.
    """
    scheme, _, rest = address.partition(":")
    if scheme != "file":
        return None
    location, _, query = rest.partition("#")
    options = _parse(query)
    path = _check_path(unquote(location))
    of_images = path.is_dir() or path.name.lower().endswith(ARCHIVE_SUFFIXES)
    _check_keys(path, options, of_images)
    modality = "image" if of_images or _holds_images(path) else "table"
    params: dict[str, Any] = {"path": str(path), "normal": options.get("normal")}
    if of_images:
        size = _SIZE.match(options.get("size", ""))
        params["size"] = [int(side) for side in size.groups()] if size else None
    else:
        params["label"] = options.get("label")
    return DatasetSpec(
        # Another normal class is another dataset: results of both stand side by side.
        name=options.get("name") or _slug(path, f"-normal-{options['normal']}" if "normal" in options else ""),
        target=f"adbench_tabular.tables:{'UserImages' if of_images else 'UserFile'}",
        summary=f"A user's own {modality}{'s' if modality == 'image' else ''}: {path.name}.",
        licence="the user's own data",
        modality=modality,
        preload=PRELOAD,
        tasks=_tasks(path, modality, options.get("setting")),
        params=params,
    )


def _holds_images(path: Path) -> bool:
    if not path.name.lower().endswith(".npz"):
        return False
    from adbench_tabular.readers import npz_shape  # brings numpy, which listing can do without

    return len(npz_shape(path)) in (3, 4)


def _tasks(path: Path, modality: str, setting: str | None) -> tuple[Any, ...]:
    by_setting = _TASKS[modality]
    if setting is None:
        return by_setting["novelty"], by_setting["outlier"]
    if setting not in by_setting:
        raise UsageError(f"{path.name}: 'setting' of images must be {' or '.join(by_setting)}; got {setting!r}")
    return (by_setting[setting],)


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
    if (setting := options.get("setting", "novelty")) not in _SETTINGS:
        raise UsageError(f"'setting' of a file: address must be one of {', '.join(_SETTINGS)}; got {setting!r}")
    if not _SIZE.match(size := options.get("size", "1x1")):
        raise UsageError(f"'size' of a file: address is WIDTHxHEIGHT in pixels, such as 32x32; got {size!r}")
    if not _NAME.match(name := options.get("name", "ok")):
        raise UsageError(
            f"'name' of a file: address is up to 80 lower-case letters, digits, '-', '_' and '.'; got {name!r}"
        )
    return options


def _check_path(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not text or not path.exists():
        raise UsageError(f"no such file: {text!r}")
    if not (path.is_file() or path.is_dir()) or not os.access(path, os.R_OK):
        raise UsageError(f"not a readable file: {text!r}")
    if path.is_file() and not path.name.lower().endswith(_SUFFIXES):
        raise UsageError(f"{path.name}: expected a folder, or a file that ends in one of {', '.join(_SUFFIXES)}")
    return path


def _check_keys(path: Path, options: dict[str, str], of_images: bool) -> None:
    if "label" in options and not path.name.lower().endswith(TABLES):
        held = "images have their folder's name" if of_images else "an .npz holds its labels as y"
        raise UsageError(f"{path.name}: 'label' is for csv, tsv and parquet; {held}")
    if "size" in options and not of_images:
        raise UsageError(f"{path.name}: 'size' is for folders and archives of images")


def _slug(path: Path, suffix: str = "") -> str:
    """Return the file's stem, with what sets it apart, as a dataset's name."""
    stem = path.name.lower()
    for ending in () if path.is_dir() else sorted(_SUFFIXES, key=len, reverse=True):
        stem = stem.removesuffix(ending)
    return re.sub(r"[^a-z0-9_.-]+", "-", f"{stem}{suffix.lower()}").strip("-_.")[:80] or "data"
