"""Where results come from: code versions, source hashes, the machine, the commit."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adbench.registry import Plugin


def code_of(plugin: Plugin, target: str) -> dict[str, str]:
    """Return the identity of the code behind a target: distribution, version and source hash.

    Packages that plugins share, such as ``adbench-image-sources``, are part of the code of each of them.
    """
    package = target.partition(":")[0].partition(".")[0]
    shared = [name.replace("-", "_") for name in _required(plugin.distribution) if name.startswith("adbench-")]
    hashes = [source_hash(name) for name in (package, *shared) if name != "adbench_suite"]
    source = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    return {"distribution": plugin.distribution, "version": plugin.version, "source": source}


@cache
def source_hash(package: str) -> str:
    """Return the sha256 over a top-level package's Python files, found without importing it."""
    digest = hashlib.sha256()
    for path, name in _python_files(package):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _python_files(package: str) -> list[tuple[Path, str]]:
    spec = find_spec(package)
    if spec is None:
        return []
    if spec.submodule_search_locations:
        roots = [Path(location) for location in spec.submodule_search_locations]
        return sorted((path, path.relative_to(root).as_posix()) for root in roots for path in root.rglob("*.py"))
    return [(Path(spec.origin), Path(spec.origin).name)] if spec.origin else []


@cache
def versions_of(distribution: str) -> dict[str, str]:
    """Return the versions of a distribution and of what it requires directly."""
    names = [distribution, *_required(distribution)]
    return {name: found for name in names if (found := _version(name))} if distribution else {}


@cache
def _required(distribution: str) -> tuple[str, ...]:
    """Return what a distribution requires directly, without its extras."""
    try:
        needed = requires(distribution) or [] if distribution else []
    except PackageNotFoundError:
        return ()
    return tuple(_requirement_name(line) for line in needed if "extra ==" not in line)


def _requirement_name(line: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", line)
    return match.group().lower() if match else ""


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def machine_facts(jobs: int, threads: int) -> dict[str, Any]:
    """Return what a reader needs to judge timings: processor, cores, memory, system, Python; no host name."""
    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "adbench": _version("adbench-suite"),
        "jobs": jobs,
        "threads": threads,
        **_commit(),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match.group(1).strip() if match else platform.processor()


def _commit() -> dict[str, Any]:
    """Return the commit of adbench's own checkout, if it runs from one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return {}

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return {}
