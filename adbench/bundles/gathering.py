"""What several stores and bundles hold together: of each trial the newest state, task by task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adbench.bundles import layout
from adbench.bundles.bundle import Bundle
from adbench.record import Label, Record
from adbench.reporting.source import Source
from adbench.store import Store


@dataclass(frozen=True)
class Found:
    """A trial as tables call it, what became of it, and where its scores are."""

    label: Label
    record: Record
    source: Source
    """A store or bundle."""


@contextmanager
def opened(*places: Path, cache: bool = False) -> Iterator[list[Store | Bundle]]:
    """Open stores' folders, bundles, and folders of bundles, for reading; with ``cache``, stores keep what is made.

    Raises
    ------
    StoreError
        If one is none of these, or cannot be read.
    """
    with ExitStack() as stack:
        sources: list[Store | Bundle] = []
        for path in (path for place in places for path in _paths(place)):
            source = _open(path, cache=cache)
            stack.callback(source.close)
            sources.append(source)
        yield sources


def bundles_in(folder: Path) -> list[Path]:
    """Return the bundles of a folder, by name."""
    return sorted(path for path in folder.glob(f"*{layout.SUFFIX}") if path.is_file())


def _paths(place: Path) -> list[Path]:
    """Return the bundles of a folder that is no store, or the place itself."""
    return (bundles_in(place) if not (place / "results.db").exists() else []) or [place]


def _open(path: Path, *, cache: bool) -> Store | Bundle:
    if path.is_file():
        return Bundle(path)
    return Store.open(path) if cache else Store.open_for_reading(path)


def tasks_of(sources: Sequence[Source], profile: str | None = None) -> Iterator[tuple[str, str, list[Found]]]:
    """Yield profile, task and its trials, ordered by detector and repetition.

    Of the same trial in several sources, the outcome that came last counts; of several trials with one
    name, as after a change of code or data, the one that was planned last.
    """
    places: dict[tuple[str, str], list[tuple[Source, Label]]] = {}
    for source in sources:
        for label in source.labels():
            if profile in (None, label.profile):
                places.setdefault((label.profile, label.task), []).append((source, label))
    for place in sorted(places):
        yield *place, _newest(places[place])


def _newest(labels: Sequence[tuple[Source, Label]]) -> list[Found]:
    keys: dict[int, set[str]] = {}
    for source, label in labels:
        keys.setdefault(id(source), set()).add(label.key)
    sources = {id(source): source for source, _ in labels}
    records = {number: sources[number].records(wanted) for number, wanted in keys.items()}
    joined: dict[str, Found] = {}
    for source, label in labels:
        found = Found(label, records[id(source)][label.key], source)
        known = joined.setdefault(label.key, found)
        last = max(known, found, key=lambda one: one.record.finished)
        joined[label.key] = replace(last, label=max(known.label, label, key=lambda one: one.planned_at))
    named: dict[tuple[str, int], Found] = {}
    for found in sorted(joined.values(), key=_age):
        named[found.label.detector, found.record.trial.repetition] = found
    return [named[name] for name in sorted(named)]


def _age(found: Found) -> tuple[str, str, str]:
    return found.label.planned_at, found.record.finished, found.record.key
