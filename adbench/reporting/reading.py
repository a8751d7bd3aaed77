"""From sources to the leaderboard: task by task, so that a large store is never held whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from adbench.planning.trial import digest
from adbench.record import Label
from adbench.reporting.caching import decoded, encoded
from adbench.reporting.cells import CellReader, installed_rules, labels_by_task
from adbench.reporting.evaluator import evaluation_version
from adbench.reporting.leaderboard import Leaderboard
from adbench.reporting.rows import ROWS_VERSION, Task, task_of
from adbench.reporting.source import Source
from adbench.specs import ThresholdSpec


def read_leaderboard(
    sources: Sequence[Source], thresholds: Sequence[ThresholdSpec] | None = None, only: Collection[str] | None = None
) -> Leaderboard:
    """Read what sources hold as a leaderboard; arguments as for :func:`adbench.reporting.cells.read_cells`."""
    return Leaderboard.of(read_tasks(sources, thresholds, only))


def read_tasks(
    sources: Sequence[Source], thresholds: Sequence[ThresholdSpec] | None = None, only: Collection[str] | None = None
) -> Iterator[Task]:
    """Yield each task's results; those of which nothing changed come from the first source's cache."""
    rules = installed_rules() if thresholds is None else thresholds
    version = f"rows {ROWS_VERSION} {evaluation_version(rules)}"
    reader = CellReader(sources, rules)
    states = [source.states() for source in sources]
    for labels in labels_by_task(sources, only):
        name = _name(labels, states)
        task = decoded(sources[0].cached(version, [name]).get(name), Task)
        if task is None:
            task = task_of(reader.read(labels))
            sources[0].keep_cached(version, {name: encoded(task)})
        yield task


def _name(labels: Sequence[Sequence[Label]], states: Sequence[dict[str, str]]) -> str:
    """Return what changes with anything that a task's results are made of."""
    # The order of plans counts, and not their times: whoever plans all of it anew changes nothing.
    times = sorted({label.planned_at for own in labels for label in own})
    parts = [
        (
            number,
            label.profile,
            label.key,
            label.detector,
            label.task,
            times.index(label.planned_at),
            states[number].get(label.key),
        )
        for number, own in enumerate(labels)
        for label in own
    ]
    return f"task-{digest(parts)}"
