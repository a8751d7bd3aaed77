"""Making a bundle: of stores, and of other bundles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from adbench.bundles import layout, manifest
from adbench.bundles.arrays import ArrayWriter
from adbench.bundles.bundle import Bundle
from adbench.bundles.container import ContainerWriter, writing
from adbench.bundles.contents import check_arrays
from adbench.bundles.gathering import Found, tasks_of
from adbench.bundles.numbers import evaluations, named_numbers, trial_columns
from adbench.bundles.precision import compacted
from adbench.bundles.redaction import publishable
from adbench.bundles.tables import Unsound, write
from adbench.errors import AdbenchError, StoreError, UsageError
from adbench.evaluation import EVALUATION_VERSION
from adbench.record import MISSING, Record
from adbench.reporting.source import Source
from adbench.specs import ThresholdSpec


@dataclass(frozen=True)
class Written:
    """What was put into a bundle: counts, and the bytes of each member."""

    trials: int
    missing: int
    numbers: int
    sizes: Mapping[str, int]


def write_bundle(
    sources: Sequence[Source],
    path: Path,
    thresholds: Sequence[ThresholdSpec],
    *,
    profile: str | None = None,
    compact: bool = False,
    declared: bool = False,
) -> Written:
    """Write what sources hold together into one file, the same bytes for the same results.

    Every number in it is made anew from the scores. Left out are trials that a newer plan has replaced,
    fitted models, test rows that may not be given away, and paths of this machine.

    Parameters
    ----------
    sources
        Open stores and bundles.
    path
        Its new file; an older bundle there is replaced once this one is whole.
    thresholds
        Rules to apply.
    profile
        Whose trials; all if not given.
    compact
        Round scores to five digits and more, order and ties kept; so it is if a bundle among the sources is.
    declared
        Leave out the scores that are not ranked: an ensemble has nineteen of these.

    Raises
    ------
    UsageError
        If there is nothing to publish, something else stands at ``path``, or it cannot be written.
    StoreError
        If the scores of a trial cannot be read: nothing is written then.
    """
    _check_place(path)
    with writing(path) as file:
        compact = compact or any(isinstance(source, Bundle) and source.manifest.compact for source in sources)
        making = _Making(file, thresholds, compact, declared, _renumbered(sources))
        for _, _, trials in tasks_of(sources, profile):
            for found in trials:
                making.take(found)
        if not making.records["key"]:
            of = f" of profile {profile!r}" if profile else ""
            raise UsageError(f"there is nothing to publish: no trial{of} was planned in what was named; give --store")
        return making.finish()


@dataclass
class _Making:
    """A bundle under way."""

    file: ContainerWriter
    thresholds: Sequence[ThresholdSpec]
    compact: bool
    declared: bool
    runs: Mapping[tuple[int, int], tuple[int, dict[str, Any]]]
    """Identity of a source and its number of a run -> the number here, and the facts."""
    records: dict[str, list[str]] = field(init=False)
    numbers: dict[str, list[Any]] = field(init=False)
    used: dict[int, dict[str, Any]] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.records = {name: [] for name in layout.SCHEMAS[layout.RECORDS].names}
        self.numbers = {name: [] for name in layout.SCHEMAS[layout.NUMBERS].names}
        self.arrays = ArrayWriter(self.file.add)
        self.with_arrays: set[str] = set()

    def take(self, found: Found) -> None:
        """Take a trial with its scores and the numbers they give."""
        record = self._published(found)
        label = found.label
        row = (label.profile, label.key, label.detector, label.task, label.planned_at, record.status, record.to_json())
        for name, value in zip(self.records, row, strict=True):
            self.records[name].append(value)
        self.licences[record.trial.dataset_label] = str(record.dataset_facts.get("licence", ""))
        arrays = self._arrays(found)
        if arrays and label.key not in self.with_arrays:
            self.with_arrays.add(label.key)
            self.arrays.take(label.key, arrays)
        beside = trial_columns(label, record)
        try:
            made = evaluations(record, arrays, self.thresholds) if record.status == "ok" else {}
        except AdbenchError as error:
            raise StoreError(f"{_name(found)} cannot be published: {error}") from error
        for (test, score, threshold, metric), number in named_numbers(record, made):
            one = {**beside, "test": test, "score": score, "threshold": threshold, "metric": metric, "value": number}
            for name, column in self.numbers.items():
                column.append(one[name])

    def finish(self) -> Written:
        """Write the tables and the manifest."""
        self.arrays.finish()
        self.file.add(layout.RECORDS, write(self.records, layout.SCHEMAS[layout.RECORDS], layout.RECORD_ROWS))
        self.file.add(layout.NUMBERS, write(self.numbers, layout.SCHEMAS[layout.NUMBERS], layout.TABLE_ROWS))
        trials, numbers = len(self.records["key"]), len(self.numbers["key"])
        made = manifest.Manifest(
            members=dict(self.file.members),
            counts=manifest.Counts(trials, self.arrays.distinct, numbers),
            profiles=sorted(set(self.records["profile"])),
            runs=self.used,
            licences=self.licences,
            thresholds=manifest.rules(self.thresholds),
            compact=self.compact,
            adbench=manifest.own_version(),
            evaluation=EVALUATION_VERSION,
        )
        self.file.add(layout.MANIFEST, made.to_json())
        sizes = {name: member.bytes for name, member in self.file.members.items()}
        return Written(trials, self.records["status"].count(MISSING), numbers, sizes)

    def _published(self, found: Found) -> Record:
        record = publishable(found.record)
        if record.status == MISSING:
            return replace(record, run=0)
        try:
            number, facts = self.runs[id(found.source), record.run]
        except KeyError:
            raise StoreError(f"{_name(found)} cannot be published: nothing is known of the run it was in") from None
        self.used[number] = facts
        return replace(record, run=number)

    def _arrays(self, found: Found) -> dict[str, NDArray[Any]]:
        """Return what is published of a trial's arrays, rounded or not; an ok trial must have its scores."""
        record = found.record
        if record.status != "ok" and not found.source.has_arrays(record.key):
            return {}
        try:
            arrays = found.source.arrays(record.key)
            images = bool(record.dataset_facts.get("images_licence"))
            arrays = {name: array for name, array in arrays.items() if layout.group_of(name, images=images)}
            if self.declared:
                arrays = _of_score(arrays, record.detector_facts["scores"][0])
            check_arrays(arrays)
        except (StoreError, Unsound) as error:
            raise StoreError(f"{_name(found)} cannot be published: {error}") from error
        return compacted(arrays) if self.compact else arrays


