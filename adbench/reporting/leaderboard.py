"""The leaderboard: ranked rows, a pure function of cells. What is missing or failed is shown, never dropped."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from adbench.evaluation import Decision, Evaluation
from adbench.intervals import (
    Interval,
    combine_auroc,
    combine_differences,
    combine_replicates,
    percentile_interval,
)
from adbench.record import FAILURES, MISSING, Record
from adbench.reporting.cells import Cell
from adbench.specs import LANES, PROFILES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Row:
    """One score of one detector on one test set, over its repetitions.

    Parameters
    ----------
    detector, score
        As tables name them.
    declared
        Whether the score is the detector's headline score; only these are ranked.
    cells
        One a repetition.
    evaluations
        Of the repetitions that are ``ok``.
    differences
        Floor detector -> AUROC minus the floor's, over the repetitions.
    rank
        Among the declared scores of methods on this test set, 1 = best; None for others.
    """

    detector: str
    score: str
    declared: bool
    cells: tuple[Cell, ...]
    evaluations: tuple[Evaluation, ...]
    differences: Mapping[str, Interval] = field(default_factory=dict)
    rank: float | None = None

    @property
    def is_floor(self) -> bool:
        """Whether the detector is a trivial line to beat."""
        return self.cells[0].is_floor

    @property
    def failed(self) -> bool:
        """Whether any repetition failed: a mean over the lucky ones is no result."""
        return any(cell.record.status in FAILURES for cell in self.cells) or not (self.evaluations or self.absent)

    @property
    def absent(self) -> bool:
        """Whether no repetition was scored, and none failed: skipped, or not run yet."""
        return not self.evaluations and all(cell.record.status in ("skipped", MISSING) for cell in self.cells)

    @property
    def statuses(self) -> Counter[str]:
        """Status -> number of repetitions."""
        return Counter(cell.record.status for cell in self.cells)

    @cached_property
    def auroc(self) -> Interval:
        """Mean AUROC with its 95 % interval."""
        made = self.evaluations
        smaller = min(min(e.n_anomalies, e.n - e.n_anomalies) for e in made)
        return combine_auroc([e.auroc for e in made], [e.auroc_variance for e in made], smaller)

    @cached_property
    def average_precision(self) -> Interval:
        """Mean average precision with its 95 % interval."""
        mean = statistics.fmean(e.average_precision for e in self.evaluations)
        return percentile_interval(mean, combine_replicates([e.average_precision_replicates for e in self.evaluations]))

    @property
    def beats_floors(self) -> bool | None:
        """Whether the paired lower bound is above 0 for each floor; None if no floor ran on these rows."""
        return all(d.lower > 0 for d in self.differences.values()) if self.differences else None

    def mean(self, metric: str) -> float:
        """Return the mean of a rank metric over repetitions."""
        values: list[float] = [getattr(evaluation, metric) for evaluation in self.evaluations]
        return statistics.fmean(values)

    def decision(self, rule: str) -> dict[str, float] | None:
        """Return the means of a threshold rule's metrics over repetitions; None if it was not applied in each."""
        made = [evaluation.decisions[rule] for evaluation in self.evaluations if rule in evaluation.decisions]
        return _mean_decision(made) if made and len(made) == len(self.evaluations) else None

    def median(self, name: str) -> float:
        """Return the median of a record's number, such as ``fit_seconds``, over repetitions that are ok."""
        values: list[float] = [getattr(cell.record, name) for cell in self.cells if cell.record.status == "ok"]
        return statistics.median(values)


@dataclass(frozen=True)
class Board:
    """One test set of one task under one profile: the rows that can be compared with each other."""

    profile: str
    lane: str
    uses_labels: bool
    dataset: str
    task: str
    test: str
    block: str
    rows: tuple[Row, ...]
    is_attack: bool = False
    """Whether each detector was attacked by its own gradient: such rows differ, and are never ranked."""

    @property
    def name(self) -> str:
        """The task, with the test set where it has several."""
        return self.task if self.test == "test" else f"{self.task}: {self.test}"

    @property
    def headlines(self) -> dict[str, Row]:
        """Detector -> the row of its declared score."""
        return {row.detector: row for row in self.rows if row.declared}

    @property
    def ranked(self) -> list[Row]:
        """Declared scores of methods, best first."""
        return [row for row in self.rows if row.rank is not None]

    @property
    def contamination(self) -> float | None:
        """Mean share of anomalies in the test rows, None if nothing is ok."""
        shares = [evaluation.contamination for row in self.rows for evaluation in row.evaluations]
        return statistics.fmean(shares) if shares else None


