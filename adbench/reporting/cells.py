"""Cells: stored records with their evaluations, the input of every table."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adbench.evaluation import Evaluation
from adbench.intervals import Interval
from adbench.record import FAILURES, Label, Record
from adbench.reporting.evaluator import Evaluator, Line
from adbench.reporting.source import Source
from adbench.specs import ThresholdSpec


@dataclass(frozen=True)
class Cell:
    """One trial as a table shows it.

    Parameters
    ----------
    label
        Profile, and the names of detector and task there.
    record
        What became of the trial.
    machine
        Facts of the run it was part of.
    evaluations
        Test set -> score -> evaluation; empty unless the trial is ``ok``.
    above
        Test set -> score -> floor detector -> AUROC minus the floor's on the same rows.
    behind
        Test set -> score -> AUROC minus that of the best method on the same rows; empty for that one.
    source
        Number of the source it is from.
    """

    label: Label
    record: Record
    machine: Mapping[str, Any] = field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, Evaluation]] = field(default_factory=dict)
    above: Mapping[str, Mapping[str, Mapping[str, Interval]]] = field(default_factory=dict)
    behind: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    source: int = 0

    @property
    def is_floor(self) -> bool:
        """Whether the detector is a floor, a trivial line to beat."""
        return self.record.detector_facts.get("role") == "floor"


def read_cells(
    sources: Sequence[Source],
    thresholds: Sequence[ThresholdSpec] | None = None,
    only: Collection[str] | None = None,
) -> list[Cell]:
    """Read and evaluate what sources hold; of the same cell in several states, that of the newest plan.

    Parameters
    ----------
    sources
        Open; evaluations are cached in those open for writing.
    thresholds
        Rules to apply; the installed ones if not given.
    only
        Keys of the trials to read; all if not given.

    Returns
    -------
    list of Cell
        Ordered by profile, task, detector and repetition.
    """
    reader = CellReader(sources, installed_rules() if thresholds is None else thresholds)
    return [cell for labels in labels_by_task(sources, only) for cell in reader.read(labels)]


def installed_rules() -> list[ThresholdSpec]:
    """Return the threshold rules of all plugins."""
    from adbench.registry import Registry

    return list(Registry.discover().thresholds.values())


def labels_by_task(sources: Sequence[Source], only: Collection[str] | None = None) -> list[list[list[Label]]]:
    """Return the labels of each task of each profile, by source."""
    tasks: dict[tuple[str, str], list[list[Label]]] = {}
    for number, source in enumerate(sources):
        for label in source.labels():
            if only is None or label.key in only:
                place = tasks.setdefault((label.profile, label.task), [[] for _ in sources])
                place[number].append(label)
    return [tasks[place] for place in sorted(tasks)]


class CellReader:
    """Reads tasks one after the other: a store need not fit into memory.

    Parameters
    ----------
    sources, thresholds
        As for :func:`read_cells`.
    """

    def __init__(self, sources: Sequence[Source], thresholds: Sequence[ThresholdSpec]) -> None:
        self._sources = sources
        self._evaluators = [Evaluator(source, thresholds) for source in sources]
        self._machines = [source.run_facts() for source in sources]

    def read(self, labels: Sequence[Sequence[Label]]) -> list[Cell]:
        """Return the cells of one task, as :func:`labels_by_task` gives it, by detector and repetition."""
        found = [cell for number, own in enumerate(labels) for cell in self._evaluated(number, own)]
        newest: dict[tuple[str, int], Cell] = {}
        for cell in sorted(_joined(found), key=_age):
            newest[cell.label.detector, cell.record.trial.repetition] = cell
        cells = _on_the_same_rows([newest[place] for place in sorted(newest)])
        compared = self._compared(cells)
        for evaluator in self._evaluators:
            evaluator.keep()
        return compared

    def _evaluated(self, number: int, labels: Sequence[Label]) -> Iterator[Cell]:
        keys = {label.key for label in labels}
        self._evaluators[number].recall(keys)
        records = self._sources[number].records(keys)
        evaluated = {key: self._evaluators[number].evaluate(records[key]) for key in sorted(keys)}
        for label in labels:
            record, evaluations = evaluated[label.key]
            yield Cell(label, record, self._machines[number].get(record.run, {}), evaluations, source=number)

    def _compared(self, cells: Sequence[Cell]) -> list[Cell]:
        """Return a task's cells, held against the floors, and against the best method, that saw the same rows."""
        best = _best(cells)
        lines: dict[str, list[Line]] = {}
        for cell in cells:
            if cell.evaluations and (cell.is_floor or cell.label.detector in best.values()):
                line = Line(cell.record, self._sources[cell.source], cell.is_floor)
                lines.setdefault(cell.record.trial.split_key, []).append(line)
        made = []
        for cell in cells:
            same_rows = lines.get(cell.record.trial.split_key, [])
            against = [line for line in same_rows if not (cell.is_floor and line.is_floor)]
            against = [line for line in against if line.record.key != cell.record.key]
            made.append(self._held_against(cell, against, best) if cell.evaluations and against else cell)
        return made

    def _held_against(self, cell: Cell, lines: Sequence[Line], best: Mapping[str, str]) -> Cell:
        found, notes = self._evaluators[cell.source].compare(cell.record, lines)
        floors = {line.record.trial.detector_label for line in lines if line.is_floor}
        above = {
            test: {score: {name: d for name, d in by_name.items() if name in floors} for score, by_name in rest.items()}
            for test, rest in found.items()
        }
        behind = {
            test: {score: by_name[best[test]] for score, by_name in rest.items() if best[test] in by_name}
            for test, rest in found.items()
            if test in best
        }
        record = replace(cell.record, notes=(*cell.record.notes, *notes)) if notes else cell.record
        return replace(cell, record=record, above=above if floors else {}, behind=behind)


