"""What a plugin says during a trial: progress, its training curve, notes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

import numpy as np
from numpy.typing import NDArray

from adbench import tracking
from adbench.errors import one_line
from adbench.execution import frames

MOST_NOTES = 20
NOTE_LENGTH = 300
_TOLD_EVERY_SECONDS = 0.1
_LEFT_OUT = f"more than {MOST_NOTES} notes: the rest is left out"

Arrays = dict[str, NDArray[np.generic]]


class Hearing:
    """Passes on a trial's progress, a few times a second at most, and collects its curve and notes.

    Parameters
    ----------
    pipe
        File descriptor for progress frames, or None.
    """

    def __init__(self, pipe: int | None) -> None:
        self.notes: list[str] = []
        self._pipe = pipe
        self._told = 0.0
        self._points: list[tuple[int, dict[str, float]]] = []
        self._earlier: Arrays | None = None

    def progress(self, label: str, done: int, total: int | None) -> None:
        """Tell the host, unless it has just been told."""
        now = time.monotonic()
        if self._pipe is None or now - self._told < _TOLD_EVERY_SECONDS:
            return
        self._told = now
        # The host no longer listens to a child that has written garbage.
        with suppress(BrokenPipeError):
            frames.write(self._pipe, {"label": label[:200], "done": done, "total": total})

    def log(self, step: int, values: dict[str, float]) -> None:
        """Add a point to the curve."""
        self._points.append((step, values))

    def note(self, text: str) -> None:
        """Add a note, one line of bounded length, unless it is known or there are too many."""
        line = one_line(text, NOTE_LENGTH)
        if line and line not in self.notes:
            if len(self.notes) < MOST_NOTES:
                self.notes.append(line)
            else:
                self.notes[MOST_NOTES:] = [_LEFT_OUT]

    def recall(self, curve: Mapping[str, NDArray[np.generic]], notes: Iterable[str]) -> None:
        """Take over what an earlier fit said: its curve, and its notes."""
        self._earlier = {name: array for name, array in curve.items() if name.startswith("curve/")}
        for text in notes:
            self.note(text)

    def curve(self) -> Arrays:
        """Return ``curve/step`` and ``curve/NAME``, NaN where a step logged no such value."""
        if self._earlier is not None:
            return self._earlier
        if not self._points:
            return {}
        names = sorted({name for _, values in self._points for name in values})
        curves = {name: [values.get(name, np.nan) for _, values in self._points] for name in names}
        steps = {"curve/step": np.array([step for step, _ in self._points])}
        return steps | {f"curve/{name}": np.array(curve) for name, curve in curves.items()}


@contextmanager
def listening(hearing: Hearing) -> Iterator[None]:
    """Hear what a plugin says inside."""
    tracking.set_listener(hearing)
    try:
        yield
    finally:
        tracking.set_listener(None)
