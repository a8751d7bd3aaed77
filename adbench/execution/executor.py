"""The coordinator's side of jobs: hosts, limits, and what became of each job.

An executor takes jobs and gives events. :class:`LocalExecutor` runs them in children of hosts;
:class:`InlineExecutor` in this process, for debugging: there a crash is a crash.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from adbench.execution import frames, limits
from adbench.execution.host import LOG, RESULT, resolve

_WATCH_SECONDS = 0.05
_LOG_TAIL_BYTES = 8192


@dataclass(frozen=True)
class Job:
    """A function to call in a process of its own: ``target(**args, workdir=..., events=...)``.

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


class Executor(Protocol):
    """Where jobs run."""

    jobs: int
    threads: int

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

    def __init__(self, jobs: int, threads: int = 1) -> None:
        self.jobs = jobs
        self.threads = threads
        self._hosts: list[_HostProcess] = []
        self._selector = selectors.DefaultSelector()
        self._watched = 0.0

    def has_slot(self) -> bool:
        """Tell whether fewer than ``jobs`` jobs are under way."""
        return sum(host.job is not None for host in self._hosts) < self.jobs

    def submit(self, job: Job) -> None:
        """Give a job to an idle host with the right modules, or to a new host."""
        idle = [host for host in self._hosts if host.job is None]
        fitting = [host for host in idle if host.preload == job.preload]
        if not fitting and len(idle) > 2 * self.jobs:
            self._end(idle[0])
        host = fitting[0] if fitting else self._start(job.preload)
        host.give(job)

    def poll(self, timeout: float) -> list[Event]:
        """Return what happened, enforcing time and memory limits meanwhile."""
        events: list[Event] = []
        for key, _ in self._selector.select(min(timeout, _WATCH_SECONDS)):
            host: _HostProcess = key.data
            events += host.read()
            if host.gone:
                self._end(host)
        if time.monotonic() - self._watched >= _WATCH_SECONDS:
            for host in self._hosts:
                host.watch()
            self._watched = time.monotonic()
        return events

    def close(self) -> None:
        """Kill what is running and end all hosts."""
        for host in list(self._hosts):
            self._end(host)
        self._selector.close()

    def _start(self, preload: tuple[str, ...]) -> _HostProcess:
        host = _HostProcess(preload, self.threads)
        self._hosts.append(host)
        self._selector.register(host.output, selectors.EVENT_READ, host)
        return host

    def _end(self, host: _HostProcess) -> None:
        self._selector.unregister(host.output)
        self._hosts.remove(host)
        host.close()


