"""What a process asks of the kernel: to die with its parent, to stay below a limit, to tell its peak.

Linux has all of it. Elsewhere the calls do nothing, and the coordinator's watch over time and
resident memory remains.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform.startswith("linux")
# Looked up once, in the host: forked children must not pay for it.
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send ``number`` to this process when its parent ends.

    If ``parent`` has ended already, leave at once: the signal would never come.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none of them escapes."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_of(pid: int) -> list[int]:
    """Return the pids of a process's living children."""
    try:
        lists = [task.joinpath("children").read_text(encoding="ascii") for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [int(word) for text in lists for word in text.split()]


def tree_of(pid: int) -> list[int]:
    """Return the pids of a process's living descendants, itself first."""
    return [pid, *(found for child in children_of(pid) for found in tree_of(child))]


def kill_tree(pid: int) -> None:
    """Kill a process group and every descendant, wherever it moved.

    Killing may orphan grandchildren to the caller's subreaper, which looks again (see ``host``).
    """
    kill_all(reversed(tree_of(pid)))


def kill_all(pids: Iterable[int]) -> None:
    """Kill processes and the groups they lead."""
    for pid in pids:
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def shared_out_bytes(pid: int) -> int:
    """Return a process's resident memory with shared pages divided among those that share them.

    Exact where forked workers share their parent's arrays, but a hundred times slower to ask for.
    """
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))


def limit_memory(extra_bytes: int) -> None:
    """Let this process allocate at most ``extra_bytes`` beyond what it has now."""
    if _LINUX:
        limit = _status_bytes("VmData") + extra_bytes
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def limit_files(largest: int) -> None:
    """Have a crash leave no core file behind, and no file grow beyond ``largest`` bytes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest if hard == resource.RLIM_INFINITY else min(largest, hard), hard))


class PeakMemory:
    """Resident memory this process took beyond what it had when this object was made.

    ``ru_maxrss`` is inherited over fork; writing 5 to ``clear_refs`` resets the kernel's high-water mark.
    """

    def __init__(self) -> None:
        self._reset()
        self._before = 0
        self.base = _status_bytes("VmRSS")

    def mb(self) -> float:
        """Return the peak so far in MiB; 0 where the system does not tell."""
        return max(0, self._mark() - self.base) / 2**20

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Leave out of the peak what is taken inside and given back."""
        before = self._mark()
        try:
            yield
        finally:
            self._before = before
            self._reset()

    def _mark(self) -> int:
        return max(self._before, _status_bytes("VmHWM"))

    def _reset(self) -> None:
        # No such file here, or not ours to write: the mark then starts at the host's.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _status_bytes(field: str) -> int:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0
