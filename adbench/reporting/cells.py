"""Cells: stored records with their evaluations, the input of every table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adbench.evaluation import Evaluation
from adbench.intervals import Interval
from adbench.record import Label, Record
from adbench.reporting.evaluator import Comparisons, Evaluator
from adbench.specs import ThresholdSpec
from adbench.store import Store


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
    """

    label: Label
    record: Record
    machine: Mapping[str, Any] = field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, Evaluation]] = field(default_factory=dict)
    above: Mapping[str, Mapping[str, Mapping[str, Interval]]] = field(default_factory=dict)

    @property
    def is_floor(self) -> bool:
        """Whether the detector is a floor, a trivial line to beat."""
        return self.record.detector_facts.get("role") == "floor"


def read_cells(
    stores: Sequence[Store], thresholds: Sequence[ThresholdSpec] | None = None, only: Collection[str] | None = None
) -> list[Cell]:
    """Read and evaluate what stores hold; of the same cell in several states, that of the newest plan.

    Parameters
    ----------
    stores
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
    if thresholds is None:
        from adbench.registry import Registry

        thresholds = list(Registry.discover().thresholds.values())
    found = [cell for store in stores for cell in _read_store(store, thresholds, only)]
    newest: dict[tuple[str, str, str, int], Cell] = {}
    for cell in sorted(_joined(found), key=_age):
        newest[cell.label.profile, cell.label.task, cell.label.detector, cell.record.trial.repetition] = cell
    return _on_the_same_rows([newest[place] for place in sorted(newest)])


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
    """Withdraw cells whose rows are not those of the newest plan of their task and repetition.

    They ran before the data, or the code that splits it, changed: their scores do not compare.
    """
    latest: dict[tuple[str, str, int], Record] = {}
    for cell in sorted(cells, key=_age):
        latest[cell.label.profile, cell.label.task, cell.record.trial.repetition] = cell.record
    made = []
    for cell in cells:
        current = latest[cell.label.profile, cell.label.task, cell.record.trial.repetition]
        if cell.record.trial.split_key == current.trial.split_key:
            made.append(cell)
        else:
            record = replace(
                cell.record, status="stale", reason="ran on other rows than the newest trials; run it again"
            )
            made.append(Cell(cell.label, record, cell.machine))
    return made


def _read_store(store: Store, thresholds: Sequence[ThresholdSpec], only: Collection[str] | None) -> list[Cell]:
    machines = store.run_facts()
    labelled = store.labelled(only)
    evaluator = Evaluator(store, thresholds)
    evaluated = {record.key: evaluator.evaluate(record) for _, record in labelled}
    floors = _floors_by_rows(record for record, _ in evaluated.values())
    cells = []
    for label, _ in labelled:
        record, evaluations = evaluated[label.key]
        others = floors.get(record.trial.split_key, [])
        above: Comparisons = {}
        if evaluations and record not in others:
            above, notes = evaluator.compare(record, others)
            record = replace(record, notes=(*record.notes, *notes))
        cells.append(Cell(label, record, machines.get(record.run, {}), evaluations, above))
    evaluator.keep()
    return cells


def _floors_by_rows(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the floors that ran, by the rows they saw: only equal rows can be compared in pairs."""
    floors: dict[str, list[Record]] = {}
    for record in records:
        if record.status == "ok" and record.detector_facts.get("role") == "floor":
            floors.setdefault(record.trial.split_key, []).append(record)
    return floors