@dataclass
class _HostProcess:
    """One host and the job it has, if any."""

    preload: tuple[str, ...]
    threads: int
    job: Job | None = None
    pid: int = 0
    gone: bool = False
    _started: float = 0.0
    _base: int = 0
    _peak: int = 0
    _children: int = 0
    _killed: tuple[str, str] = ("", "")
    _decoder: frames.Decoder = field(default_factory=frames.Decoder)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "adbench.execution.host"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | pinned(self.threads),
            start_new_session=True,  # Ctrl-C in a terminal must reach the coordinator alone
        )
        assert self._process.stdin and self._process.stdout
        self.input = self._process.stdin.fileno()
        self.output = self._process.stdout.fileno()
        self._send({"preload": self.preload})

    def give(self, job: Job) -> None:
        self.job, self.pid, self._peak, self._children, self._killed = job, 0, 0, 0, ("", "")
        self._send(
            {"target": job.target, "args": dict(job.args), "workdir": os.fspath(job.workdir), "memory": job.memory}
        )

    def read(self) -> list[Event]:
        chunk = os.read(self.output, 65536)
        if not chunk:
            self.gone = True
            return [self._lost()] if self.job else []
        return [event for message in self._decoder.feed(chunk) for event in self._take(message)]

    def watch(self) -> None:
        """Kill the job if it is over a limit; the host then tells of its end."""
        if self.job is None or not self.pid or self._killed[0]:
            return
        if self.job.timeout is not None and time.monotonic() - self._started > self.job.timeout:
            self._kill("timeout", f"still running after {self.job.timeout:g} s")
            return
        children = sum(map(limits.tree_bytes, limits.children_of(self.pid)))
        self._children = max(self._children, children)
        self._peak = max(self._peak, limits.resident_bytes(self.pid) + children - self._base)
        if self.job.memory is not None and self._peak > self.job.memory:
            self._kill("memory", f"took more than {self.job.memory / 2**20:,.0f} MB")

    def close(self) -> None:
        if self.pid:
            limits.kill_tree(self.pid)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        # The closed pipe tells the host to leave; a host that is still importing is not listening yet.
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # a host that is gone is noticed when read from
            frames.write(self.input, message)

    def _take(self, message: Mapping[str, Any]) -> list[Event]:
        if message["event"] == "started":
            self.pid, self._started = message["pid"], time.monotonic()
            self._base = limits.resident_bytes(self.pid)
        elif message["event"] == "progress" and self.job:
            return [Progress(self.job, message["label"], message["done"], message["total"])]
        elif message["event"] == "ended" and self.job:
            return [self._ended(message["code"], message["signal"])]
        return []

    def _ended(self, code: int, number: int) -> Ended:
        job, self.job, self.pid = self.job, None, 0
        assert job is not None
        log = read_tail(job.workdir / LOG)
        failure, reason = self._killed
        result = None
        if not failure and not code and not number:
            result = read_result(job.workdir)
        if result is None and not failure:
            failure, reason = _explain(code, number, log)
        seconds = time.monotonic() - self._started
        return Ended(job, result, failure, reason, seconds, self._peak / 2**20, self._children / 2**20, log)

    def _lost(self) -> Ended:
        """Tell of a job whose host ended without a word."""
        job, self.job = self.job, None
        assert job is not None
        if self.pid:
            limits.kill_tree(self.pid)
            self.pid = 0
        doing = f"while importing {', '.join(self.preload)}" if not self._started else "with its job"
        return Ended(job, failure="crash", reason=f"the host process ended {doing}", log=read_tail(job.workdir / LOG))

    def _kill(self, failure: str, reason: str) -> None:
        self._killed = failure, reason
        limits.kill_tree(self.pid)


class InlineExecutor:
    """Runs each job at once in this process: for debuggers and profilers, without limits."""

    jobs = 1

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._events: list[Event] = []

    def has_slot(self) -> bool:
        """Tell whether the last job's end has been taken."""
        return not self._events

    def submit(self, job: Job) -> None:
        """Run the job now."""
        started = time.monotonic()
        result = resolve(job.target)(**job.args, workdir=job.workdir, events=None)
        self._events.append(Ended(job, json.loads(json.dumps(result)), seconds=time.monotonic() - started))

    def poll(self, timeout: float) -> list[Event]:
        """Return the last job's end."""
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Do nothing: nothing is left running."""


def pinned(threads: int) -> dict[str, str]:
    """Return a host's environment: so many numerical threads for a trial, none in the host itself."""
    names = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "LOKY_MAX_CPU_COUNT",
    )
    return dict.fromkeys(names, str(threads)) | {
        # Set and dict order may reach a result through a plugin: hash seeds are fixed as well.
        "PYTHONHASHSEED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        # pyarrow, which pandas loads, would start a thread of its allocator in the host, before the fork.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }


def read_result(workdir: Path) -> Any:
    """Return what a job left, or None."""
    try:
        return json.loads((workdir / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def read_tail(path: Path) -> str:
    """Return the end of a job's log."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
            return log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def _explain(code: int, number: int, log: str) -> tuple[str, str]:
    """Return status and reason of a child that ended without a result."""
    if number == signal.SIGABRT and "bad_alloc" in log:
        return "memory", "a native allocation failed (std::bad_alloc)"
    if number == signal.SIGKILL:
        return "crash", "killed by the system (SIGKILL), perhaps for lack of memory"
    if number:
        return "crash", f"killed by {_signal_name(number)}"
    return "crash", f"the process exited with code {code} before the trial was done"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
