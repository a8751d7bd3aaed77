"""Executors take jobs and give events.

:class:`LocalExecutor` runs jobs in children of hosts; :class:`InlineExecutor` in this process, for
debugging: there a crash is a crash.
"""

from __future__ import annotations

import json
import selectors
import time
from typing import Protocol

from adbench.execution.host import resolve
from adbench.execution.hosts import HostProcess
from adbench.execution.job import Ended, Event, Job

_WATCH_SECONDS = 0.05
_IDLE_HOSTS_A_JOB = 5
"""A host takes memory, but starting one anew takes seconds: plugins have a handful of kinds."""


class Executor(Protocol):
    """Where jobs run."""

    jobs: int
    threads: int
    overlaps: bool
    """Whether a submitted job runs while the coordinator does something else."""

    def has_slot(self) -> bool:
        """Tell whether another job may be submitted now."""
        ...

    def submit(self, job: Job) -> None:
        """Start a job."""
        ...

    def poll(self, timeout: float) -> list[Event]:
        """Wait up to ``timeout`` seconds for something to happen and return it."""
        ...

    def close(self) -> None:
        """Kill what is running and end all hosts."""
        ...


class LocalExecutor:
    """Runs jobs on this machine, each in a forked child of a host that has its modules loaded.

    Parameters
    ----------
    jobs
        How many at a time.
    threads
        Numerical threads of each; more threads than cores make everything slower.
    """

    overlaps = True

    def __init__(self, jobs: int, threads: int = 1) -> None:
        self.jobs = jobs
        self.threads = threads
        self._hosts: list[HostProcess] = []
        self._selector = selectors.DefaultSelector()
        self._watched = 0.0

    def has_slot(self) -> bool:
        """Tell whether fewer than ``jobs`` jobs are under way."""
        return sum(host.job is not None for host in self._hosts) < self.jobs

    def submit(self, job: Job) -> None:
        """Give a job to an idle host that has its modules, or to a new host."""
        idle = [host for host in self._hosts if host.job is None]
        able = [host for host in idle if set(job.preload) <= set(host.preload)]
        if not able and len(idle) >= _IDLE_HOSTS_A_JOB * self.jobs:
            self._end(min(idle, key=lambda host: host.last_used))
        host = min(able, key=lambda host: len(host.preload)) if able else self._start(job.preload)
        host.give(job)

    def poll(self, timeout: float) -> list[Event]:
        """Return what happened, enforcing time and memory limits meanwhile."""
        events: list[Event] = []
        for key, _ in self._selector.select(min(timeout, _WATCH_SECONDS)):
            host: HostProcess = key.data
            events += host.read()
        if time.monotonic() - self._watched >= _WATCH_SECONDS:
            for host in self._hosts:
                events += host.watch()
            self._watched = time.monotonic()
        for host in [host for host in self._hosts if host.gone]:
            self._end(host)
        return events

    def close(self) -> None:
        """Kill what is running and end all hosts."""
        for host in list(self._hosts):
            self._end(host)
        self._selector.close()

    def _start(self, preload: tuple[str, ...]) -> HostProcess:
        host = HostProcess(preload, self.threads)
        self._hosts.append(host)
        self._selector.register(host.output, selectors.EVENT_READ, host)
        return host

    def _end(self, host: HostProcess) -> None:
        self._selector.unregister(host.output)
        self._hosts.remove(host)
        host.close()


class InlineExecutor:
    """Runs each job at once in this process: for debuggers and profilers, without limits."""

    jobs = 1
    overlaps = False

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._events: list[Event] = []

    def has_slot(self) -> bool:
        """Tell whether the last job's end has been taken."""
        return not self._events

    def submit(self, job: Job) -> None:
        """Run the job now."""
        started = time.monotonic()
        result = resolve(job.target)(**job.args, workdir=job.workdir, progress=None)
        self._events.append(Ended(job, json.loads(json.dumps(result)), seconds=time.monotonic() - started))

    def poll(self, timeout: float) -> list[Event]:
        """Return the last job's end."""
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Do nothing: nothing is left running."""
