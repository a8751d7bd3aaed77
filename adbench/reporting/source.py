"""Where results come from: a store, or a bundle that somebody published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from adbench.record import Label, Record

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Source(Protocol):
    """Records and score arrays, to be read only; what is made of them may be kept, and need not be."""

    def labels(self) -> list[Label]:
        """Return the label of every planned trial, in order."""
        ...

    def states(self) -> dict[str, str]:
        """Return key -> what changes with a trial's outcome; a trial that has not run has none."""
        ...

    def records(self, keys: Collection[str]) -> dict[str, Record]:
        """Return key -> outcome, or the trial as planned where there is none."""
        ...

    def run_facts(self) -> dict[int, dict[str, Any]]:
        """Return run number -> machine facts."""
        ...

    def arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Return a trial's arrays by name, or raise StoreError."""
        ...

    def has_arrays(self, key: str) -> bool:
        """Tell whether a trial's scores are there."""
        ...

    def cached(self, version: str, names: Collection[str]) -> dict[str, bytes]:
        """Return name -> what was kept under it for that version, if anything."""
        ...

    def keep_cached(self, version: str, bodies: Mapping[str, bytes]) -> None:
        """Keep bodies by a trial's key or ``KEY-WHAT``, where that is possible."""
        ...