def _best(cells: Iterable[Cell]) -> dict[str, str]:
    """Return test set -> the method whose declared score has the best mean AUROC, and that failed nowhere."""
    aurocs: dict[str, dict[str, list[float]]] = {}
    failed = {cell.label.detector for cell in cells if cell.record.status in FAILURES}
    for cell in cells:
        if not cell.is_floor and cell.label.detector not in failed:
            declared = cell.record.detector_facts["scores"][0]
            for test, by_score in cell.evaluations.items():
                if declared in by_score:
                    found = aurocs.setdefault(test, {}).setdefault(cell.label.detector, [])
                    found.append(by_score[declared].auroc)
    return {test: min(found, key=lambda name: (-statistics.fmean(found[name]), name)) for test, found in aurocs.items()}


def _age(cell: Cell) -> tuple[str, str, str]:
    """Return what grows with newness: who goes back to earlier data or code plans anew what ran long ago."""
    return cell.label.planned_at, cell.record.finished, cell.record.key


def _joined(cells: Iterable[Cell]) -> list[Cell]:
    """Return each trial once a profile: planned when a store last did, with what became of it last in any."""
    joined: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        place = (cell.label.profile, cell.record.key)
        known = joined.setdefault(place, cell)
        label = max(known.label, cell.label, key=lambda label: label.planned_at)
        last = max(known, cell, key=lambda cell: cell.record.finished)
        joined[place] = replace(last, label=label)
    return list(joined.values())


def _on_the_same_rows(cells: list[Cell]) -> list[Cell]:
    """Withdraw cells of a task whose rows are not those of the newest plan of their repetition.

    They ran before the data, or the code that splits it, changed: their scores do not compare.
    """
    latest = {cell.record.trial.repetition: cell.record.trial.split_key for cell in sorted(cells, key=_age)}
    made = []
    for cell in cells:
        if cell.record.trial.split_key == latest[cell.record.trial.repetition]:
            made.append(cell)
        else:
            record = replace(
                cell.record, status="stale", reason="ran on other rows than the newest trials; run it again"
            )
            made.append(Cell(cell.label, record, cell.machine))
    return made
