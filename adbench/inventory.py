"""The inventory: what each dataset has on this machine, and whether it still is what it was."""

from __future__ import annotations

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
from adbench.files import digest_of
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
        ``complete`` (of upstream's, the official data), ``variant`` (something else, by a name of its own),
        ``missing`` or ``damaged``.
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
        lacking,
    )


def check_files(holdings: Sequence[Holding], finder: Finder) -> Iterator[Check]:
    """Hold each file that datasets have in the searched folders against the checksum published for its place."""
    published: dict[Path, RemoteFile | None] = {}
    owner: dict[Path, str] = {}
    for each in holdings:
        for path, remote in _in_place(each.spec, finder):
            published[path] = remote
            owner.setdefault(path, each.spec.name)
        for path in each.files:
            # What came with an installed package is pip's to verify.
            if any(path.is_relative_to(folder) for folder in finder.folders):
                owner.setdefault(path, each.spec.name)
    for path, name in owner.items():
        yield _check_file(path, published.get(path), name)


def altered_files(spec: DatasetSpec, finder: Finder) -> list[RemoteFile]:
    """Return the upstream files that are in their place and do not have their published checksum."""
    in_place = _in_place(spec, finder)
    return [remote for path, remote in in_place if remote and _check_file(path, remote, spec.name).mark == "altered"]


def _in_place(spec: DatasetSpec, finder: Finder) -> Iterator[tuple[Path, RemoteFile | None]]:
    """Yield the upstream files that are here; with None those under another name, which have no published checksum."""
    for remote in spec.files:
        if path := finder.find(remote.path, *remote.elsewhere):
            yield path, remote if path.name == PurePosixPath(remote.path).name else None


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


def _check_file(path: Path, published: RemoteFile | None, name: str) -> Check:
    what = f"{path.parent.name}/{path.name}"
    if published is None or not published.checksum:
        return Check(what, "unknown", "no published checksum; contents are checked when read")
    algorithm, _, expected = published.checksum.partition(":")
    if (found := digest_of(path, algorithm)) == expected:
        return Check(what, "ok", published.checksum)
    told = f"expected {published.checksum}; found {algorithm}:{found}. 'adbench data fetch {name}' brings the right one"
    return Check(what, "altered", told)
