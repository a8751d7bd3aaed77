"""The leaderboard: sections of tasks, and how detectors stand over all of them. Nothing failed is dropped."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from adbench.reporting.ranking import Comparison, compare
from adbench.reporting.rows import Row, Task, Tested
from adbench.specs import LANES, PROFILES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Board:
    """One test set of one task under one profile: the rows that can be compared with each other."""

    of: Task
    tested: Tested

    @property
    def task(self) -> str:
        """Name of the task, as tables show it."""
        return self.of.name

    @property
    def test(self) -> str:
        """Name of the test set."""
        return self.tested.name

    @property
    def rows(self) -> tuple[Row, ...]:
        """Best first; what failed or is absent last."""
        return self.tested.rows

    @property
    def is_attack(self) -> bool:
        """Whether each detector was attacked by its own gradient: such rows differ, and are never ranked."""
        return "attack" in self.tested.facts

    @property
    def name(self) -> str:
        """The task, with the test set where it has several."""
        return self.task if self.test == "test" else f"{self.task}: {self.test}"

    @property
    def headlines(self) -> dict[str, Row]:
        """Detector -> the row of its declared score."""
        return {row.detector: row for row in self.rows if row.declared}

    @property
    def contamination(self) -> float | None:
        """Mean share of anomalies in the test rows, None if nothing is ok."""
        shares = [row.contamination for row in self.rows if row.contamination is not None]
        return statistics.fmean(shares) if shares else None


@dataclass(frozen=True)
class Standing:
    """A detector over all tasks of a section.

    Parameters
    ----------
    detector, is_floor, facts
        Who it is, and what its spec says of it.
    tasks
        Task -> the rows of its declared score, one for each test set, attacks left out.
    blocks
        Task -> block.
    mean_rank
        Mean over blocks; None for floors, and for who ran nowhere.
    group
        Letters: methods that share one are not told apart; empty for who does not stand on every block.
    """

    detector: str
    is_floor: bool
    facts: Mapping[str, Any]
    tasks: Mapping[str, Sequence[Row]]
    blocks: Mapping[str, str]
    mean_rank: float | None = None
    group: str = ""

    @property
    def ranked_blocks(self) -> set[str]:
        """The blocks where it has a rank."""
        return {self.blocks[task] for task, rows in self.tasks.items() if any(not row.absent for row in rows)}

    @property
    def failed_tasks(self) -> int:
        """Number of tasks where something failed."""
        return sum(any(row.failed for row in rows) for rows in self.tasks.values())

    @property
    def fits(self) -> list[Row]:
        """A row of each task that ran: a trial is fitted once however many test sets it has, with the same costs."""
        return [rows[0] for rows in self.tasks.values() if rows[0].auroc is not None]

    def mean(self, metric: str) -> float | None:
        """Return the mean over blocks of ``auroc`` or ``average_precision``; None if any row has none."""
        if any(row.failed or row.absent for rows in self.tasks.values() for row in rows):
            return None
        found = ((task, getattr(row, metric).estimate) for task, rows in self.tasks.items() for row in rows)
        return _mean_by_block(found, self.blocks)

    def total(self, name: str) -> float | None:
        """Return the sum over tasks of ``fit_seconds`` or ``score_seconds``; None if nothing ran."""
        return sum(getattr(row, name) for row in self.fits) if self.fits else None

    def greatest(self, name: str) -> float | None:
        """Return the greatest ``peak_mb`` or ``parameters`` of its tasks, None if there is none."""
        return max((value for row in self.fits if (value := getattr(row, name)) is not None), default=None)


@dataclass(frozen=True)
class Section:
    """Tasks that belong in one table: one profile, one lane, with or without labels."""

    profile: str
    lane: str
    uses_labels: bool
    tasks: tuple[Task, ...]

    @property
    def boards(self) -> list[Board]:
        """All test sets of all tasks."""
        return [board for task in self.tasks for board in boards_of(task)]

    @property
    def parts(self) -> dict[str, Section]:
        """Modality -> the section of its tasks alone; empty if there is but one modality."""
        kinds = sorted({task.modality for task in self.tasks})
        if len(kinds) < 2:
            return {}
        return {kind: self.only(task for task in self.tasks if task.modality == kind) for kind in kinds}

    def only(self, tasks: Iterable[Task]) -> Section:
        """Return the section of some of the tasks."""
        return Section(self.profile, self.lane, self.uses_labels, tuple(tasks))

    @cached_property
    def blocks(self) -> dict[str, str]:
        """Task -> the block it counts in."""
        return {task.name: task.block for task in self.tasks}

    @cached_property
    def comparison(self) -> Comparison | None:
        """The test over the methods that stand on every block, None without any."""
        values: dict[str, list[float]] = {name: [] for name in sorted(self._complete)}
        if not values:
            return None
        for boards in self._by_block:
            for name, own in values.items():
                found = [board.headlines[name].value for board in boards]
                own.append(statistics.fmean(found) if math.inf not in map(abs, found) else -math.inf)
        return compare(values)

    @cached_property
    def standings(self) -> list[Standing]:
        """Methods on all blocks by mean rank; then those on fewer, whose ranks do not compare; then floors."""
        rows: dict[str, dict[str, list[Row]]] = {}
        facts: dict[str, Mapping[str, Any]] = {}
        for task in self.tasks:
            facts |= task.detectors
            for board in boards_of(task):
                for detector, row in board.headlines.items() if not board.is_attack else ():
                    rows.setdefault(detector, {}).setdefault(task.name, []).append(row)
        made = [self._standing(name, facts[name], found) for name, found in rows.items()]
        return sorted(
            made,
            key=lambda s: (
                s.is_floor,
                s.detector not in self._complete,
                s.mean_rank is None,
                s.mean_rank or 0,
                s.detector,
            ),
        )

    def _standing(self, detector: str, facts: Mapping[str, Any], tasks: Mapping[str, Sequence[Row]]) -> Standing:
        is_floor = next(iter(tasks.values()))[0].is_floor
        made = Standing(detector, is_floor, facts, tasks, self.blocks)
        if is_floor:
            return made
        if detector in self._complete and self.comparison:
            number = self.comparison.names.index(detector)
            rank, group = self.comparison.mean_ranks[number], self.comparison.letters[number]
            return Standing(detector, is_floor, facts, tasks, self.blocks, rank, group)
        ranks = [(task, row.rank) for task, own in tasks.items() for row in own if row.rank is not None]
        return Standing(
            detector, is_floor, facts, tasks, self.blocks, _mean_by_block(ranks, self.blocks) if ranks else None
        )

    @cached_property
    def _by_block(self) -> list[list[Board]]:
        """The boards that count in ranks, by block."""
        by_block: dict[str, list[Board]] = {}
        for task in self.tasks:
            by_block.setdefault(task.block, []).extend(board for board in boards_of(task) if not board.is_attack)
        return list(by_block.values())

    @cached_property
    def _complete(self) -> set[str]:
        """The methods that have a result, be it a failure, on every board."""
        found = [
            {name for name, row in board.headlines.items() if not row.is_floor and not row.absent}
            for boards in self._by_block
            for board in boards
        ]
        return set.intersection(*found) if found else set()


@dataclass(frozen=True)
class Leaderboard:
    """All sections: profiles and lanes never mix in a table, nor do detectors with and without labels."""

    sections: tuple[Section, ...]

    @classmethod
    def of(cls, tasks: Iterable[Task]) -> Leaderboard:
        """Make the leaderboard of tasks."""
        ordered = sorted(tasks, key=lambda task: (_section_of(task), task.name))
        return cls(tuple(Section(*_named(key), tuple(group)) for key, group in groupby(ordered, key=_section_of)))

    @property
    def boards(self) -> list[Board]:
        """The boards of all sections."""
        return [board for section in self.sections for board in section.boards]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a board and score: means, limits, rank, seconds, memory, statuses."""
        import pandas as pd

        return pd.DataFrame([_flat(board, row) for board in self.boards for row in board.rows])


