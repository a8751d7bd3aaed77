"""The hooks a plugin package may have, and the marker for them.

A package advertises a module::

    [project.entry-points.adbench]
    NAME = "package.module"

The module imports ``adbench`` only; the functions below are called once, when the registry is made.
They return plain specs and must not import a framework, read data or print.
"""

from __future__ import annotations

import pluggy

from adbench.specs import DatasetSpec, DetectorSpec, ThresholdSpec

PROJECT = "adbench"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def adbench_detectors() -> list[DetectorSpec]:  # type: ignore[empty-body]
    """Return the detectors of this package, in the order they should be listed."""


@hookspec
def adbench_datasets() -> list[DatasetSpec]:  # type: ignore[empty-body]
    """Return the datasets of this package, in the order they should be listed."""


@hookspec
def adbench_thresholds() -> list[ThresholdSpec]:  # type: ignore[empty-body]
    """Return the threshold rules of this package."""


@hookspec(firstresult=True)
def adbench_open_dataset(address: str) -> DatasetSpec | None:
    """Return the dataset for an address such as ``file:PATH#key=value``, or None if it is not ours.

    Called for every ``-D`` that has a scheme (``word:``). Raise :class:`adbench.UsageError` with a
    clear line when the address is ours but wrong.
    """
