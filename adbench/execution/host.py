"""The host: an interpreter that imports slow modules once and forks a child for every job.

Run as ``python -P -m adbench.execution.host`` by the coordinator, which talks to it in frames:

=================================================  ==========================================
to the host                                        from the host or its child
=================================================  ==========================================
``{"preload": [module, ...]}``, first              ``{"event": "ready", "seconds": s}``
``{"target", "args", "workdir", "memory"}``        ``{"event": "started", "pid": p}``
                                                   ``{"event": "progress", ...}`` (of the child)
                                                   ``{"event": "ended", "code": c, "signal": s}``
=================================================  ==========================================

The host computes nothing itself, so that it stays single-threaded and safe to fork. When the
coordinator ends, for whatever reason, the pipe closes and the host takes its child with it. The child
has a pipe of its own for progress: whatever it writes there, only sound frames are passed on.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from adbench.execution import frames, limits

RESULT = "result.json"
LOG = "log.txt"
_LARGEST_FILE = 2**33


def main() -> None:
    """Serve jobs until the coordinator closes the pipe."""
    limits.die_with_parent(os.getppid(), signal.SIGTERM)
    limits.adopt_orphans()
    sys.path[:] = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100 - jobs change the working directory
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to handle
    _Host(commands=_private_copy(0, os.O_RDONLY), events=_private_copy(1, os.O_WRONLY)).serve()


class _Host:
    def __init__(self, commands: int, events: int) -> None:
        self.commands = commands
        self.events = events
        self.decoder = frames.Decoder()
        self.inbox: list[dict[str, Any]] = []
        self.progress = -1
        self.heard = frames.Decoder()
        # A signal writes a byte here, so that one select waits for commands and for children alike.
        self.wake, wake_end = os.pipe()
        for end in (self.wake, wake_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        signal.signal(signal.SIGTERM, _leave)

    def serve(self) -> None:
        started = time.perf_counter()
        for module in self._next()["preload"]:
            # A module that cannot be imported is told by the trial that needs it, with its reason.
            with contextlib.suppress(Exception):
                importlib.import_module(module)
        gc.freeze()  # children then share these pages instead of copying them at their first collection
        self._tell(event="ready", seconds=time.perf_counter() - started)
        while True:
            self._run(self._next())

    def _run(self, job: dict[str, Any]) -> None:
        host = os.getpid()
        self.progress, child_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            for end in (self.progress, self.events, self.commands):
                os.close(end)
            _child(job, host, child_end)
        os.close(child_end)
        self.heard = frames.Decoder()
        self._tell(event="started", pid=pid)
        try:
            status = self._wait(pid)
        except SystemExit:
            limits.kill_tree(pid)
            raise
        finally:
            _kill_leftovers()
            self._stop_hearing()
        code = os.waitstatus_to_exitcode(status)
        self._tell(event="ended", code=max(code, 0), signal=max(-code, 0))

    def _wait(self, pid: int) -> int:
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return status
            self._listen()

    def _next(self) -> dict[str, Any]:
        while not self.inbox:
            self._listen()
        return self.inbox.pop(0)

    def _listen(self) -> None:
        """Wait for a command, progress or a signal; leave when the coordinator is gone."""
        ends = [self.commands, self.wake, *([self.progress] if self.progress >= 0 else [])]
        ready, _, _ = select.select(ends, [], [])
        if self.wake in ready:
            os.read(self.wake, 512)
        if self.progress in ready:
            self._hear(os.read(self.progress, 65536))
        if self.commands in ready:
            chunk = os.read(self.commands, 65536)
            if not chunk:
                sys.exit()
            self.inbox += self.decoder.feed(chunk)

    def _hear(self, chunk: bytes) -> None:
        """Pass on a child's progress; a child that writes anything else there is not heard again."""
        try:
            for message in self.heard.feed(chunk):
                total = None if message["total"] is None else int(message["total"])
                label = str(message["label"])[:200]
                self._tell(event="progress", label=label, done=int(message["done"]), total=total)
        except (ValueError, TypeError, KeyError, RecursionError):
            chunk = b""
        if not chunk:
            self._stop_hearing()

    def _stop_hearing(self) -> None:
        if self.progress >= 0:
            os.close(self.progress)
            self.progress = -1

    def _tell(self, **message: Any) -> None:
        try:
            frames.write(self.events, message)
        except BrokenPipeError:
            sys.exit()


def _child(job: dict[str, Any], host: int, progress: int) -> NoReturn:
    """Run one job and end this process; what it returns is left in the work folder."""
    code = 1
    try:
        os.setsid()
        limits.die_with_parent(host, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        workdir = Path(job["workdir"])
        log = os.open(workdir / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        # What a job leaves lying about goes with its folder.
        os.chdir(workdir)
        os.environ["TMPDIR"] = os.fspath(workdir)
        tempfile.tempdir = None
        faulthandler.enable(file=2)
        limits.limit_files(_LARGEST_FILE)
        if job["memory"]:
            limits.limit_memory(job["memory"])
        result = resolve(job["target"])(**job["args"], workdir=workdir, progress=progress)
        write_result(workdir, result)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - the process ends here; the coordinator reads the log
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def resolve(target: str) -> Callable[..., Any]:
    """Import the object that ``"module:name"`` names."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def write_result(workdir: Path, result: Any) -> None:
    """Leave a job's result: whole or not at all."""
    partial = workdir / (RESULT + ".partial")
    partial.write_text(json.dumps(result, allow_nan=False), encoding="utf-8")
    partial.replace(workdir / RESULT)


def _kill_leftovers() -> None:
    """Kill and reap what a job left behind, down to processes that changed their session."""
    while orphans := limits.children_of(os.getpid()):
        for pid in orphans:
            limits.kill_tree(pid)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _private_copy(fd: int, mode: int) -> int:
    """Move a standard stream out of the way of code that prints."""
    copy = os.dup(fd)
    os.set_inheritable(copy, False)
    null = os.open(os.devnull, mode)
    os.dup2(null, fd)
    os.close(null)
    return copy


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing; the wake-up pipe has the news."""


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit()


if __name__ == "__main__":
    main()
