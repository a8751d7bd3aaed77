"""What a record must look like before anything is made of it: a store may come from somebody else."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from adbench.specs import LANES, PROFILES


def one_of(*names: str) -> Meta:
    """Return what a string must be."""
    return Meta(pattern=rf"\A(?:{'|'.join(names)})\Z")


Count = Annotated[int, Meta(ge=0, le=10**9)]
Amount = Annotated[float, Meta(ge=0, le=1e300)]


class TrialShape(msgspec.Struct):
    """Of :class:`adbench.planning.trial.Trial`; texts may say anything, and are escaped where they are shown."""

    detector: str
    dataset: str
    task: str
    setting: str
    lane: Annotated[str, one_of(*LANES)]
    repetition: Count
    root: int
    fingerprint: str
    variant: str
    block: str
    params: dict[str, Any]
    split: dict[str, Any]
    detector_code: dict[str, str]
    dataset_code: dict[str, str]
    overrides: dict[str, Any]
    split_overrides: dict[str, Any]
    profile: Annotated[str, one_of(*PROFILES)]


class TestShape(msgspec.Struct):
    """Of one test set's facts."""

    name: str
    is_train: bool
    repeated_share: Amount
    rows: Count = 0
    attack: dict[str, Any] = {}


class RowsShape(msgspec.Struct):
    """Of a split's facts."""

    train_rows: Count
    shape: Annotated[list[Count], Meta(max_length=8)]
    contamination: Annotated[float, Meta(gt=0, lt=1)] | None
    tests: list[TestShape]


class DetectorShape(msgspec.Struct):
    """Of what a detector's spec said."""

    role: str
    supervision: str
    scores: Annotated[list[str], Meta(min_length=1)]
    summary: str = ""
    source: str = ""
    family: str = ""


class RecordShape(msgspec.Struct):
    """Of :class:`adbench.record.Record`; what later versions added may be missing."""

    trial: TrialShape
    status: str
    reason: str
    notes: list[str]
    warmup_seconds: Amount
    fit_seconds: Amount
    score_seconds: Amount
    seconds: Amount
    peak_mb: Amount
    rows: dict[str, Any]
    detector_facts: DetectorShape
    dataset_facts: dict[str, Any]
    versions: dict[str, str]
    log: str
    finished: str
    run: Count
    installed: bool = True
    parameters: Annotated[int, Meta(ge=0, le=10**15)] | None = None


def check_shape(found: Any, shape: type[RecordShape] = RecordShape) -> None:
    """Raise ValueError (msgspec's) if a record's JSON values are not of a shape."""
    msgspec.convert(found, shape)
    if found["rows"]:
        msgspec.convert(found["rows"], RowsShape)