def boards_of(task: Task) -> list[Board]:
    """Return the boards of a task: one for each test set."""
    return [Board(task, tested) for tested in task.tests]


def by_mean(boards: Sequence[Board]) -> list[str]:
    """Return detectors by their mean AUROC over boards, attacks left out, best first; failures count as 0."""
    values: dict[str, list[float]] = {}
    for board in [board for board in boards if not board.is_attack] or boards:
        for detector, row in board.headlines.items():
            values.setdefault(detector, []).append(max(0.0, row.value))
    return sorted(values, key=lambda name: (-statistics.fmean(values[name]), name))


def _mean_by_block(found: Iterable[tuple[str, float]], blocks: Mapping[str, str]) -> float:
    """Return the mean over blocks of the mean within each: a block of many test sets counts once."""
    values: dict[str, list[float]] = {}
    for task, value in found:
        values.setdefault(blocks[task], []).append(value)
    return statistics.fmean(statistics.fmean(own) for own in values.values())


def _section_of(task: Task) -> tuple[int, int, bool]:
    return PROFILES.index(task.profile), LANES.index(task.lane), task.uses_labels


def _named(key: tuple[int, int, bool]) -> tuple[str, str, bool]:
    return PROFILES[key[0]], LANES[key[1]], key[2]


def _flat(board: Board, row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {
        "profile": board.of.profile,
        "lane": board.of.lane,
        "task": board.task,
        "test": board.test,
        "detector": row.detector,
        "score": row.score,
        "rank": row.rank,
        "repetitions": sum(row.statuses.values()),
        "status": ", ".join(f"{status} {count}" for status, count in row.statuses.items()),
    }
    if row.failed or row.auroc is None or row.average_precision is None:
        return flat
    for name, interval in (("auroc", row.auroc), ("average_precision", row.average_precision)):
        flat |= {name: interval.estimate, f"{name}_lower": interval.lower, f"{name}_upper": interval.upper}
    return flat | {name: getattr(row, name) for name in ("fit_seconds", "score_seconds", "peak_mb", "parameters")}
