"""What a table shows of a task: plain values over its repetitions, small enough to hold all of a large store.

A task's results are made of its cells, and can be kept and read again without them.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

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
from adbench.reporting.origin import Origin, origin_of

ROWS_VERSION = 2
"""Kept with cached rows; raised whenever what is made here changes."""


NO_SCORES = "no scores"
"""Said of what is ``ok`` and yet has no scores on a test set: somebody else's record may promise more than it holds."""


class Decided(msgspec.Struct, frozen=True, gc=False):
    """What a threshold rule achieves: means over repetitions; ``promised`` is a false-alarm rate, if any."""

    promised: float | None
    false_alarm_rate: float
    precision: float
    recall: float
    f1: float
    f1_normal: float
    balanced_accuracy: float
    mcc: float


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one repetition."""

    key: str
    repetition: int
    status: str
    reason: str
    notes: tuple[str, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One score of one detector on one test set, over its repetitions.

    Parameters
    ----------
    detector, score
        As tables name them.
    declared
        Whether the score is the detector's headline score; only these are ranked.
    is_floor
        Whether the detector is a trivial line to beat.
    statuses
        Status -> number of repetitions.
    auroc, average_precision
        Means with their 95 % intervals; None, as all numbers, if no repetition is ``ok``.
    precision_at_n, fpr_at_95_tpr, contamination
        Means.
    decisions
        Threshold rule -> what it achieves, if it was applied in each repetition; of declared scores only.
    differences
        Floor detector -> AUROC minus the floor's.
    gap
        AUROC minus that of the best method's declared score; None for that one itself.
    fit_seconds, score_seconds
        Medians of the repetitions that are ``ok``.
    peak_mb, parameters
        The greatest of these.
    rank
        Among the declared scores of methods on this test set, 1 = best; None for others.
    """

    detector: str
    score: str
    declared: bool
    is_floor: bool
    statuses: dict[str, int]
    auroc: Interval | None = None
    average_precision: Interval | None = None
    precision_at_n: float | None = None
    fpr_at_95_tpr: float | None = None
    contamination: float | None = None
    decisions: dict[str, Decided] = {}
    differences: dict[str, Interval] = {}
    gap: Interval | None = None
    fit_seconds: float | None = None
    score_seconds: float | None = None
    peak_mb: float | None = None
    parameters: int | None = None
    rank: float | None = None

    @property
    def absent(self) -> bool:
        """Whether no repetition was scored, and none failed: skipped, or not run yet."""
        return self.auroc is None and self.statuses.keys() <= {"skipped", MISSING}

    @property
    def failed(self) -> bool:
        """Whether any repetition failed: a mean over the lucky ones is no result."""
        return not self.statuses.keys().isdisjoint(FAILURES) or (self.auroc is None and not self.absent)

    @property
    def value(self) -> float:
        """AUROC to rank by: failed ones are behind all others."""
        return float("-inf") if self.failed or self.auroc is None else self.auroc.estimate

    @property
    def beats_floors(self) -> bool | None:
        """Whether the paired lower bound is above 0 for each floor; None if no floor ran on these rows."""
        return all(d.lower > 0 for d in self.differences.values()) if self.differences else None

    @property
    def ties_with_best(self) -> bool:
        """Whether it is a method that is not shown to be behind the best one."""
        return self.rank is not None and not self.failed and (self.gap is None or self.gap.upper >= 0)


class Tested(msgspec.Struct, frozen=True):
    """The rows of one test set; ``facts`` tell what is known of it, ``attack`` among them if it is one."""

    name: str
    facts: dict[str, Any]
    rows: tuple[Row, ...]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """All results of one task under one profile, as tables need them.

    Parameters
    ----------
    profile, lane, uses_labels
        What never mixes in a table.
    dataset, name, block
        As tables name them: ``dataset@variant``, ``dataset@variant/task``; and its block in ranks.
    setting
        ``novelty``, ``outlier`` or ``supervised``.
    rows
        Facts of the split: training rows, stated contamination; empty if nothing ran.
    dataset_facts, detectors
        What the specs said of the dataset, and of each detector.
    outcomes
        Detector -> its repetitions.
    origin
        Where it all comes from.
    tests
        Test sets, attacks last.
    """

    profile: str
    lane: str
    uses_labels: bool
    dataset: str
    name: str
    block: str
    setting: str
    rows: dict[str, Any]
    dataset_facts: dict[str, Any]
    detectors: dict[str, dict[str, Any]]
    outcomes: dict[str, tuple[Outcome, ...]]
    origin: Origin
    tests: tuple[Tested, ...]

    @property
    def modality(self) -> str:
        """``image`` or ``table``."""
        return str(self.dataset_facts.get("modality", "table"))


def task_of(cells: Sequence[Cell]) -> Task:
    """Make a task's results of its cells; there is at least one."""
    first = cells[0]
    ran = next((cell.record.rows for cell in cells if cell.record.rows), {})
    tests = {test["name"]: test for test in ran.get("tests", [])} or {"test": {"name": "test"}}
    met = {test for cell in cells for test in cell.evaluations}
    tests = {name: facts for name, facts in tests.items() if "attack" not in facts or name in met}
    by_detector: dict[str, list[Cell]] = {}
    for cell in cells:
        by_detector.setdefault(cell.label.detector, []).append(cell)
    trial = first.record.trial
    return Task(
        profile=first.label.profile,
        lane=trial.lane,
        uses_labels=first.record.detector_facts["supervision"] == "labels",
        dataset=trial.dataset_label,
        name=first.label.task,
        block=trial.block,
        setting=trial.setting,
        rows={name: value for name, value in ran.items() if name != "tests"},
        dataset_facts=dict(first.record.dataset_facts),
        detectors={name: dict(found[0].record.detector_facts) for name, found in by_detector.items()},
        outcomes={name: tuple(_outcome(cell.record) for cell in found) for name, found in by_detector.items()},
        origin=origin_of(cells),
        tests=tuple(
            Tested(name, facts, _rows(by_detector, name, ranked="attack" not in facts))
            for name, facts in sorted(tests.items(), key=lambda item: "attack" in item[1])
        ),
    )


