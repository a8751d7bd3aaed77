"""What a run shows: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from adbench.errors import one_line
from adbench.planning.trial import Trial
from adbench.record import Record

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_SHOWN_FAILURES = 5


class QuietView:
    """Shows nothing."""

    def begin(self, total: int, forecast: float | None) -> None:
        """Do nothing."""

    def started(self, trial: Trial) -> None:
        """Do nothing."""

    def progress(self, trial: Trial, label: str, done: int, total: int | None) -> None:
        """Do nothing."""

    def finished(self, trial: Trial, record: Record, remaining: float | None) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class PlainView(QuietView):
    """One line an outcome, for logs and pipes."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._done = 0
        self._total = 0

    def begin(self, total: int, forecast: float | None) -> None:
        """Say how many trials there are."""
        self._total = total
        known = f", about {told_seconds(forecast)} by earlier timings" if forecast is not None and total else ""
        self._say(f"{total} trial{'s' * (total != 1)} to run{known}")

    def finished(self, trial: Trial, record: Record, remaining: float | None) -> None:
        """Say how a trial ended."""
        self._done += 1
        reason = f": {one_line(record.reason, 300)}" if record.reason else ""
        detector, task = one_line(trial.detector_label), one_line(trial.task_label)
        self._say(
            f"[{self._done}/{self._total}] {detector}  {task} #{trial.repetition}  "
            f"{record.status} {told_seconds(record.seconds)}{reason}"
        )

    def _say(self, line: str) -> None:
        try:
            print(line, file=self._out, flush=True)
        except BrokenPipeError:
            silence(self._out)


class LiveView(QuietView):
    """A view that is redrawn in place: running cells with their progress, failures, time left."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._running: dict[str, tuple[Trial, float, str]] = {}
        self._tally: Counter[str] = Counter()
        self._failures: list[str] = []
        self._total = 0
        self._remaining: float | None = None
        self._reckoned = time.monotonic()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)

    def begin(self, total: int, forecast: float | None) -> None:
        """Start drawing."""
        self._total, self._remaining, self._reckoned = total, forecast, time.monotonic()
        if total:
            self._live.start()

    def started(self, trial: Trial) -> None:
        """Add a running cell."""
        self._running[trial.key] = (trial, time.monotonic(), "")

    def progress(self, trial: Trial, label: str, done: int, total: int | None) -> None:
        """Say how far a running cell is."""
        if trial.key in self._running:
            _, since, _ = self._running[trial.key]
            self._running[trial.key] = (
                trial,
                since,
                one_line(f"{label} {done}/{total}" if total else f"{label} {done}", 60),
            )

    def finished(self, trial: Trial, record: Record, remaining: float | None) -> None:
        """Count an outcome; failures stay in sight."""
        self._running.pop(trial.key, None)
        self._tally[record.status] += 1
        self._remaining, self._reckoned = remaining, time.monotonic()
        if record.status != "ok":
            line = f"{record.status}: {trial.detector_label} on {trial.task_label}: {record.reason}"
            self._failures.append(one_line(line))

    def end(self) -> None:
        """Stop drawing and leave the failures on the screen."""
        self._live.stop()
        for line in self._failures:
            self._console.print(line, style="red", markup=False, highlight=False)

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        done = sum(self._tally.values())
        failed = done - self._tally["ok"]
        head = Table.grid(padding=(0, 2))
        head.add_row(
            ProgressBar(total=self._total, completed=done, width=30),
            Text(f"{done}/{self._total} trials"),
            Text(f"{failed} not ok", style="red" if failed else "dim"),
            Text(self._time_left(), style="cyan"),
        )
        cells = Table.grid(padding=(0, 2))
        for trial, since, progress in list(self._running.values()):
            cells.add_row(
                Text(one_line("▸ " + trial.detector_label), style="bold"),
                Text(one_line(f"{trial.task_label} #{trial.repetition}")),
                Text(told_seconds(time.monotonic() - since), style="dim"),
                Text(progress, style="cyan"),
            )
        failures = [Text(line, style="red", no_wrap=True) for line in self._failures[-_SHOWN_FAILURES:]]
        return Group(head, cells, *failures, Text("Ctrl-C stops; finished trials are kept", style="dim"))

    def _time_left(self) -> str:
        if self._remaining is None:
            return "time left: not known yet"
        return f"about {told_seconds(max(0.0, self._remaining - (time.monotonic() - self._reckoned)))} left"


def silence(stream: TextIO) -> None:
    """Send what is still written to a stream nowhere: its reader, ``head`` say, has seen enough."""
    with contextlib.suppress(OSError, ValueError):  # no stream of this process
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


def told_seconds(seconds: float) -> str:
    """Return a duration as people say it.

    Examples
    --------
    >>> told_seconds(0.0321), told_seconds(75), told_seconds(3720)
    ('0.03 s', '1 min 15 s', '1 h 2 min')
    """
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
