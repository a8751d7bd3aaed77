"""What a trial that raised has come to."""

from __future__ import annotations


class InvalidScores(Exception):
    """Scores, or a gradient, that are none: status ``invalid``, never a number on the board."""


def judge(error: Exception) -> tuple[str, str]:
    """Return the status and reason of a trial that raised."""
    if isinstance(error, InvalidScores):
        return "invalid", str(error)
    text = str(error) or "no message"
    # torch, BLAS and others report a refused allocation as a plain RuntimeError.
    if any(words in text.lower() for words in ("can't allocate memory", "not enough memory", "std::bad_alloc")):
        return "memory", text
    return "error", f"{type(error).__name__}: {text}"