def _outcome(record: Record) -> Outcome:
    return Outcome(record.key, record.trial.repetition, record.status, record.reason, record.notes)


def _rows(by_detector: Mapping[str, Sequence[Cell]], test: str, *, ranked: bool) -> tuple[Row, ...]:
    rows = []
    for detector, cells in by_detector.items():
        if not ranked and not any(test in cell.evaluations for cell in cells):
            continue  # it offers no gradient to attack it by
        costs = _costs(cells)
        declared, *others = cells[0].record.detector_facts["scores"]
        # A bundle may hold declared scores alone.
        scores = [declared, *(s for s in others if any(s in cell.evaluations.get(test, {}) for cell in cells))]
        rows += [_row(detector, score, score == declared, test, cells, costs) for score in scores]
    ranks = _ranks(rows) if ranked else {}
    made = [
        msgspec.structs.replace(row, rank=ranks[row.detector]) if row.declared and row.detector in ranks else row
        for row in rows
    ]
    return tuple(sorted(made, key=best_first))


def _row(detector: str, score: str, declared: bool, test: str, cells: Sequence[Cell], costs: Mapping[str, Any]) -> Row:
    made = [c.evaluations[test][score] for c in cells if score in c.evaluations.get(test, {})]
    floors: dict[str, list[Interval]] = {}
    gaps = []
    for cell in cells:
        for floor, difference in cell.above.get(test, {}).get(score, {}).items():
            floors.setdefault(floor, []).append(difference)
        if gap := cell.behind.get(test, {}).get(score):
            gaps.append(gap)
    return Row(
        detector=detector,
        score=score,
        declared=declared,
        is_floor=cells[0].is_floor,
        statuses=dict(sorted(Counter(cell.record.status for cell in cells).items())),
        differences={floor: combine_differences(found) for floor, found in sorted(floors.items())},
        gap=combine_differences(gaps) if gaps else None,
        decisions=_decisions(made) if declared else {},
        **_numbers(made),
        **(costs if made else {}),
    )


def _numbers(made: Sequence[Evaluation]) -> dict[str, Any]:
    if not made:
        return {}
    smaller = min(min(e.n_anomalies, e.n - e.n_anomalies) for e in made)
    mean = statistics.fmean(e.average_precision for e in made)
    replicates = combine_replicates([e.average_precision_replicates for e in made])
    return {
        "auroc": combine_auroc([e.auroc for e in made], [e.auroc_variance for e in made], smaller),
        "average_precision": percentile_interval(mean, replicates),
        "precision_at_n": statistics.fmean(e.precision_at_n for e in made),
        "fpr_at_95_tpr": statistics.fmean(e.fpr_at_95_tpr for e in made),
        "contamination": statistics.fmean(e.contamination for e in made),
    }


def _costs(cells: Sequence[Cell]) -> dict[str, Any]:
    ran = [cell.record for cell in cells if cell.record.status == "ok"]
    if not ran:
        return {}
    return {
        "fit_seconds": statistics.median(record.fit_seconds for record in ran),
        "score_seconds": statistics.median(record.score_seconds for record in ran),
        "peak_mb": max(record.peak_mb for record in ran),
        "parameters": max((record.parameters for record in ran if record.parameters is not None), default=None),
    }


def _decisions(made: Sequence[Evaluation]) -> dict[str, Decided]:
    if not made:
        return {}
    common = [rule for rule in made[0].decisions if all(rule in evaluation.decisions for evaluation in made)]
    return {rule: _decided([evaluation.decisions[rule] for evaluation in made]) for rule in common}


def _decided(found: Sequence[Decision]) -> Decided:
    promised = [decision["promised"] for decision in found if decision["promised"] is not None]
    numbers = {name: sum(decision[name] for decision in found) / len(found) for name in _MEANS}  # type: ignore[literal-required]
    return Decided(promised=sum(promised) / len(promised) if len(promised) == len(found) else None, **numbers)


_MEANS = [name for name in Decided.__struct_fields__ if name != "promised"]


def _ranks(rows: Iterable[Row]) -> dict[str, float]:
    """Return the rank of each method's declared score; equal AUROCs share a rank, and so do failed ones at the end."""
    return shared_ranks(
        {row.detector: row.value for row in rows if row.declared and not row.is_floor and not row.absent}
    )


def shared_ranks(values: Mapping[str, float]) -> dict[str, float]:
    """Return ranks, the greatest value first; equal ones share the mean of their ranks.

    Examples
    --------
    >>> shared_ranks({"a": 0.9, "b": 0.9, "c": 0.5})
    {'a': 1.5, 'b': 1.5, 'c': 3.0}
    """
    counted = Counter(values.values())
    first, ranks = 1, {}
    for value in sorted(counted, reverse=True):
        ranks[value] = first + (counted[value] - 1) / 2
        first += counted[value]
    return {name: ranks[value] for name, value in values.items()}


def best_first(row: Row) -> tuple[bool, bool, float, str, str]:
    """Return what orders rows: what failed, then what is absent, last."""
    return row.absent, row.failed, 0.0 if row.failed or row.absent else -row.value, row.detector, row.score
