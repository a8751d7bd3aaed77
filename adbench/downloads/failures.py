"""Why a source did not give a file."""

from __future__ import annotations


class SourceFailed(Exception):
    """A source that cannot give a file.

    Parameters
    ----------
    reason
        In a few words, for a line that names the source.
    missing
        It answers, and does not have the file.
    unreachable
        It does not answer at all: no other file need be asked of it.
    """

    def __init__(self, reason: str, *, missing: bool = False, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing
        self.unreachable = unreachable


class Dropped(SourceFailed):
    """A source that may do better when it is asked again.

    Parameters
    ----------
    wait
        Seconds after which it wants to be asked; None: it did not say.
    """

    def __init__(self, reason: str, *, wait: float | None = None, unreachable: bool = False) -> None:
        super().__init__(reason, unreachable=unreachable)
        self.wait = wait
