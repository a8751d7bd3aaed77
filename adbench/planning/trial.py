"""A trial: one detector on one task's repetition, and the key that says it is the same experiment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

#: Raised when the harness changes what a trial does: old results are then no longer the same experiment.
PROTOCOL_VERSION = 1


@dataclass(frozen=True)
class Trial:
    """Everything that decides a trial's outcome, as plain JSON values.

    Parameters
    ----------
    detector, params
        The detector and its resolved parameters: profile, then overrides.
    overrides
        The part of ``params`` that the user set; shown beside the detector's name.
    dataset, task, variant, split
        The task, what was found of its data, and the resolved arguments of ``split``.
    split_overrides
        The part of ``split`` that the user set; shown beside the task's name.
    setting, lane, block
        As the task's spec says.
    repetition, root
        Which repetition, and the root of all random seeds.
    fingerprint
        sha256 of the decoded data.
    detector_code, dataset_code
        ``{"distribution", "version", "source"}``: the source is a sha256 over the package's files.
    profile
        A label, not part of the identity: two profiles with the same numbers share the trial.
    """

    detector: str
    dataset: str
    task: str
    setting: str
    lane: str
    repetition: int
    root: int
    fingerprint: str
    variant: str = ""
    block: str = field(default="", metadata={"label": True})
    params: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    detector_code: Mapping[str, str] = field(default_factory=dict)
    dataset_code: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict, metadata={"label": True})
    split_overrides: Mapping[str, Any] = field(default_factory=dict, metadata={"label": True})
    profile: str = field(default="", metadata={"label": True})

    def identity(self) -> dict[str, Any]:
        """Return the parts that make this the same experiment or another one."""
        fields = self.__dataclass_fields__.values()
        parts = {f.name: getattr(self, f.name) for f in fields if not f.metadata.get("label")}
        return {**parts, "protocol": PROTOCOL_VERSION}

    @cached_property
    def key(self) -> str:
        """sha256 over the canonical JSON of :meth:`identity`."""
        return digest(self.identity())

    @cached_property
    def split_key(self) -> str:
        """The same for the rows alone: trials with one split key see the same rows."""
        own = ("dataset", "task", "variant", "split", "repetition", "root", "fingerprint", "dataset_code")
        identity = self.identity()
        return digest({name: identity[name] for name in own})

    @property
    def detector_label(self) -> str:
        """The detector as tables show it, with what the user set."""
        return _with_settings(self.detector, self.overrides)

    @property
    def task_label(self) -> str:
        """``dataset@variant/task`` as tables show it, with what the user set: other seeds, other rows."""
        root = {"seed": self.root} if self.root else {}
        return _with_settings(f"{self.dataset_label}/{self.task}", {**self.split_overrides, **root})

    @property
    def dataset_label(self) -> str:
        """``dataset``, or ``dataset@variant`` if it is not the complete official data."""
        return f"{self.dataset}@{self.variant}" if self.variant else self.dataset

    def split_seed(self) -> int:
        """Return the seed of the rows; it leaves the detector out, so that detectors meet the same rows."""
        return seed_of(self.root, "split", self.dataset, self.task, self.repetition)

    def detector_seed(self) -> int:
        """Return the seed that ``fit`` is given."""
        return seed_of(self.root, "detector", self.dataset, self.task, self.detector, self.repetition)


def digest(value: Any) -> str:
    """Return the sha256 of a plain value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seed_of(*parts: object) -> int:
    """Return a seed in [0, 2**31) drawn from the parts.

    Examples
    --------
    >>> seed_of(0, "split", "cardio") == seed_of(0, "split", "cardio")
    True
    >>> seed_of(0, "split", "cardio") == seed_of(1, "split", "cardio")
    False
    """
    return int(digest([str(part) for part in parts])[:8], 16) & 0x7FFFFFFF


def _with_settings(name: str, settings: Mapping[str, Any]) -> str:
    """Return a name with values as JSON, so that other settings make another label: text is quoted, 1 is not 1.0."""
    values = {key: json.dumps(value, sort_keys=True, ensure_ascii=False) for key, value in sorted(settings.items())}
    shown = ", ".join(f"{key}={value}" for key, value in values.items())
    # A lone surrogate, as a broken file name gives, is no text that SQLite or a page can hold.
    return (f"{name}({shown})" if shown else name).encode(errors="backslashreplace").decode()
