"""Progress, training curves and notes from inside a detector; silent outside a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

T = TypeVar("T")


class Listener(Protocol):
    """Where progress, logged values and notes go during a trial."""

    def progress(self, label: str, done: int, total: int | None) -> None:
        """Take note that ``done`` of ``total`` steps of ``label`` are over."""
        ...

    def log(self, step: int, values: dict[str, float]) -> None:
        """Take note of a point on the training curve."""
        ...

    def note(self, text: str) -> None:
        """Take note of what a reader of the table must know."""
        ...


_listener: Listener | None = None


def set_listener(listener: Listener | None) -> None:
    """Send what is told to ``listener`` (None: nowhere); called by the harness in a trial's process."""
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


def note(text: str) -> None:
    """Say something that whoever reads the trial's scores must know.

    It is kept with the trial, and shown by ``adbench show`` and below the tables.

    Parameters
    ----------
    text
        One line, for instance ``"the network fell to the mean image; fitted again with another seed"``. It is cut
        after 300 signs, told once however often it is noted, and a trial keeps 20 of them.
    """
    if _listener is not None:
        _listener.note(str(text))
