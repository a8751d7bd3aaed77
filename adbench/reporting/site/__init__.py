"""The offline page: one HTML file with its data, its libraries and its pictures, which asks the network for nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from gzip import decompress
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from adbench.reporting.words import MARK

SCRIPTS = ("base", "state", "cells", "tables", "filters", "charts", "plots", "trial", "dialog", "app")
"""The page's own scripts, in the order in which they are joined."""


def page(data: Mapping[str, Any], blocks: Mapping[str, str], images: Mapping[str, str]) -> str:
    """Return the leaderboard as one self-contained HTML document.

    Parameters
    ----------
    data : mapping
        Title, legend and sections (boards) with their detectors, rows and charts: what shows when the page opens.
    blocks : mapping
        Name of a trial's block -> base64 of its gzipped JSON, read only when a row that names it is opened.
    images : mapping
        Name of an image -> its ``data:`` address, shared by the blocks.

    Returns
    -------
    str
        The document; the same for the same input. No text of the input can leave the element that it stands in.

    Raises
    ------
    ValueError
        If ``data`` holds NaN or infinity, which JSON has no word for, or a block is not base64.
    """
    tables, charts, licences = _asset("vendor/tables.min.js"), _bytes("vendor/charts.min.js.gz"), "vendor/LICENSES.txt"
    script = '"use strict";\n(() => {\n' + "".join(_asset(f"{name}.js") for name in SCRIPTS) + "})();\n"
    allowed = (tables, script, decompress(charts).decode())
    return Template(_asset("page.html")).substitute(
        mark=MARK,
        title=escape(_encodable(str(data["title"]))),
        allowed=" ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in allowed),
        style=_asset("vendor/tabulator.min.css") + _asset("style.css"),
        data=_json({**data, "sections": [_packed(section) for section in data["sections"]]}),
        images=_json(images),
        blocks="\n".join(_block(name, text) for name, text in blocks.items()),
        licences=escape(_asset(licences)),
        charts=b64encode(charts).decode(),
        tables=tables,
        script=script,
    )


def _asset(name: str) -> str:
    return _bytes(name).decode()


def _bytes(name: str) -> bytes:
    return (files(__name__) / name).read_bytes()


def _packed(section: Mapping[str, Any]) -> dict[str, Any]:
    """Name a section's columns once, not in each of its rows: thousands of rows share them."""
    rows = section["rows"]
    fields = list(dict.fromkeys(field for row in rows for field in row))
    return {**section, "rows": {"fields": fields, "values": [[row.get(field) for field in fields] for row in rows]}}


def _json(value: object) -> str:
    """Return JSON that may stand in a script element: it closes none, opens no comment and is plain ASCII."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _block(name: str, text: str) -> str:
    if not (text.isascii() and text.replace("+", "").replace("/", "").rstrip("=").isalnum()):
        raise ValueError(f"block {name!r} must be base64; got {text[:20]!r}")
    return f'<script type="text/plain" id="block-{escape(_encodable(name))}">{text}</script>'


def _encodable(text: str) -> str:
    """Replace what no encoding can write: half of a surrogate pair."""
    return text.encode(errors="replace").decode()
