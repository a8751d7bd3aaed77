"""The coordinator's side of a host: gives it jobs, watches their limits, tells what became of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adbench.execution import frames, limits
from adbench.execution.host import LOG, RESULT
from adbench.execution.job import Ended, Event, Job, Progress

_LOG_TAIL_BYTES = 8192
_LOG_BYTES = 100 * 2**20
_IMPORT_SECONDS = 600.0
_DYING_SECONDS = 5.0


@dataclass
class HostProcess:
    """A host, seen from the coordinator: the job it has, if any, and the limits of that job."""

    preload: tuple[str, ...]
    threads: int
    job: Job | None = None
    pid: int = 0
    gone: bool = False
    last_used: float = 0.0
    _started: float = 0.0
    _struck: float = 0.0
    _tree: list[int] = field(default_factory=list)
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
        """Start a job; the host must have none."""
        self.job, self.pid, self._peak, self._children, self._killed = job, 0, 0, 0, ("", "")
        self.last_used, self._started, self._tree = time.monotonic(), 0.0, []
        self._send(
            {"target": job.target, "args": dict(job.args), "workdir": os.fspath(job.workdir), "memory": job.memory}
        )

    def read(self) -> list[Event]:
        """Return what the host has told; call it when ``output`` is readable."""
        chunk = os.read(self.output, 65536)
        if not chunk:
            return self._lost()
        return [event for message in self._decoder.feed(chunk) for event in self._take(message)]

    def watch(self) -> list[Event]:
        """Kill the job if it is over a limit; the host then tells of its end, or is killed itself."""
        if self._process.poll() is not None:
            return self._lost()
        if self.job is None:
            return []
        now = time.monotonic()
        if self._killed[0]:
            if now - self._struck > _DYING_SECONDS:  # a host that was stopped tells nothing
                self._process.kill()
                return self._lost()
        elif not self.pid:
            if now - self.last_used > _IMPORT_SECONDS:
                self._process.kill()
                return self._lost()
        elif self.job.timeout is not None and now - self._started > self.job.timeout:
            self._kill("timeout", f"still running after {self.job.timeout:g} s")
        elif size_of(self.job.workdir / LOG) > _LOG_BYTES:
            self._kill("crash", f"printed more than {_LOG_BYTES / 2**20:.0f} MB")
        else:
            self._watch_memory(self.job.memory)
        return []

    def _watch_memory(self, limit: int | None) -> None:
        # From the host down: what forked twice belongs to the host, which adopts orphans.
        self._tree = limits.tree_of(self._process.pid)[1:]
        resident = {pid: limits.resident_bytes(pid) for pid in self._tree}
        total = sum(resident.values())
        if limit is not None and total - self._base > limit and len(resident) > 1:
            # Forked workers may share most of it.
            resident = {pid: limits.shared_out_bytes(pid) for pid in self._tree}
            total = sum(resident.values())
        self._children = max(self._children, total - resident.get(self.pid, 0))
        self._peak = max(self._peak, total - self._base)
        if limit is not None and self._peak > limit:
            self._kill("memory", f"took more than {limit / 2**20:,.0f} MB")

    def close(self) -> None:
        """Kill the job, if any, and end the host."""
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

    def _lost(self) -> list[Event]:
        """Tell of a job whose host ended without a word, and end what it left."""
        self.gone = True
        job, self.job, self.pid = self.job, None, 0
        limits.kill_all(self._tree)
        if job is None:
            return []
        doing = "with its job" if self._started else f"while importing {', '.join(self.preload)}"
        failure, reason = self._killed if self._killed[0] else ("crash", f"the host process ended {doing}")
        return [Ended(job, failure=failure, reason=reason, log=read_tail(job.workdir / LOG))]

    def _kill(self, failure: str, reason: str) -> None:
        self._killed, self._struck = (failure, reason), time.monotonic()
        limits.kill_all(reversed(limits.tree_of(self._process.pid)[1:]))


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


def size_of(path: Path) -> int:
    """Return a file's size, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


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
