"""What the user named: detectors, tasks and overrides, checked against the registry."""

from __future__ import annotations

import fnmatch
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adbench.errors import UnknownName, UsageError, one_line
from adbench.registry import Registry
from adbench.specs import DatasetSpec, DetectorSpec, TaskSpec

_SCHEME = re.compile(r"[a-z][a-z0-9+]+:")
Overrides = Mapping[str, Mapping[str, Any]]


def select_detectors(registry: Registry, patterns: Sequence[str]) -> list[DetectorSpec]:
    """Return the detectors that names, globs or ``@GROUP`` select; all of them for no pattern.

    Raises
    ------
    UnknownName
        If a pattern selects nothing.
    """
    chosen: dict[str, None] = {}
    for pattern in patterns or ["*"]:
        chosen |= dict.fromkeys(_matching_detectors(registry, pattern))
    return [registry.detectors[name] for name in chosen]


def _matching_detectors(registry: Registry, pattern: str) -> list[str]:
    if pattern.startswith("@"):
        groups = registry.groups()
        if pattern[1:] not in groups:
            raise UnknownName("group", pattern, [f"@{name}" for name in groups])
        return groups[pattern[1:]]
    if _is_glob(pattern):
        found = [name for name, spec in registry.detectors.items() if spec.default and fnmatch.fnmatch(name, pattern)]
        if not found:
            raise UnknownName("detector", pattern, registry.detectors)
        return found
    return [registry.detector(pattern).name]


def select_datasets(registry: Registry, patterns: Sequence[str]) -> list[DatasetSpec]:
    """Return the datasets that names, globs or addresses (``file:PATH``) select; all of them for no pattern."""
    chosen: dict[str, DatasetSpec] = {}
    for pattern in patterns or ["*"]:
        matching = [registry.open_dataset(pattern)] if _SCHEME.match(pattern) else _matching_datasets(registry, pattern)
        chosen |= {spec.name: spec for spec in matching}
    return list(chosen.values())


def select_tasks(
    registry: Registry, patterns: Sequence[str], lane: str | None = None
) -> list[tuple[DatasetSpec, TaskSpec]]:
    """Return the tasks that ``DATASET[/TASK]`` patterns or addresses (``file:PATH``) select.

    A dataset without a task means its default tasks in the corrected lane, or all its tasks in ``lane``
    when that is ``published``; a task that is named is taken whatever its lane, unless ``lane`` differs.
    """
    chosen: dict[tuple[str, str], tuple[DatasetSpec, TaskSpec]] = {}
    for pattern in patterns or ["*"]:
        for dataset, task in _matching_tasks(registry, pattern, lane):
            chosen[dataset.name, task.name] = (dataset, task)
    return list(chosen.values())


def _matching_tasks(registry: Registry, pattern: str, lane: str | None) -> list[tuple[DatasetSpec, TaskSpec]]:
    if _SCHEME.match(pattern):
        dataset = registry.open_dataset(pattern)
        return _some([(dataset, task) for task in dataset.tasks if lane in (None, task.lane)], pattern, lane)
    dataset_pattern, slash, task_pattern = pattern.partition("/")
    datasets = _matching_datasets(registry, dataset_pattern)
    if not slash:
        wanted = lane or "corrected"
        by_default = [
            (d, t) for d in datasets for t in d.tasks if t.lane == wanted and (t.default or wanted == "published")
        ]
        return _some(by_default, pattern, wanted)
    found = [
        (d, t)
        for d in datasets
        for t in d.tasks
        if fnmatch.fnmatchcase(t.name, task_pattern) and lane in (None, t.lane)
    ]
    if not found:
        known = [f"{d.name}/{t.name}" for d in datasets for t in d.tasks if lane in (None, t.lane)]
        raise UnknownName("task", pattern, known)
    return found


def _some(
    found: list[tuple[DatasetSpec, TaskSpec]], pattern: str, lane: str | None
) -> list[tuple[DatasetSpec, TaskSpec]]:
    if not found:
        raise UsageError(f"{pattern!r} has no task to run by default in the lane {lane!r}; name one: DATASET/TASK")
    return found


def _matching_datasets(registry: Registry, pattern: str) -> list[DatasetSpec]:
    if not _is_glob(pattern):
        return [registry.dataset(pattern)]
    found = fnmatch.filter(registry.datasets, pattern)
    if not found:
        raise UnknownName("dataset", pattern, registry.datasets)
    return [registry.datasets[name] for name in found]


def parse_overrides(settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Parse ``NAME.PARAM=VALUE`` settings into overrides by detector or dataset.

    Values are JSON where they parse as JSON, else text.

    Examples
    --------
    >>> parse_overrides(["knn.k=5", "knn.metric=l1"])
    {'knn': {'k': 5, 'metric': 'l1'}}
    """
    overrides: dict[str, dict[str, Any]] = {}
    for setting in settings:
        left, equals, text = setting.partition("=")
        # A name may hold dots, a parameter may not: the last dot parts them.
        name, dot, param = left.rpartition(".")
        if not (equals and dot and name and param.isidentifier()):
            raise UsageError(f"--set takes NAME.PARAM=VALUE; got {setting!r}")
        overrides.setdefault(name, {})[param] = _value(text)
    return overrides


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError as error:
        raise UsageError(f"--set takes values that are nested less deeply; got {text[:20]}...") from error
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise UsageError(f"--set takes finite numbers; got {one_line(text, 80)}")
    return number


def _is_glob(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")
