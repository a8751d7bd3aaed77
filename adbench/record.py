"""What became of a trial, as plain values: a failure is a result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from adbench.planning.trial import Trial

FAILURES = ("error", "timeout", "memory", "crash", "invalid")
STATUSES = ("ok", *FAILURES, "skipped")
MISSING = "missing"
"""Shown, never stored as an outcome: a planned trial that has not run yet."""


@dataclass(frozen=True)
class Record:
    """What became of a trial: flat, plain values; a failure is a result.

    Parameters
    ----------
    trial
        What was run.
    status
        One of ``STATUSES``; ``missing`` for a trial that is planned only.
    reason
        One line, for every status but ``ok``.
    notes
        What a reader must know of it: what failed beside the scores, such as a reconstruction, that a
        fitted model was loaded, and what the detector itself noted (:func:`adbench.note`).
    installed
        False if the trial was skipped for something that is not here, a package or, with ``--skip-train``, a
        fitted model: worth another look each time.
    warmup_seconds, fit_seconds, score_seconds
        Import and construction, ``fit``, ``score`` over all test sets; 0 where it was not reached. Of a
        loaded model, ``fit_seconds`` is what its fit took when it was made.
    seconds
        Wall time of the trial's process.
    peak_mb
        Peak resident memory beyond what the process started with, MiB.
    parameters
        How many numbers its training set, None where the detector does not say.
    rows
        The split's facts: training rows, shape, stated contamination, and test sets with their share of
        rows that repeat a training row.
    detector_facts, dataset_facts
        What the specs said: role, family, supervision, scores, sources, licence, note on the data.
        Pages are made from these, so that they need no plugin installed.
    versions
        The plugin's distribution and those it requires -> version; those of the fit if its model was loaded.
    log
        The end of what the trial printed.
    finished
        UTC, ISO 8601, seconds.
    run
        Number of the run in this store: machine facts and commit are kept there.
    """

    trial: Trial
    status: str
    reason: str = ""
    notes: tuple[str, ...] = ()
    installed: bool = True
    warmup_seconds: float = 0.0
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    seconds: float = 0.0
    peak_mb: float = 0.0
    parameters: int | None = None
    rows: Mapping[str, Any] = field(default_factory=dict)
    detector_facts: Mapping[str, Any] = field(default_factory=dict)
    dataset_facts: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    finished: str = ""
    run: int = 0

    @property
    def key(self) -> str:
        """The trial's key."""
        return self.trial.key

    @property
    def whole_seconds(self) -> float:
        """Wall seconds with the fit, for forecasts: that of a loaded model is not in ``seconds``."""
        return max(self.seconds, self.fit_seconds + self.score_seconds)

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read what :meth:`to_json` wrote; raise ValueError if it is something else."""
        from adbench.record_schema import check_shape

        body = json.loads(text, parse_constant=_refused)
        check_shape(body)
        trial = Trial(**body.pop("trial"))
        return cls(**{**body, "trial": trial, "notes": tuple(body["notes"])})


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def version_changes(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return in words which versions differ, nothing if none do.

    Examples
    --------
    >>> version_changes({"torch": "2.12", "numpy": "2.4"}, {"torch": "2.13", "numpy": "2.4"})
    'torch 2.12 -> 2.13'
    """
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return ", ".join(f"{name} {then.get(name, 'none')} -> {now.get(name, 'none')}" for name in names)


@dataclass(frozen=True)
class Label:
    """How a profile calls a trial: two profiles with the same numbers share the trial itself.

    ``planned_at`` is when the newest plan that holds it was made, UTC, ISO 8601; empty until it is stored.
    """

    profile: str
    key: str
    detector: str
    task: str
    planned_at: str = field(default="", compare=False)

    @classmethod
    def of(cls, trial: Trial) -> Label:
        """Return a trial's label under its own profile."""
        return cls(trial.profile, trial.key, trial.detector_label, trial.task_label)
