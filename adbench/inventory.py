"""The inventory: what each dataset has on this machine, and whether it still is what it was."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from adbench.errors import DatasetError
from adbench.execution.executor import Executor
from adbench.execution.jobs import arrays
from adbench.execution.jobs.data import read_prepared
from adbench.execution.survey import decode, locate
from adbench.finder import Finder, cache_folder, prepared_folder
from adbench.registry import Registry
from adbench.specs import DatasetSpec, RemoteFile

COMPLETE, VARIANT, MISSING, DAMAGED = "complete", "variant", "missing", "damaged"


@dataclass(frozen=True)
class Holding:
    """What a dataset has here.

    Parameters
    ----------
    spec
        The dataset.
    state
        ``complete`` (the official data), ``variant`` (something else, by a name of its own), ``missing`` or
        ``damaged``.
    variant
        Empty for the complete official data.
    files
        Those it reads.
    fingerprint
        sha256 of the decoded arrays; empty if they are not decoded.
    shapes
        Name of each decoded array -> its shape.
    told
        What was found, why there is nothing, or what is wrong: one line.
    lacking
        The upstream files that would make it complete and are not in their place.
    """

    spec: DatasetSpec
    state: str
    variant: str = ""
    files: tuple[Path, ...] = ()
    fingerprint: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    told: str = ""
    lacking: tuple[RemoteFile, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are: those of all arrays but labels and other lists."""
        return sum(shape[0] for shape in self.shapes.values() if len(shape) > 1)


@dataclass(frozen=True)
class Check:
    """What came of holding a file, or decoded arrays, against a published or noted checksum.

    Parameters
    ----------
    what
        Its name.
    mark
        ``ok``, ``altered``, or ``unknown`` where nobody publishes a checksum.
    told
        One line: by which sum, or what to do.
    """

    what: str
    mark: str
    told: str


def take_inventory(
    executor: Executor, registry: Registry, specs: Sequence[DatasetSpec], finder: Finder, *, decoded: bool = False
) -> list[Holding]:
    """Return what each dataset has, each looked at in a process of its own: none can take the others down.

    Parameters
    ----------
    executor
        Where they are looked at; with nothing else under way.
    registry
        What is installed.
    specs
        The datasets.
    finder
        Where to look.
    decoded
        Decode what is not yet in the cache: only then is it known whether files are damaged.
    """
    with tempfile.TemporaryDirectory(prefix="adbench-") as folder:
        found = locate(executor, registry, specs, finder, Path(folder))
        if decoded:
            found = decode(executor, registry, specs, found, Path(folder))
    return [_holding(spec, found[spec.name], finder) for spec in specs]


def _holding(spec: DatasetSpec, found: Mapping[str, Any], finder: Finder) -> Holding:
    """Return a dataset's entry of the survey as a holding."""
    lacking = tuple(file for file in spec.files if not finder.find(file.path, *file.elsewhere))
    if "missing" in found:
        return Holding(spec, MISSING, told=found["missing"], lacking=lacking)
    if "error" in found:
        return Holding(spec, DAMAGED, told=found["error"], lacking=lacking)
    fingerprint = found["fingerprint"] or ""
    decoded = arrays.read_folder(prepared_folder(fingerprint)) if fingerprint else {}
    return Holding(
        spec,
        VARIANT if found["variant"] else COMPLETE,
        found["variant"],
        tuple(map(Path, found["files"])),
        fingerprint,
        {name: array.shape for name, array in decoded.items()},
        found["note"],
        lacking if found["variant"] else (),
    )


def check_files(holdings: Sequence[Holding], finder: Finder) -> Iterator[Check]:
    """Hold every file that datasets use here against its published checksum.

    A file counts as the published one of its name whose checksum it has: some sets share their files' names,
    and a data folder may be laid out otherwise than upstream.
    """
    published: dict[str, list[RemoteFile]] = {}
    owner: dict[Path, str] = {}
    for each in holdings:
        for remote in each.spec.files:
            published.setdefault(PurePosixPath(remote.path).name, []).append(remote)
            if path := finder.find(remote.path, *remote.elsewhere):
                owner.setdefault(path, each.spec.name)
        for path in each.files:
            owner.setdefault(path, each.spec.name)
    for path, name in owner.items():
        yield _check_file(path, [remote for remote in published.get(path.name, ()) if remote.checksum], name)


def check_arrays(holdings: Sequence[Holding]) -> Iterator[Check]:
    """Hold the decoded arrays in the cache against their fingerprints; altered ones are removed."""
    for each in holdings:
        if not each.fingerprint:
            continue
        what = f"decoded arrays of {each.spec.name}"
        try:
            read_prepared(cache_folder(), each.fingerprint)
        except DatasetError:
            yield Check(what, "altered", "they are removed, and decoded anew when next used")
        else:
            yield Check(what, "ok", f"fingerprint {each.fingerprint[:12]}")


def _check_file(path: Path, published: Sequence[RemoteFile], name: str) -> Check:
    what = f"{path.parent.name}/{path.name}"
    if not published:
        return Check(what, "unknown", "no published checksum; contents are checked when read")
    expected = sorted({remote.checksum for remote in published})
    sums = {algorithm: _checksum(path, algorithm) for algorithm in {text.partition(":")[0] for text in expected}}
    for checksum in expected:
        algorithm, _, value = checksum.partition(":")
        if sums[algorithm] == value:
            return Check(what, "ok", checksum)
    found = ", ".join(f"{algorithm}:{value}" for algorithm, value in sums.items())
    return Check(
        what,
        "altered",
        f"expected {' or '.join(expected)}; found {found}. 'adbench data fetch --force {name}' brings the right one",
    )


def _checksum(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
