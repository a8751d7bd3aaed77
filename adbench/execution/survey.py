"""Before planning: what data is here, decoded once, and whether the user's settings fit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adbench.errors import AdbenchError, DatasetError, PluginError, UsageError, one_line
from adbench.execution.executor import Executor
from adbench.execution.job import Ended, Job
from adbench.finder import Finder, cache_folder
from adbench.machine import total_memory
from adbench.planning.planner import Source, split_arguments
from adbench.planning.provenance import code_of, versions_of
from adbench.planning.selection import Overrides
from adbench.registry import Registry
from adbench.specs import DatasetSpec, DetectorSpec, TaskSpec

#: Every host has these, so that hosts of detectors that need no more serve data jobs as well. What a
#: job would import anyway (numpy.random, zipfile ...) is here because each child would import it anew.
DATA_PRELOAD = (
    "numpy",
    "numpy.ma",
    "numpy.random",
    "encodings.ascii",
    "mmap",
    "zipfile",
    "adbench.hookspecs",
    "adbench.execution.jobs.data",
    "adbench.execution.jobs.trial",
)


_DATA_SECONDS = 3600.0
_DATA_MEMORY = 0.45
"""Share of the memory there is: two may run at a time, and a file that unpacks to more is none."""


def find_sources(
    executor: Executor, registry: Registry, datasets: Sequence[DatasetSpec], finder: Finder, work: Path
) -> dict[str, Source | str]:
    """Find and decode the datasets, each in a process of its own.

    Returns
    -------
    dict
        Dataset name -> what it found, or why it has no data on this machine.

    Raises
    ------
    DatasetError
        If data is there but damaged or unreadable: nothing is run on part of the truth.
    """
    found = locate(executor, registry, datasets, finder, work)
    _raise_damaged(found)
    found = decode(executor, registry, datasets, found, work)
    _raise_damaged(found)
    return {
        name: entry["missing"] if "missing" in entry else Source(entry["variant"], entry["fingerprint"], entry["note"])
        for name, entry in found.items()
    }


def locate(
    executor: Executor, registry: Registry, datasets: Sequence[DatasetSpec], finder: Finder, work: Path
) -> dict[str, dict[str, Any]]:
    """Look what each dataset finds on this machine, by names alone.

    Returns
    -------
    dict
        Dataset name -> ``{"variant", "note", "files", "details", "fingerprint"}``, ``{"missing": why}`` or
        ``{"error": why}``. The fingerprint is None until the data has been decoded.
    """
    entries = [dataset_entry(registry, spec) for spec in datasets]
    args = {"datasets": entries, "folders": [os.fspath(folder) for folder in finder.folders]}
    return call(executor, work, "data:survey", args | {"cache": os.fspath(cache_folder())}, DATA_PRELOAD)


def decode(
    executor: Executor,
    registry: Registry,
    datasets: Sequence[DatasetSpec],
    found: Mapping[str, Mapping[str, Any]],
    work: Path,
) -> dict[str, dict[str, Any]]:
    """Return what :func:`locate` found with all fingerprints, decoding what is not yet in the cache.

    Each dataset is decoded in a process of its own: one that is damaged gets its ``error``, the others
    their fingerprints.
    """
    cache = os.fspath(cache_folder())
    result = {name: dict(entry) for name, entry in found.items()}
    specs = [spec for spec in datasets if found[spec.name].get("fingerprint", "") is None]
    jobs = [
        _job(
            "data:prepare",
            number,
            {"dataset": dataset_entry(registry, spec), "found": found[spec.name], "cache": cache},
            work,
            DATA_PRELOAD,
        )
        for number, spec in enumerate(specs)
    ]
    ends = {ended.job.id: ended for ended in _run_all(executor, jobs)}
    for spec, job in zip(specs, jobs, strict=True):
        ended = ends[job.id]
        if ended.failure:
            result[spec.name]["error"] = f"dataset {spec.name!r} cannot be decoded: {_failure(ended)}"
        else:
            result[spec.name] |= ended.result
    return result


def check_settings(
    executor: Executor,
    detectors: Iterable[DetectorSpec],
    tasks: Iterable[tuple[DatasetSpec, TaskSpec]],
    profile: str,
    overrides: Overrides,
    work: Path,
) -> None:
    """Raise UsageError if a user's setting names no parameter, or has the wrong type, or a needed one is missing."""
    for spec in detectors:
        # Those that no group takes are run when named, and may need a setting to be any detector at all.
        if spec.name in overrides or not spec.default:
            settings = overrides.get(spec.name, {})
            args = {
                "what": spec.name,
                "target": spec.target,
                "method": "",
                "params": {**spec.params.get(profile, {}), **settings},
                "settings": sorted(settings),
            }
            _raise_told(call(executor, work, "settings:check", args, spec.preload))
    for dataset, task in tasks:
        if dataset.name in overrides:
            settings = overrides[dataset.name]
            args = {
                "what": f"{dataset.name}/{task.name}",
                "target": dataset.target,
                "method": "split",
                "params": split_arguments(task, profile, settings),
                "settings": sorted(settings),
            }
            _raise_told(call(executor, work, "settings:check", args, DATA_PRELOAD))


def with_data_modules(modules: Iterable[str]) -> tuple[str, ...]:
    """Return what a host imports for a plugin that asks for some modules."""
    return tuple(dict.fromkeys((*DATA_PRELOAD, *modules)))


def dataset_entry(registry: Registry, spec: DatasetSpec) -> dict[str, Any]:
    """Return a dataset as jobs need it: plain values."""
    owner = registry.owners[spec.name]
    code = code_of(owner, spec.target) | {"versions": versions_of(owner.distribution)}
    return {"name": spec.name, "target": spec.target, "params": dict(spec.params), "needs": spec.needs, "code": code}


def call(
    executor: Executor, work: Path, function: str, args: Mapping[str, Any], preload: tuple[str, ...]
) -> dict[str, Any]:
    """Run a job (``module:function`` of ``jobs``) and return its result; no other job may be under way."""
    (ended,) = _run_all(executor, [_job(function, 0, args, work, preload)])
    return _result(ended)


def _run_all(executor: Executor, jobs: Iterable[Job]) -> list[Ended]:
    waiting = list(jobs)
    ends: list[Ended] = []
    expected = len(waiting)
    while len(ends) < expected:
        while waiting and executor.has_slot():
            executor.submit(waiting.pop(0))
        ends += [event for event in executor.poll(0.1) if isinstance(event, Ended)]
    return ends


def _job(function: str, number: int, args: Mapping[str, Any], work: Path, preload: tuple[str, ...]) -> Job:
    name = f"{function.replace(':', '-')}-{number}"
    folder = work / name
    folder.mkdir(exist_ok=True)
    memory = int(total_memory() * _DATA_MEMORY)
    return Job(name, f"adbench.execution.jobs.{function}", args, folder, preload, _DATA_SECONDS, memory)


def _result(ended: Ended) -> dict[str, Any]:
    if ended.failure:
        raise PluginError(f"looking at data or settings failed: {_failure(ended)}")
    result: dict[str, Any] = ended.result
    return result


def _failure(ended: Ended) -> str:
    detail = ended.log.strip().splitlines()[-1:] or [""]
    return one_line(f"{ended.reason} {detail[0]}")


def _raise_damaged(found: Mapping[str, Mapping[str, Any]]) -> None:
    for entry in found.values():
        _raise_told(entry, DatasetError)


def _raise_told(result: Mapping[str, Any], kind: type[AdbenchError] = UsageError) -> None:
    if "error" in result:
        raise kind(result["error"])