@dataclass(frozen=True)
class Standing:
    """A detector over all boards of a section: its rows and ranks by block."""

    detector: str
    is_floor: bool
    rows: Mapping[str, Sequence[Row]]
    ranks: Mapping[str, Sequence[float]]

    @property
    def mean_rank(self) -> float | None:
        """Mean over blocks of the mean rank within each block; None for floors."""
        return _mean_by_block(self.ranks) if self.ranks else None

    @property
    def by_task(self) -> dict[str, list[Row]]:
        """Its rows by task: one for each test set."""
        tasks: dict[str, list[Row]] = {}
        for row in (row for rows in self.rows.values() for row in rows):
            tasks.setdefault(row.cells[0].label.task, []).append(row)
        return tasks

    def mean(self, metric: str) -> float | None:
        """Return the mean over blocks of ``auroc`` or ``average_precision``; None if any row has none."""
        if any(row.failed or row.absent for rows in self.rows.values() for row in rows):
            return None
        return _mean_by_block(
            {block: [getattr(row, metric).estimate for row in rows] for block, rows in self.rows.items()}
        )


@dataclass(frozen=True)
class Section:
    """Boards that belong in one table: one profile, one lane, with or without labels."""

    profile: str
    lane: str
    uses_labels: bool
    boards: tuple[Board, ...]

    @cached_property
    def standings(self) -> list[Standing]:
        """Detectors on all blocks by mean rank; then those on fewer, whose ranks do not compare; then floors."""
        rows: dict[str, dict[str, list[Row]]] = {}
        for board in self.boards:
            for row in board.rows:
                if row.declared and not board.is_attack:
                    rows.setdefault(row.detector, {}).setdefault(board.block, []).append(row)
        standings = []
        for detector, by_block in rows.items():
            ranks = {block: [row.rank for row in found if row.rank is not None] for block, found in by_block.items()}
            is_floor = next(iter(by_block.values()))[0].is_floor
            standings.append(Standing(detector, is_floor, by_block, {b: found for b, found in ranks.items() if found}))
        blocks = len({board.block for board in self.boards})
        return sorted(
            standings,
            key=lambda s: (s.is_floor, len(s.ranks) < blocks, s.mean_rank is None, s.mean_rank or 0, s.detector),
        )

    @cached_property
    def tasks(self) -> dict[str, list[Board]]:
        """The boards of each task: one for each test set."""
        tasks: dict[str, list[Board]] = {}
        for board in self.boards:
            tasks.setdefault(board.task, []).append(board)
        return tasks


@dataclass(frozen=True)
class Leaderboard:
    """All sections: profiles and lanes never mix in a table, nor do detectors with and without labels."""

    sections: tuple[Section, ...]

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Leaderboard:
        """Make the leaderboard of cells."""
        boards = sorted(_boards(cells), key=_section_of)
        return cls(tuple(Section(*_named(key), tuple(group)) for key, group in groupby(boards, key=_section_of)))

    @property
    def boards(self) -> list[Board]:
        """The boards of all sections."""
        return [board for section in self.sections for board in section.boards]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a board and score: means, limits, rank, seconds, memory, statuses."""
        import pandas as pd

        return pd.DataFrame([_flat(board, row) for board in self.boards for row in board.rows])


def by_mean(boards: Sequence[Board]) -> list[str]:
    """Return detectors by their mean AUROC over boards, attacks left out, best first; failures count as 0."""
    values: dict[str, list[float]] = {}
    for board in [board for board in boards if not board.is_attack] or boards:
        for detector, row in board.headlines.items():
            values.setdefault(detector, []).append(0.0 if row.failed or row.absent else row.auroc.estimate)
    return sorted(values, key=lambda name: (-statistics.fmean(values[name]), name))


def _boards(cells: Iterable[Cell]) -> list[Board]:
    cells = list(cells)
    named: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if tests := _ranked_tests(cell):
            named[cell.label.profile, cell.label.task] = tests
    groups: dict[tuple[str, str, str], dict[tuple[str, str, bool], list[Cell]]] = {}
    for cell in cells:
        label, facts = cell.label, cell.record.detector_facts
        # A trial that has no rows of its own, since it did not run, stands beside those that have.
        tests = _ranked_tests(cell) or named.get((label.profile, label.task), ["test"])
        for test in (*tests, *_attacks(cell)):
            rows = groups.setdefault((label.profile, label.task, test), {})
            for score in facts["scores"]:
                rows.setdefault((label.detector, score, score == facts["scores"][0]), []).append(cell)
    boards = []
    for (profile, task, test), rows in groups.items():
        first = next(iter(rows.values()))[0].record
        trial = first.trial
        is_attack = _is_attack(first, test)
        made = [_row(*name, test, tuple(members)) for name, members in rows.items()]
        boards.append(
            Board(
                profile,
                trial.lane,
                first.detector_facts["supervision"] == "labels",
                trial.dataset_label,
                task,
                test,
                trial.block,
                tuple(sorted(made, key=_best_first) if is_attack else _ranked(made)),
                is_attack,
            )
        )
    return boards


def _ranked_tests(cell: Cell) -> list[str]:
    """Return the names of a trial's test sets, but for attacks; a trial without rows has none."""
    return [test["name"] for test in cell.record.rows.get("tests", []) if "attack" not in test]


