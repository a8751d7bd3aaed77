"""A job and its events: the values that pass between the run, an executor and a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """A function to call in a process of its own: ``target(**args, workdir=..., progress=...)``.

    Parameters
    ----------
    id
        Unique among the jobs under way.
    target
        ``"module:function"``; what it returns must be JSON.
    args
        Plain values.
    workdir
        An existing folder for the job alone; arrays travel as files in it.
    preload
        Modules the host imports before forking.
    timeout
        Wall seconds, None for no limit.
    memory
        Bytes beyond what the process starts with, None for no limit.
    """

    id: str
    target: str
    args: Mapping[str, Any]
    workdir: Path
    preload: tuple[str, ...] = ()
    timeout: float | None = None
    memory: int | None = None


@dataclass(frozen=True)
class Progress:
    """A job's own word on how far it is."""

    job: Job
    label: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Ended:
    """What became of a job: its ``result``, or ``failure`` (timeout, memory, crash) and the reason.

    ``peak_mb`` is the process tree's resident memory beyond its start, ``children_mb`` the part of
    processes that the job started; both sampled.
    """

    job: Job
    result: Any = None
    failure: str = ""
    reason: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    children_mb: float = 0.0
    log: str = ""


Event = Progress | Ended