def _of_score(arrays: Mapping[str, NDArray[Any]], score: str) -> dict[str, NDArray[Any]]:
    """Return arrays without those of other scores."""
    kinds = ("scores/", "train_scores/")
    return {name: a for name, a in arrays.items() if not name.startswith(kinds) or name.rpartition("/")[2] == score}


def _renumbered(sources: Sequence[Source]) -> dict[tuple[int, int], tuple[int, dict[str, Any]]]:
    """Return new numbers of the runs of all sources, by time; the same run in two sources is one."""
    texts = {
        (id(source), number): json.dumps([facts.get("started", ""), facts], sort_keys=True)
        for source in sources
        for number, facts in source.run_facts().items()
    }
    numbers = {text: number for number, text in enumerate(sorted(set(texts.values())), start=1)}
    return {place: (numbers[text], json.loads(text)[1]) for place, text in texts.items()}


def _check_place(path: Path) -> None:
    if not path.name.endswith(layout.SUFFIX):
        raise UsageError(f"a bundle's name ends in {layout.SUFFIX}; got {path.name!r}")
    if path.exists():
        try:
            Bundle(path, check=False).close()
        except StoreError as error:
            raise UsageError(f"{path} is there and is no bundle, so it is not replaced: give another --out") from error


def _name(found: Found) -> str:
    trial = found.record.trial
    return f"trial {trial.key[:12]} ({found.label.detector} on {found.label.task}, repetition {trial.repetition})"
