"""The run: hands out the plan's trials, longest first, and stores every outcome as it comes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from adbench.dataset import STAND_IN
from adbench.errors import UsageError, one_line
from adbench.execution.executor import Executor
from adbench.execution.forecast import Forecast
from adbench.execution.job import Ended, Job, Progress
from adbench.execution.models import ModelDir
from adbench.execution.survey import dataset_entry, with_data_modules
from adbench.finder import cache_folder
from adbench.planning.planner import Planned
from adbench.planning.provenance import versions_of
from adbench.planning.trial import Trial
from adbench.record import MISSING, Record
from adbench.registry import Registry
from adbench.store import Store

_POLL_SECONDS = 0.25
_DETECTOR_FACTS = ("summary", "source", "family", "role", "supervision", "scores")
_DATASET_FACTS = ("summary", "source", "licence", "modality")
_SPLIT_TIMEOUT = 1800.0


@dataclass(frozen=True)
class Limits:
    """What one trial may take: wall seconds and bytes, None for no limit."""

    timeout: float | None
    memory: int | None


class View(Protocol):
    """Who watches a run."""

    def begin(self, total: int, forecast: float | None) -> None:
        """Take note of how many trials there are, and how many seconds they may take."""
        ...

    def started(self, trial: Trial) -> None:
        """Take note that a trial is under way."""
        ...

    def progress(self, trial: Trial, label: str, done: int, total: int | None) -> None:
        """Take note of a trial's own word on how far it is."""
        ...

    def finished(self, trial: Trial, record: Record, remaining: float | None) -> None:
        """Take note of an outcome, and of the seconds that may remain for the rest."""
        ...

    def end(self) -> None:
        """Take note that the run is over."""
        ...


