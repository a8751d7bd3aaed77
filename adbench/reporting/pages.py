"""Pages on disk: written whole, compared byte by byte, and never over somebody else's file."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from adbench.errors import UsageError
from adbench.reporting.words import MARK


def check_folder(out: Path, names: Iterable[str] = ("README.md", "index.html", "thresholds.md", "cost.md")) -> None:
    """Raise UsageError if pages of these names cannot be written to ``out``, or are somebody else's."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f"the folder {out} cannot be written: {error.strerror}; give another --out") from error
    for name in names:
        if (out / name).exists() and not _is_ours(out / name):
            raise UsageError(f"{out / name} was not made by adbench and would be overwritten; give another --out")


def write(pages: Mapping[str, str], out: Path, *, tidy: bool = True) -> list[Path]:
    """Write pages and return their paths; with ``tidy``, remove those we made that no longer belong."""
    check_folder(out, pages)
    for path in _ours(out):
        if tidy and path.name not in pages:
            path.unlink()
    written = []
    for name, page in pages.items():
        path = out / name
        partial = path.with_name(f".{name}.partial")
        partial.write_text(page, encoding="utf-8", newline="\n")
        partial.replace(path)
        written.append(path)
    return written


def differences(pages: Mapping[str, str], out: Path) -> list[str]:
    """Return one line for each page on disk that is not what it should be, with the first difference."""
    found = [f"{path.name}: no longer belongs here" for path in _ours(out) if path.name not in pages]
    for name, page in pages.items():
        path = out / name
        if not path.is_file():
            found.append(f"{name}: is missing")
        elif (there := path.read_bytes().decode(errors="replace")) != page:
            changed = difflib.unified_diff(there.split("\n"), page.split("\n"), n=0, lineterm="")
            first = next((line for line in changed if line[:1] in "+-" and line[:3] not in ("+++", "---")), "")
            found.append(f"{name}: differs, first at {first[:100]!r}")
    return found


def _ours(out: Path) -> list[Path]:
    return [path for path in sorted((*out.glob("*.md"), *out.glob("*.svg"), *out.glob("*.html"))) if _is_ours(path)]


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().strip() == MARK
