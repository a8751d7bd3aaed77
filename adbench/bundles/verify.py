"""Recomputing a published bundle: whether every number in it is what its scores give.

What it cannot show is that the scores are what a detector gave: who makes up scores, and makes all
else from them, makes a bundle in which everything fits. For that, run a trial of it again
(``adbench why`` tells whether it would be the same trial).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from adbench.bundles import layout, manifest
from adbench.bundles.bundle import Bundle
from adbench.bundles.numbers import NO_NUMBER, Name, evaluations, named_numbers, same, trial_columns
from adbench.bundles.tables import Unsound, texts
from adbench.errors import AdbenchError, StoreError
from adbench.evaluation import EVALUATION_VERSION
from adbench.metric_names import ORACLE
from adbench.record import Label, Record
from adbench.specs import ThresholdSpec

Numbers = dict[Name, float]


@dataclass
class Verdict:
    """What came of it.

    Parameters
    ----------
    trials, numbers
        How many were looked at.
    altered
        A line for each thing that is not what it should be.
    not_run
        Threshold rules that are not installed here, or are other ones: their numbers were not recomputed.
    """

    trials: int = 0
    numbers: int = 0
    altered: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)


def verify(path: Path, thresholds: Sequence[ThresholdSpec]) -> Verdict:
    """Recompute every number of a bundle from its scores; nothing of it is run.

    Parameters
    ----------
    path
        The file.
    thresholds
        Rules that are installed here.

    Raises
    ------
    StoreError
        If it is no bundle, cannot be read, or its numbers were made by another evaluation.
    """
    with Bundle(path, check=False) as bundle:
        stated = bundle.manifest
        if stated.evaluation != EVALUATION_VERSION:
            raise StoreError(
                f"the numbers of {path.name} were made by evaluation {stated.evaluation}, this adbench makes "
                f"{EVALUATION_VERSION}: verify it with adbench-suite {stated.adbench[:20]!r}, or make it anew: "
                f"adbench bundle --store {path.name}"
            )
        found = Verdict(trials=len(bundle.labels()))
        found.altered += [f"{name}: its sha256 is not the one stated" for name in bundle.altered_members()]
        for name, number in bundle.counts().items():
            if (said := getattr(stated.counts, name)) != number:
                found.altered.append(f"{layout.MANIFEST}: {said} {name} are stated, there are {number}")
        rules = _installed(stated.thresholds, thresholds, found)
        _Recomputing(bundle, rules, set(found.not_run), found).run()
    return found


def _installed(
    stated: Mapping[str, manifest.Rule], thresholds: Sequence[ThresholdSpec], found: Verdict
) -> list[ThresholdSpec]:
    """Return the rules of a bundle that are installed here under the same settings, and note the others."""
    own = manifest.rules(thresholds)
    found.not_run = sorted(name for name, rule in stated.items() if own.get(name) != rule)
    return [spec for spec in thresholds if spec.name in stated and spec.name not in found.not_run]


@dataclass
class _Recomputing:
    bundle: Bundle
    rules: Sequence[ThresholdSpec]
    not_run: set[str]
    found: Verdict
    rows: dict[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    """Rows and test set -> numbers of their labels and row ids: one for all trials that saw them."""

    def run(self) -> None:
        """Go through the trials in the order of the table of numbers, which is that of the records."""
        pieces = self._stated()
        left = next(pieces, None)
        for label in self.bundle.labels():
            stated: Numbers = {}
            if left is not None and left[0] == (label.profile, label.key):
                _, stated, beside = left
                left = next(pieces, None)
                self._trial(label, stated, beside)
            else:
                self.found.altered.append(f"{_name(label)}: {layout.NUMBERS} has no row of it in its place")
        if left is not None:
            self.found.altered.append(f"{layout.NUMBERS}: rows of trial {left[0][1][:12]!r} belong to none")

    def _trial(self, label: Label, stated: Numbers, beside: set[tuple[Any, ...]]) -> None:
        try:
            record = self.bundle.records([label.key])[label.key]
            arrays = self.bundle.arrays(label.key) if self.bundle.has_arrays(label.key) else {}
            if record.status == "ok" and not any(name.startswith("scores/") for name in arrays):
                raise StoreError("it is ok and has no scores")
            made = evaluations(record, arrays, self.rules) if record.status == "ok" else {}
        except AdbenchError as error:
            self.found.altered.append(f"{_name(label)}: {error}")
            return
        columns = trial_columns(label, record)
        if beside != {tuple(columns[name] for name in _BESIDE)}:
            self.found.altered.append(f"{_name(label)}: its columns in {layout.NUMBERS} are not those of its record")
        self._rows(label, record)
        self._compare(label, stated, dict(named_numbers(record, made)))

    def _compare(self, label: Label, stated: Numbers, made: Numbers) -> None:
        for name in sorted({*stated, *made}):
            _, _, rule, _ = name
            if rule in self.not_run:
                continue
            self.found.numbers += name != NO_NUMBER
            if name not in made or name not in stated:
                there, lacking = ("in the bundle", "made") if name in stated else ("made", "in the bundle")
                self.found.altered.append(f"{_name(label)}: {_told(name)} is {there}, and not {lacking}")
            elif not same(stated[name], made[name]):
                self.found.altered.append(
                    f"{_name(label)}: {_told(name)}: expected {made[name]!r} from its scores, got {stated[name]!r}"
                )

    def _rows(self, label: Label, record: Record) -> None:
        """Trials on the same rows must have the same labels and row ids, or one of them was altered."""
        numbers = self.bundle.array_numbers(label.key)
        for name in (name for name in numbers if name.startswith(("y/", "row_ids/"))):
            place = (record.trial.split_key, name)
            if self.rows.setdefault(place, {name: numbers[name]})[name] != numbers[name]:
                self.found.altered.append(f"{_name(label)}: {name!r} is not that of other trials on the same rows")

    def _stated(self) -> Iterator[tuple[tuple[str, str], Numbers, set[tuple[Any, ...]]]]:
        """Yield profile and key, the numbers stated, and what stands beside them, trial by trial."""
        for place, rows in groupby(self._stated_rows(), key=lambda row: (row["profile"], row["key"])):
            numbers: Numbers = {}
            beside = set()
            for row in rows:
                name = (row["test"], row["score"], row["threshold"], row["metric"])
                if name in numbers:
                    self.found.altered.append(f"{layout.NUMBERS}: trial {place[1][:12]!r}: {_told(name)} stands twice")
                numbers[name] = row["value"]
                beside.add(tuple(row[column] for column in _BESIDE))
            yield place, numbers, beside

    def _stated_rows(self) -> Iterator[dict[str, Any]]:
        names = layout.SCHEMAS[layout.NUMBERS].names
        try:
            for piece in self.bundle.table(layout.NUMBERS).pieces():
                columns = [
                    piece.column(name).to_pylist() if name in ("seed", "value") else texts(piece, name)
                    for name in names
                ]
                for row in zip(*columns, strict=True):
                    yield dict(zip(names, row, strict=True))
        except Unsound as error:
            self.found.altered.append(str(error))


_BESIDE = ("key", "detector", "dataset", "task", "variant", "profile", "setting", "lane", "seed", "status")


def _name(label: Label) -> str:
    return f"trial {label.key[:12]} ({label.detector} on {label.task}, {label.profile})"


def _told(name: Name) -> str:
    test, score, rule, metric = name
    marked = f"{rule} (uses the labels)" if rule == ORACLE else rule
    return " ".join(filter(None, [metric or "no number", marked and f"by {marked}", score and f"of {score} on {test}"]))
