"""What a fetch shows: bars on a terminal, a line for each file elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from adbench.cli.units import told_size
from adbench.downloads.watch import Watch

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def fetch_watch() -> Iterator[Watch]:
    """Give what shows a fetch on the error stream."""
    if not sys.stderr.isatty():
        yield _PlainWatch()
        return
    watch = _LiveWatch()
    try:
        yield watch
    finally:
        watch.end()


class _PlainWatch(Watch):
    def brought(self, path: str, source: str, size: int) -> None:
        self.said(f"{path}: {told_size(size)} from {source}")

    def said(self, line: str) -> None:
        click.echo(f"adbench: {line}", err=True)


class _LiveWatch(Watch):
    """Draws from the first byte on, so that a run that fetches nothing shows nothing."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}

    def advanced(self, path: str, done: int, total: int | None) -> None:
        progress = self._drawn()
        if path not in self._bars:
            self._bars[path] = progress.add_task(path, total=total)
        progress.update(self._bars[path], completed=done, total=total)

    def paused(self, path: str, reason: str, seconds: float) -> None:
        if seconds >= 1:
            self.said(f"{path}: {reason}; asking again in {seconds:.0f} s")

    def said(self, line: str) -> None:
        self._drawn().console.print(f"adbench: {line}", markup=False, highlight=False)

    def end(self) -> None:
        if self._progress:
            self._progress.stop()

    def _drawn(self) -> Progress:
        if self._progress is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            name = TextColumn("{task.description}", markup=False)
            columns = (name, BarColumn(20), DownloadColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=Console(stderr=True))
            self._progress.start()
        return self._progress
