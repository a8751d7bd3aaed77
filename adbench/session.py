"""A session: one run, step by step, for the command line and Python alike."""

from __future__ import annotations

import json
import math
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adbench.defaults import DEFAULT_SEEDS, DEFAULT_STORE, DEFAULT_TIMEOUT, EXECUTORS
from adbench.downloads.watch import Watch
from adbench.errors import UnknownName, UsageError, one_line
from adbench.execution.executor import Executor, InlineExecutor, LocalExecutor
from adbench.execution.forecast import Forecast
from adbench.execution.models import ModelDir
from adbench.execution.runner import Limits, Run, View, planned_record
from adbench.execution.survey import check_settings, find_sources
from adbench.finder import Finder, mirror_address
from adbench.inventory import take_inventory
from adbench.machine import available_cores, total_memory
from adbench.planning.planner import Plan, Planned, make_plan
from adbench.planning.provenance import machine_facts, versions_of
from adbench.planning.selection import select_detectors, select_tasks
from adbench.record import MISSING, version_changes
from adbench.registry import Registry
from adbench.specs import PROFILES
from adbench.store import Store


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run is asked for; see :func:`adbench.run` for the meaning of each."""

    detectors: Sequence[str] = ()
    datasets: Sequence[str] = ()
    profile: str = "quick"
    seeds: int | None = None
    seed: int = 0
    jobs: int | None = None
    timeout: float | str | None = "default"
    memory: int | None = None
    budget: float | None = None
    store: Path = DEFAULT_STORE
    data_dir: Path | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lane: str | None = None
    retry_failed: bool = False
    strict_versions: bool = False
    download: bool = False
    model_dir: Path | None = None
    skip_train: bool = False
    executor: str = "local"

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise UsageError(f"'profile' must be one of {', '.join(PROFILES)}; got {self.profile!r}")
        if self.lane not in (None, "corrected", "published"):
            raise UsageError(f"'lane' must be corrected or published; got {self.lane!r}")
        if self.executor not in EXECUTORS:
            raise UsageError(f"'executor' must be one of {', '.join(EXECUTORS)}; got {self.executor!r}")
        for name in ("detectors", "datasets"):
            names = getattr(self, name)
            _check(
                name, names, isinstance(names, list | tuple) and all(isinstance(each, str) for each in names), "names"
            )
        _check("seeds", self.seeds, self.seeds is None or _is_count(self.seeds), "a whole number, at least 1")
        _check("seed", self.seed, isinstance(self.seed, int) and not isinstance(self.seed, bool), "a whole number")
        _check("jobs", self.jobs, self.jobs is None or _is_count(self.jobs), "a whole number, at least 1")
        unlimited = self.timeout in (None, "default")
        _check("timeout", self.timeout, unlimited or _is_duration(self.timeout), "seconds, or None for no limit")
        _check("budget", self.budget, self.budget is None or _is_duration(self.budget), "seconds, or None for no limit")
        fits = self.memory is None or (_is_count(self.memory) and self.memory <= sys.maxsize)
        _check("memory", self.memory, fits, "a whole number of bytes")
        _check("store", self.store, isinstance(self.store, Path), "a folder")
        for name in ("data_dir", "model_dir"):
            folder = getattr(self, name)
            _check(name, folder, folder is None or isinstance(folder, Path), "a folder")
        if self.skip_train and self.model_dir is None:
            raise UsageError("nothing is fitted with --skip-train: give --model-dir, the folder with fitted models")
        try:
            json.dumps({name: {**params} for name, params in self.settings.items()}, allow_nan=False)
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            raise UsageError(f"'settings' must be {{name: {{param: plain finite value}}}}: {error}") from error

    def models(self) -> ModelDir | None:
        """Return where fitted models are kept, if anywhere."""
        return ModelDir(self.model_dir, self.skip_train, self.strict_versions) if self.model_dir else None

    def worker_count(self) -> int:
        """Return how many trials run at a time."""
        return 1 if self.executor == "inline" else self.jobs or available_cores()

    def limits(self) -> Limits:
        """Return what one trial may take."""
        timeout = DEFAULT_TIMEOUT[self.profile] if self.timeout == "default" else self.timeout
        assert not isinstance(timeout, str)
        return Limits(timeout, self.memory or int(total_memory() * 0.9 / self.worker_count()))


class Session:
    """One run, step by step: plan, look at the plan, execute, report.

    Parameters
    ----------
    options
        What is asked for.
    registry
        What is installed.
    """

    def __init__(self, options: Options, registry: Registry) -> None:
        self.options = options
        self.registry = registry
        self.tally: Counter[str] = Counter()
        self.interrupted = False
        self._plan: Plan | None = None
        self._exit = ExitStack()

    def __enter__(self) -> Session:
        workers = self.options.worker_count()
        threads = max(1, available_cores() // workers)
        self._executor: Executor
        if self.options.executor == "inline":
            self._executor = InlineExecutor(threads)
        else:
            self._executor = LocalExecutor(workers, threads)
        self._exit.callback(self._executor.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def bring_data(self, watch: Watch | None = None) -> None:
        """Fetch what the chosen datasets lack, before anything is planned; to be called first, or not at all.

        With ``download``, what is missing comes from the mirror (``ADBENCH_MIRROR``) or, if that has it not,
        from upstream; what cannot be had ends the run. Without it, a mirror is asked if there is one, and
        upstream never: what the mirror does not have is simply not here, and a mirror that fails is told
        in one line, and the run goes on with what is here. Without both, nothing is looked at.

        Parameters
        ----------
        watch
            Who is told of progress and of a failing mirror.

        Raises
        ------
        DataMissing
            If something cannot be had, with ``download``.
        """
        mirror = mirror_address()
        if not (self.options.download or mirror):
            return
        select_detectors(self.registry, self.options.detectors)  # a misspelt name is told before all the waiting
        tasks = select_tasks(self.registry, self.options.datasets, self.options.lane)
        specs = list({spec.name: spec for spec, _ in tasks if spec.files}.values())
        if not specs:
            return
        # Here, since requests and pooch are worth a tenth of a second that most runs need not spend.
        from adbench.downloads.fetch import bring_missing

        finder = Finder.from_environment(self.options.data_dir)
        holdings = take_inventory(self._executor, self.registry, specs, finder)
        lacking = [file for each in holdings for file in each.lacking]
        bring_missing(lacking, mirror=mirror, upstream=self.options.download, watch=watch)

    def plan(self) -> Plan:
        """Return the exact trials, looking at the data on this machine; made once.

        Raises
        ------
        UsageError
            If there are none.
        """
        if self._plan is None:
            self._plan = self._make_plan()
        return self._plan

    def todo(self, store: Store | None) -> list[Planned]:
        """Return the planned trials that have not run, or are to be run again."""
        statuses = store.statuses() if store else {}
        stale = {key for key, _ in self.stale(store)} if store and self.options.strict_versions else set()

        uninstalled = store.uninstalled() if store else set()

        def is_done(key: str) -> bool:
            if statuses.get(key) == "ok":
                return key not in stale and store is not None and store.has_arrays(key)
            # What was not installed, or had no fitted model, may be here by now: worth another look each time.
            return key in statuses and key not in uninstalled and not self.options.retry_failed

        return [planned for planned in self.plan().trials if not is_done(planned.trial.key)]

    def stale(self, store: Store) -> list[tuple[str, str]]:
        """Return key and difference of planned trials that ran with other versions than are installed."""
        made_with = store.versions()
        found = []
        for planned in self.plan().trials:
            trial = planned.trial
            then, now = made_with.get(trial.key), versions_of(trial.detector_code["distribution"])
            if then is not None and (changes := version_changes(then, now)):
                found.append((trial.key, changes))
        return found

    def forecast(self, todo: Sequence[Planned], store: Store | None) -> float | None:
        """Return the seconds that trials may take, by earlier timings; None when nothing is known."""
        history = store.seconds() if store else []
        return Forecast(history).total((planned.trial for planned in todo), self._executor.jobs)

    def execute(self, view: View) -> None:
        """Run what is missing; ``tally`` and ``interrupted`` then tell how it went."""
        plan = self.plan()
        started = time.monotonic()
        if models := self.options.models():
            models.open()
        with Store.open_for_writing(self.options.store) as store, store.work_folder() as work:
            known = store.planned_keys(self.options.profile)
            store.plan(
                (planned_record(self.registry, planned) for planned in plan.trials if planned.trial.key not in known),
                again=[planned.trial for planned in plan.trials if planned.trial.key in known],
            )
            todo = self.todo(store)
            facts = machine_facts(self._executor.jobs, self._executor.threads)
            number = store.begin_run(facts, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) if todo else 0
            run = Run(self.registry, store, self._executor, view, number, self.options.limits(), work, models)
            deadline = None if self.options.budget is None else started + self.options.budget
            with _stopped_by_signals(run):
                run.execute(todo, deadline)
            self.interrupted = run.stopping
            self._executor.close()  # nothing may write into the work folder while it is removed
            statuses = store.statuses()
        self.tally = Counter(statuses.get(planned.trial.key, MISSING) for planned in plan.trials)

    def keys(self) -> tuple[str, ...]:
        """Return the keys of the plan's trials, in order."""
        return tuple(planned.trial.key for planned in self.plan().trials)

    def _make_plan(self) -> Plan:
        options, registry = self.options, self.registry
        detectors = select_detectors(registry, options.detectors)
        tasks = select_tasks(registry, options.datasets, options.lane)
        datasets = list({dataset.name: dataset for dataset, _ in tasks}.values())
        chosen = [detector.name for detector in detectors] + [dataset.name for dataset in datasets]
        for name in options.settings:
            if name not in chosen:
                raise UnknownName("chosen detector or dataset", name, chosen)
        finder = Finder.from_environment(options.data_dir)
        with tempfile.TemporaryDirectory(prefix="adbench-") as folder:
            work = Path(folder)
            check_settings(self._executor, detectors, tasks, options.profile, options.settings, work)
            sources = find_sources(self._executor, registry, datasets, finder, work)
        plan = make_plan(
            registry,
            detectors,
            tasks,
            sources,
            profile=options.profile,
            repetitions=range(options.seeds or DEFAULT_SEEDS[options.profile]),
            root=options.seed,
            overrides=options.settings,
        )
        if not plan.trials:
            first = plan.dropped[0]
            pair = f"{first.detector} on {first.task}" if first.detector else first.task
            raise UsageError(f"nothing to run: no chosen detector fits a chosen task; {pair}: {first.reason}")
        return plan


@contextmanager
def _stopped_by_signals(run: Run) -> Iterator[None]:
    """Let Ctrl-C and termination stop a run between two events, never inside a write."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        run.stopping = True

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise UsageError(f"{name!r} must be {expected}; got {one_line(repr(value), 80)}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