@dataclass
class _Rows:
    """One repetition's rows: made once, used by every detector, removed after the last."""

    folder: Path
    state: str = "missing"
    error: str = ""
    users: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """A run under way.

    Parameters
    ----------
    registry, store, executor, view
        The run's surroundings.
    number
        The store's number of this run.
    limits
        Of each trial.
    work
        A folder for the run's files.
    models
        Where fitted models are kept, if anywhere.
    """

    registry: Registry
    store: Store
    executor: Executor
    view: View
    number: int
    limits: Limits
    work: Path
    models: ModelDir | None = None
    stopping: bool = False
    """Set from a signal handler: nothing more is started, and what runs is given up."""
    _reckoned: float = float("-inf")
    _rest: float | None = None

    def execute(self, todo: Sequence[Planned], deadline: float | None = None) -> None:
        """Run trials and store their outcomes.

        Parameters
        ----------
        todo
            The trials; the longest are started first.
        deadline
            ``time.monotonic()`` after which nothing is started.
        """
        self.work = self.work.absolute()  # a job's own folder is its working directory
        self._forecast = Forecast(self.store.seconds())
        self._rows: dict[str, _Rows] = {}
        self._running: dict[str, Planned] = {}
        self._waiting = sorted(todo, key=lambda p: -(self._forecast.seconds(p.trial) or float("inf")))
        for planned in todo:
            key = planned.trial.split_key
            made = _Rows(self.work / f"rows-{key[:16]}", settings=planned.trial.split_overrides)
            self._rows.setdefault(key, made).users += 1
        self.view.begin(len(todo), self._remaining())
        try:
            while (self._waiting or self._running) and not self.stopping:
                if deadline is not None and time.monotonic() > deadline:
                    self._waiting.clear()
                self._hand_out()
                for event in self.executor.poll(_POLL_SECONDS):
                    self._take(event)
        finally:
            self.view.end()

    def _hand_out(self) -> None:
        while self._waiting and self.executor.has_slot() and not self.stopping:
            planned = next((p for p in self._waiting if self._rows_of(p).state != "making"), None)
            if planned is None:
                return
            rows = self._rows_of(planned)
            if rows.state == "missing":
                rows.state = "making"
                self.executor.submit(self._split_job(planned, rows))
                continue
            self._waiting.remove(planned)
            if rows.state == "failed":
                self._keep(planned, {"status": "error", "reason": rows.error}, None)
                continue
            self._running[planned.trial.key] = planned
            self.view.started(planned.trial)
            self.executor.submit(self._trial_job(planned, rows))

    def _take(self, event: Progress | Ended) -> None:
        planned = self._running.get(event.job.id)
        if isinstance(event, Progress):
            if planned:
                self.view.progress(planned.trial, event.label, event.done, event.total)
        elif planned:
            del self._running[event.job.id]
            outcome = {"status": event.failure, "reason": event.reason} if event.failure else event.result
            if self.executor.overlaps:
                self._hand_out()  # first, so that the host works while this outcome is stored
            self._keep(planned, outcome, event)
        else:
            self._rows_made(event)

    def _rows_made(self, ended: Ended) -> None:
        rows = self._rows[ended.job.id.removeprefix("rows-")]
        rows.error = f"{ended.failure}: {ended.reason}" if ended.failure else ended.result.get("error", "")
        rows.state = "failed" if rows.error else "ready"
        if not ended.failure and ended.result.get("wrong_usage") and rows.settings:
            # What the user set cannot be meant: nothing is run on it, nor stands in a table as not run yet.
            self.store.unplan(planned.trial for planned in self._waiting if self._rows_of(planned) is rows)
            raise UsageError(rows.error)
        if not rows.error:
            from adbench.execution.jobs.arrays import read_facts
            from adbench.execution.jobs.data import take_labels

            rows.facts = read_facts(rows.folder)
            # Labels are taken off the disk before any detector runs there.
            rows.labels = take_labels(rows.folder, rows.facts)

    def _keep(self, planned: Planned, outcome: dict[str, Any], ended: Ended | None) -> None:
        """Store one outcome, with labels joined to its scores, and forget its files."""
        rows = self._rows_of(planned)
        trial = planned.trial
        outcome, arrays = self._with_arrays(outcome, ended, rows)
        planned_as = planned_record(self.registry, planned)
        record = replace(
            planned_as,
            status=outcome["status"],
            reason=outcome.get("reason", ""),
            notes=tuple(outcome.get("notes", ())),
            installed=outcome.get("installed", True),
            warmup_seconds=outcome.get("warmup_seconds", 0.0),
            fit_seconds=outcome.get("fit_seconds", 0.0),
            score_seconds=outcome.get("score_seconds", 0.0),
            seconds=ended.seconds if ended else 0.0,
            peak_mb=_peak_mb(outcome, ended),
            parameters=outcome.get("parameters"),
            rows=rows.facts,
            versions=outcome.get("versions", planned_as.versions),
            log=ended.log if ended and outcome["status"] != "ok" else "",
            finished=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            run=self.number,
        )
        self.store.add(record, arrays)
        self._forecast.learn(trial.detector, trial.dataset, trial.task, record.whole_seconds)
        rows.users -= 1
        if rows.users == 0:
            shutil.rmtree(rows.folder, ignore_errors=True)
        if ended:
            shutil.rmtree(ended.job.workdir, ignore_errors=True)
        self.view.finished(trial, record, self._remaining())

    def _with_arrays(
        self, outcome: dict[str, Any], ended: Ended | None, rows: _Rows
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return an outcome and its arrays with labels joined; scores that cannot be read make it a crash."""
        if ended is None or ended.failure:
            return outcome, {}
        from adbench.execution.jobs.trial import read_arrays

        try:
            arrays = read_arrays(ended.job.workdir)
        except ValueError as error:
            return {"status": "crash", "reason": one_line(str(error))}, {}
        return outcome, arrays | rows.labels if outcome["status"] == "ok" else arrays

    def _split_job(self, planned: Planned, rows: _Rows) -> Job:
        trial = planned.trial
        args = {
            "dataset": dataset_entry(self.registry, planned.dataset),
            "fingerprint": trial.fingerprint,
            "cache": os.fspath(cache_folder()),
            "params": dict(trial.split),
            "seed": trial.split_seed(),
            "repetition": trial.repetition,
            "setting": trial.setting,
            "out": os.fspath(rows.folder),
        }
        workdir = self._workdir(f"split-{trial.split_key[:16]}")
        target = "adbench.execution.jobs.data:split"
        preload = with_data_modules(planned.dataset.preload)
        return Job(f"rows-{trial.split_key}", target, args, workdir, preload, _SPLIT_TIMEOUT, self.limits.memory)

    def _trial_job(self, planned: Planned, rows: _Rows) -> Job:
        spec, trial = planned.detector, planned.trial
        args = {
            "detector": {
                "target": spec.target,
                "params": dict(trial.params),
                "accepts": spec.accepts,
                "scores": spec.scores,
                "supervision": spec.supervision,
                "role": spec.role,
                "needs": spec.needs,
            },
            "split": os.fspath(rows.folder),
            "seed": trial.detector_seed(),
            "model": self.models and self.models.job_args(trial, versions_of(trial.detector_code["distribution"])),
        }
        workdir = self._workdir(f"trial-{trial.key[:16]}")
        target = "adbench.execution.jobs.trial:run"
        preload = with_data_modules(spec.preload)
        return Job(trial.key, target, args, workdir, preload, self.limits.timeout, self.limits.memory)

    def _workdir(self, name: str) -> Path:
        folder = self.work / name
        folder.mkdir()
        return folder

    def _rows_of(self, planned: Planned) -> _Rows:
        return self._rows[planned.trial.split_key]

    def _remaining(self) -> float | None:
        """Return the forecast for the rest, reckoned anew once a second: it looks at every trial left."""
        now = time.monotonic()
        if now - self._reckoned > 1:
            trials = [planned.trial for planned in (*self._waiting, *self._running.values())]
            self._reckoned, self._rest = now, self._forecast.total(trials, self.executor.jobs)
        return None if self._rest is None else max(0.0, self._rest - (now - self._reckoned))


def planned_record(registry: Registry, planned: Planned) -> Record:
    """Return the record of a trial that has not run: what is known of it beforehand."""
    trial = planned.trial
    address = registry.addresses.get(planned.dataset.name, "")
    task = next(task for task in planned.dataset.tasks if task.name == trial.task)
    images_licence = "generated" if trial.variant == STAND_IN else task.images_licence
    return Record(
        trial=trial,
        status=MISSING,
        reason="not run yet",
        detector_facts=_facts(planned.detector, _DETECTOR_FACTS),
        dataset_facts={
            **_facts(planned.dataset, _DATASET_FACTS),
            "note": planned.note,
            "address": address,
            "images_licence": images_licence,
        },
        versions=versions_of(trial.detector_code["distribution"]),
    )


def _peak_mb(outcome: Mapping[str, Any], ended: Ended | None) -> float:
    """Return a trial's peak: its own exact mark where it got so far, plus its children's sampled one."""
    if ended is None:
        return 0.0
    return outcome["peak_mb"] + ended.children_mb if "peak_mb" in outcome else ended.peak_mb


def _facts(spec: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in names}