def _attacks(cell: Cell) -> list[str]:
    """Return the attacks that a trial met."""
    tests = cell.record.rows.get("tests", [])
    return [test["name"] for test in tests if "attack" in test and test["name"] in cell.evaluations]


def _is_attack(record: Record, test: str) -> bool:
    return any("attack" in facts for facts in record.rows.get("tests", []) if facts["name"] == test)


def _row(detector: str, score: str, declared: bool, test: str, cells: tuple[Cell, ...]) -> Row:
    made = tuple(c.evaluations[test][score] for c in cells if score in c.evaluations.get(test, {}))
    floors: dict[str, list[Interval]] = {}
    for cell in cells:
        for floor, difference in cell.above.get(test, {}).get(score, {}).items():
            floors.setdefault(floor, []).append(difference)
    differences = {floor: combine_differences(found) for floor, found in sorted(floors.items())}
    return Row(detector, score, declared, cells, made, differences)


def _ranked(rows: list[Row]) -> list[Row]:
    """Return rows with ranks, best first; equal AUROCs share a rank, and so do all failed ones at the end."""
    competing = [row for row in rows if row.declared and not row.is_floor and not row.absent]
    values = [float("-inf") if row.failed else row.auroc.estimate for row in competing]
    ranks = {
        id(row): sum(other > value for other in values) + (values.count(value) + 1) / 2
        for row, value in zip(competing, values, strict=True)
    }
    made = [Row(r.detector, r.score, r.declared, r.cells, r.evaluations, r.differences, ranks.get(id(r))) for r in rows]
    return sorted(made, key=_best_first)


def _best_first(row: Row) -> tuple[bool, bool, float, str, str]:
    value = -row.auroc.estimate if row.evaluations and not row.failed else 0.0
    return row.absent, row.failed, value, row.detector, row.score


def _mean_by_block(values: Mapping[str, Sequence[float]]) -> float:
    """Return the mean over blocks of the mean within each: a block of many test sets counts once."""
    return statistics.fmean(statistics.fmean(found) for found in values.values())


def _section_of(board: Board) -> tuple[int, int, bool]:
    return PROFILES.index(board.profile), LANES.index(board.lane), board.uses_labels


def _named(key: tuple[int, int, bool]) -> tuple[str, str, bool]:
    return PROFILES[key[0]], LANES[key[1]], key[2]


def _mean_decision(made: Sequence[Decision]) -> dict[str, float]:
    numbers = [name for name, value in made[0].items() if isinstance(value, int | float)]
    return {name: statistics.fmean(decision[name] for decision in made) for name in numbers}  # type: ignore[literal-required]


def _flat(board: Board, row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {
        "profile": board.profile,
        "lane": board.lane,
        "task": board.task,
        "test": board.test,
        "detector": row.detector,
        "score": row.score,
        "rank": row.rank,
        "repetitions": len(row.cells),
        "status": ", ".join(f"{status} {count}" for status, count in sorted(row.statuses.items())),
    }
    if row.failed or not row.evaluations:
        return flat
    for name, interval in (("auroc", row.auroc), ("average_precision", row.average_precision)):
        flat |= {name: interval.estimate, f"{name}_lower": interval.lower, f"{name}_upper": interval.upper}
    return flat | {name: row.median(name) for name in ("fit_seconds", "score_seconds", "peak_mb")}
