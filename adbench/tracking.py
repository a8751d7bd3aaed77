"""Progress and training curves from inside ``fit``; silent outside a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

T = TypeVar("T")


class Listener(Protocol):
    """Where progress and logged values go during a trial."""

    def progress(self, label: str, done: int, total: int | None) -> None:
        """Take note that ``done`` of ``total`` steps of ``label`` are over."""
        ...

    def log(self, step: int, values: dict[str, float]) -> None:
        """Take note of a point on the training curve."""
        ...


_listener: Listener | None = None


def set_listener(listener: Listener | None) -> None:
    """Send progress to ``listener`` (None: nowhere); called by the harness in a trial's process."""
    global _listener
    _listener = listener


def track(iterable: Iterable[T], label: str = "") -> Iterator[T]:
    """Yield from ``iterable`` and tell the progress display how far it is.

    Parameters
    ----------
    iterable
        For instance ``range(epochs)``.
    label
        What the steps are, for instance ``"epoch"``.

    Examples
    --------
    >>> [epoch for epoch in track(range(3), "epoch")]
    [0, 1, 2]
    """
    total = len(iterable) if isinstance(iterable, Sized) else None
    for done, item in enumerate(iterable):
        if _listener is not None:
            _listener.progress(label, done, total)
        yield item


def log(step: int, **values: float) -> None:
    """Add a point to the trial's stored training curve.

    Parameters
    ----------
    step
        Epoch or update number, rising.
    **values
        For instance ``loss=0.31``.
    """
    if _listener is not None:
        _listener.log(step, {name: float(value) for name, value in values.items()})
