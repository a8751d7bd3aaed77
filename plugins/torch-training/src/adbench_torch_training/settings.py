"""Hyperparameters out of range, refused before anything is trained."""

from __future__ import annotations

from typing import Any

from adbench import UsageError


def require(detector: Any, *, positive: tuple[str, ...] = (), **least: int) -> None:
    """Refuse hyperparameters that are too small.

    Parameters
    ----------
    detector
        Has them as attributes.
    positive
        Names of those that must be above 0.
    **least
        Name -> the least value.

    Raises
    ------
    UsageError
        With the name, what is expected and what was got.
    """
    for name, value in least.items():
        if getattr(detector, name) < value:
            raise UsageError(f"{name!r} must be {value} or more; got {getattr(detector, name)}")
    for name in positive:
        if not getattr(detector, name) > 0:
            raise UsageError(f"{name!r} must be above 0; got {getattr(detector, name)}")
