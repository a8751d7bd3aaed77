"""Whether records and arrays from somebody else are what pages can be made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from numpy.typing import NDArray

from adbench import record_schema
from adbench.bundles.tables import Unsound
from adbench.errors import one_line
from adbench.record import MISSING, STATUSES, Label, Record
from adbench.record_schema import Amount, Count, one_of
from adbench.specs import SETTINGS

Plain = str | int | float | bool | None
# Files and charts are named after these: a bundle has only names that a plugin could have.
Name = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_.-]*\Z", max_length=80)]
Part = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.@/-]*\Z", max_length=160)]


class _Trial(record_schema.TrialShape):
    detector: Name
    dataset: Name
    task: Name
    setting: Annotated[str, one_of(*SETTINGS)]
    variant: Part
    block: Part


class _Detector(record_schema.DetectorShape):
    role: Annotated[str, one_of("method", "floor")]
    supervision: Annotated[str, one_of("none", "labels")]


class _Record(record_schema.RecordShape):
    trial: _Trial
    status: Annotated[str, one_of(*STATUSES, MISSING)]
    detector_facts: _Detector
    dataset_facts: dict[str, str]


class _Run(msgspec.Struct):
    started: str
    processor: str
    python: str
    adbench: str
    cores: Count
    jobs: Count
    threads: Count
    memory_gb: Amount
    commit: str = ""


def record_of(label: Label, status: str, body: str) -> Record:
    """Read the record of a labelled trial.

    Raises
    ------
    Unsound
        If it is no record, or not that trial's.
    """
    what = f"the record of trial {label.key[:12]!r}"
    try:
        found = strict_json(body)
        record_schema.check_shape(found, _Record)
        record = Record.from_json(body)
        key = record.key
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Unsound(f"{what} cannot be read ({one_line(str(error), 120)})") from error
    if key != label.key:
        raise Unsound(f"{what} is another trial's: its settings give the key {key[:12]}")
    if record.status != status:
        raise Unsound(f"{what} says {record.status}, and stands there as {status[:20]!r}")
    task = f"{record.trial.dataset_label}/{record.trial.task}"
    if not (_calls(label.detector, record.trial.detector) and _calls(label.task, task)):
        raise Unsound(f"{what} stands under another name")
    return record


def _calls(shown: str, name: str) -> bool:
    """Tell whether a label calls a thing by its name, with settings or not."""
    return shown == name or shown.startswith(f"{name}(")


def check_run(facts: Mapping[str, Plain]) -> None:
    """Make sure that pages can tell a run's machine; a ValueError if not."""
    msgspec.convert(facts, _Run)


def strict_json(text: str | bytes) -> Any:
    """Return JSON values, or raise ValueError: NaN is none, and nothing may stand twice."""
    return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)


def check_arrays(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Make sure that a trial's arrays fit together, or raise :class:`Unsound`; the scores may be NaN."""
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        kind, _, rest = name.partition("/")
        if kind == "scores":
            test, _, score = rest.rpartition("/")
            like = [array, *(arrays.get(other) for other in (f"y/{test}", f"row_ids/{test}"))]
            train = arrays.get(f"train_scores/{score}")
            if train is None or train.ndim != 1 or any(a is None or a.shape != (len(array),) for a in like):
                raise Unsound(f"{name!r} has no labels, row ids or training scores of its own length")
            sizes[test] = len(array)
        if kind in ("scores", "train_scores") and array.dtype.kind != "f":
            raise Unsound(f"{name!r} holds no floating point numbers")
        if kind == "curve" and (array.ndim != 1 or arrays.get("curve/step", array[:0]).shape != array.shape):
            raise Unsound(f"{name!r} has not a value for each step")
    for name, array in arrays.items():
        kind, test, what = (*name.split("/"), "", "")[:3]
        if kind in ("extreme", "embedding"):
            _check_picked(name, array, arrays.get(f"{kind}/{test}/index"), sizes.get(test, 0), what)


def _check_picked(name: str, array: NDArray[Any], index: NDArray[Any] | None, rows: int, what: str) -> None:
    """Check rows that were picked from a test set, and what was kept of each."""
    if index is None or index.ndim != 1 or index.dtype.kind != "i" or not ((index >= 0) & (index < rows)).all():
        raise Unsound(f"{name!r} is about rows that the test set has not")
    if len(array) != len(index) or (what == "xy" and array.shape != (len(index), 2)):
        raise Unsound(f"{name!r} has not one entry for each row that was picked")
    if what != "index" and array.dtype.kind != "f":
        raise Unsound(f"{name!r} holds no floating point numbers")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
