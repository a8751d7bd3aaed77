"""The first thing to read of a bundle: what it is, what it was made with, and the sum of every other member."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from adbench.bundles import layout
from adbench.bundles.contents import Plain, check_run, strict_json
from adbench.bundles.tables import Unsound
from adbench.errors import one_line
from adbench.planning.trial import PROTOCOL_VERSION
from adbench.record_schema import Count
from adbench.specs import ThresholdSpec


class OtherVersion(Exception):
    """A bundle of another format or protocol; the text goes on after its name."""


class Member(msgspec.Struct, frozen=True):
    """Size and sha256 of a member."""

    bytes: int
    sha256: str


class Counts(msgspec.Struct, frozen=True):
    """How much there is: trials as planned, by profile and key; distinct arrays; rows of the table of numbers."""

    trials: int
    arrays: int
    numbers: int


class Rule(msgspec.Struct, frozen=True):
    """A threshold rule as the bundle's maker had it."""

    target: str
    params: dict[str, Any]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself.

    Parameters
    ----------
    members
        Name -> size and sum, of all but the manifest.
    counts
        How much there is.
    profiles
        Those of its trials.
    runs
        Run number -> machine facts and commit.
    licences
        Dataset -> licence of its data.
    thresholds
        Those whose numbers it holds.
    compact
        Whether scores were rounded, as :func:`adbench.bundles.precision.compacted` does.
    adbench, evaluation
        Versions of the distribution and of the evaluation that made the numbers.
    """

    members: dict[str, Member]
    counts: Counts
    profiles: list[str]
    runs: dict[Count, dict[str, Plain]]
    licences: dict[str, str]
    thresholds: dict[str, Rule]
    compact: bool
    adbench: str
    evaluation: int

    def to_json(self) -> bytes:
        """Return the member's text, the same for the same values."""
        versions = {"format": layout.FORMAT, "version": layout.FORMAT_VERSION, "protocol": PROTOCOL_VERSION}
        body = msgspec.to_builtins(self, str_keys=True) | versions
        return json.dumps(body, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def rules(thresholds: Sequence[ThresholdSpec]) -> dict[str, Rule]:
    """Return how a manifest names threshold rules."""
    return {spec.name: Rule(spec.target, dict(spec.params)) for spec in thresholds}


def own_version() -> str:
    """Return the version of adbench."""
    try:
        return version("adbench-suite")
    except PackageNotFoundError:
        return ""


def read(data: bytes) -> Manifest:
    """Read a manifest.

    Raises
    ------
    Unsound
        If it is none.
    OtherVersion
        If it is of a version that this adbench does not read.
    """
    try:
        body = strict_json(data)
        if not isinstance(body, dict) or body.get("format") != layout.FORMAT:
            raise Unsound("its manifest is not that of a bundle")
        made_by = f"it was made by adbench {str(body.get('adbench'))[:20]!r}"
        for name, own in (("version", layout.FORMAT_VERSION), ("protocol", PROTOCOL_VERSION)):
            if body.get(name) != own:
                raise OtherVersion(f"is of {name} {str(body.get(name))[:20]!r}, this adbench reads {own}: {made_by}")
        manifest = msgspec.convert(body, Manifest, str_keys=True)
        for facts in manifest.runs.values():
            check_run(facts)
    except Unsound:
        raise
    except (RecursionError, ValueError) as error:
        raise Unsound(f"its manifest cannot be read ({one_line(str(error), 120)})") from error
    return manifest
