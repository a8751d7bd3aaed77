"""The plan: every pairing of the chosen detectors and tasks as exact trials, and the pairs that cannot work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adbench.planning.provenance import code_of
from adbench.planning.selection import Overrides
from adbench.planning.trial import Trial
from adbench.registry import Registry
from adbench.specs import DatasetSpec, DetectorSpec, TaskSpec


@dataclass(frozen=True)
class Source:
    """What a dataset found on this machine, decoded: part of every trial's identity."""

    variant: str
    fingerprint: str
    note: str = ""


@dataclass(frozen=True)
class Planned:
    """A trial, the specs it came from, and a note on the data."""

    trial: Trial
    detector: DetectorSpec
    dataset: DatasetSpec
    note: str = ""


@dataclass(frozen=True)
class Dropped:
    """A pair that is not run, and why. ``detector`` is empty when the task is out for all of them."""

    detector: str
    task: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What to run, in the order of detectors within tasks within repetitions."""

    trials: list[Planned] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)


def make_plan(
    registry: Registry,
    detectors: Sequence[DetectorSpec],
    tasks: Sequence[tuple[DatasetSpec, TaskSpec]],
    sources: Mapping[str, Source | str],
    *,
    profile: str,
    repetitions: Sequence[int],
    root: int,
    overrides: Overrides,
) -> Plan:
    """Pair detectors with tasks.

    Parameters
    ----------
    registry
        For the versions of the plugins' code.
    detectors, tasks
        As selected.
    sources
        Dataset name -> what it found, or why it has no data.
    profile
        Whose sizes and training budgets apply.
    repetitions
        Their numbers.
    root
        Of all random seeds.
    overrides
        What the user set, by detector or dataset name.
    """
    plan = Plan()
    for dataset, task in tasks:
        source = sources[dataset.name]
        if isinstance(source, str):
            plan.dropped.append(Dropped("", f"{dataset.name}/{task.name}", source))
            continue
        for repetition in repetitions:
            for detector in detectors:
                if reason := _why_not(detector, dataset, task):
                    if repetition == repetitions[0]:
                        plan.dropped.append(Dropped(detector.name, f"{dataset.name}/{task.name}", reason))
                    continue
                split_settings = dict(overrides.get(dataset.name, {}))
                detector_settings = dict(overrides.get(detector.name, {}))
                trial = Trial(
                    detector=detector.name,
                    dataset=dataset.name,
                    task=task.name,
                    setting=task.setting,
                    lane=task.lane,
                    repetition=repetition,
                    root=root,
                    fingerprint=source.fingerprint,
                    variant=source.variant,
                    block=task.block or dataset.name,
                    params={**detector.params.get(profile, {}), **detector_settings},
                    split=split_arguments(task, profile, split_settings),
                    detector_code=code_of(registry.owners[detector.name], detector.target),
                    dataset_code=code_of(registry.owners[dataset.name], dataset.target),
                    overrides=detector_settings,
                    split_overrides=split_settings,
                    profile=profile,
                )
                plan.trials.append(Planned(trial, detector, dataset, source.note))
    return plan


def split_arguments(task: TaskSpec, profile: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of ``split``: the task's, the profile's sizes, the user's."""
    return {**task.params, **task.sizes.get(profile, {}), **settings}


def _why_not(detector: DetectorSpec, dataset: DatasetSpec, task: TaskSpec) -> str:
    """Return why a pair cannot work, empty if it can."""
    if dataset.modality == "table" and "vector" not in detector.accepts:
        return "takes images only, and this is a table"
    if detector.supervision == "labels" and task.setting != "supervised":
        return "learns from labels, and this task trains without"
    if detector.supervision == "none" and task.setting == "supervised":
        return "does not learn from labels, and this task is about those that do"
    return ""
