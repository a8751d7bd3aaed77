"""Who is told of a fetch's progress."""

from __future__ import annotations

import warnings


class Watch:
    """Takes note of a fetch's progress; this one shows nothing."""

    def advanced(self, path: str, done: int, total: int | None) -> None:
        """Take note that ``done`` bytes of a file are here, of ``total`` if that is known."""

    def brought(self, path: str, source: str, size: int) -> None:
        """Take note that a file is whole and checked."""

    def paused(self, path: str, reason: str, seconds: float) -> None:
        """Take note that a source failed, and is asked again in so many seconds."""

    def said(self, line: str) -> None:
        """Take note of a line for the user."""


class WarningWatch(Watch):
    """For use from Python: what a user must know is a warning."""

    def said(self, line: str) -> None:
        """Warn."""
        warnings.warn(line, RuntimeWarning, stacklevel=2)
