"""``adbench run``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adbench.cli.fetching import fetch_watch
from adbench.cli.plugins import discovered
from adbench.cli.units import FOLDER, seconds, size
from adbench.defaults import DEFAULT_OUT, DEFAULT_STORE, EXECUTORS
from adbench.errors import UsageError
from adbench.specs import LANES, PROFILES

if TYPE_CHECKING:
    from adbench.execution.runner import View
    from adbench.planning.planner import Plan, Planned
    from adbench.session import Session
    from adbench.store import Store


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every detector on every default task.")
@click.option("-d", "--detector", multiple=True, help="Name, glob or @GROUP; repeat.")
@click.option("-D", "--dataset", multiple=True, help="DATASET[/TASK], glob or file:PATH#...; repeat.")
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True, help="Sizes and budgets.")
@click.option("--seeds", type=click.IntRange(1), help="Repetitions.  [default: 1, 3 or 5, by profile]")
@click.option("--seed", type=int, default=0, show_default=True, help="Root of all random seeds.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Trials at a time.  [default: cores]")
@click.option("--timeout", help="Wall time a trial: 10m, none.  [default: 10m, 1h or none, by profile]")
@click.option("--memory", help="Memory a trial: 4GB.  [default: all, shared by the jobs, less 10 %]")
@click.option("--budget", help="Start nothing after so long: 30m.")
@click.option("--store", type=FOLDER, default=DEFAULT_STORE, show_default=True, help="Folder of results.")
@click.option("--out", type=FOLDER, default=DEFAULT_OUT, show_default=True, help="Folder of the leaderboard's pages.")
@click.option("--data-dir", type=FOLDER, help="Folder with real data.  [default: ADBENCH_DATA]")
@click.option(
    "--download",
    is_flag=True,
    help="First fetch what the datasets lack, from ADBENCH_MIRROR or upstream.  [default: from ADBENCH_MIRROR alone]",
)
@click.option("--set", "settings", multiple=True, metavar="NAME.PARAM=VALUE", help="Set a parameter; repeat.")
@click.option("--lane", type=click.Choice(LANES), help="Protocols of this lane only.")
@click.option("--retry-failed", is_flag=True, help="Run failed trials again.")
@click.option("--strict-versions", is_flag=True, help="Run again what other versions made.")
@click.option(
    "--model-dir",
    type=FOLDER,
    help="Folder of fitted models: loaded where there is one, saved after a fit. Finished trials are not run for it; "
    "with a new --store they are.",
)
@click.option("--skip-train", is_flag=True, help="Fit nothing: skip trials without a model in --model-dir.")
@click.option("--dry-run", is_flag=True, help="Show the plan with its forecast and leave.")
@click.option("--executor", type=click.Choice(EXECUTORS), default="local", help="inline: no isolation, for debugging.")
@click.option("--json", "as_json", is_flag=True, help="Say at the end how it went, as JSON.")
def run(
    *,
    everything: bool,
    detector: tuple[str, ...],
    dataset: tuple[str, ...],
    timeout: str | None,
    memory: str | None,
    budget: str | None,
    settings: tuple[str, ...],
    out: Path,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Pair detectors with datasets, run each pair in a process of its own, and write a leaderboard.

    Where real data is missing, a stand-in takes its place under a name of its own, or the dataset is left out.
    With --download what is missing is fetched first, and it is an error if it cannot be had. Without it, upstream
    is never asked: if ADBENCH_MIRROR is set, that is, and the run goes on without what it does not give. --dry-run
    fetches nothing.
    """
    if not (everything or detector or dataset):
        raise UsageError("nothing to run: give --all, or -d DETECTOR and -D DATASET ('adbench list' shows them)")
    from adbench.planning.selection import parse_overrides
    from adbench.reporting import pages
    from adbench.session import Options, Session

    registry = discovered()
    asked = Options(
        detectors=detector,
        datasets=dataset,
        timeout="default" if timeout is None else seconds("--timeout", timeout),
        memory=None if memory is None else size("--memory", memory),
        budget=None if budget is None else seconds("--budget", budget),
        settings=parse_overrides(settings),
        **options,
    )
    with Session(asked, registry) as session:
        if not dry_run:
            with fetch_watch() as watch:
                session.bring_data(watch)
        plan = session.plan()
        _tell_dropped(plan)
        if dry_run:
            _tell_plan(session)
            return
        pages.check_folder(out)
        session.execute(_view())
        _conclude(session, out, as_json=as_json)


def _conclude(session: Session, out: Path, *, as_json: bool) -> None:
    """Write the pages, say how it went, and leave with the fitting exit code."""
    from adbench.cli.results import write_pages

    # Pages of other results stay: a small run must not sweep away a large board.
    readme = write_pages([session.options.store], out, tidy=False)
    tally = session.tally
    if as_json:
        _say(json.dumps({"interrupted": session.interrupted, "trials": dict(sorted(tally.items()))}))
    else:
        _say(f"{sum(tally.values())} trials: {_told(tally)}. Leaderboard: {readme}")
        if session.interrupted:
            _say("Interrupted: finished trials are kept, the same command goes on from here.", err=True)
    if session.interrupted:
        raise click.exceptions.Exit(130)
    if sum(tally.values()) > tally["ok"] + tally["skipped"] + tally["missing"]:
        raise click.exceptions.Exit(1)


def _say(line: str, *, err: bool = False) -> None:
    """Print a line; a reader that has seen enough, ``head`` say, does not stop a run."""
    try:
        click.echo(line, err=err)
    except BrokenPipeError:
        from adbench.progress import silence

        silence(sys.stderr if err else sys.stdout)


def _tell_plan(session: Session) -> None:
    from adbench.progress import told_seconds
    from adbench.store import Store

    exists = (session.options.store / "results.db").exists()
    store = Store.open_for_reading(session.options.store) if exists else None
    todo = session.todo(store)
    for planned in todo:
        _say(f"{planned.trial.key[:12]}  {_planned_line(planned)}")
    forecast = session.forecast(todo, store)
    told = "not known: nothing like it has run here" if forecast is None else f"about {told_seconds(forecast)}"
    done = len(session.plan().trials) - len(todo)
    _say(f"{len(todo)} trial{'s' * (len(todo) != 1)} to run, {done} done already; time: {told if todo else 'none'}")
    _tell_stale(session, store)


def _tell_stale(session: Session, store: Store | None) -> None:
    stale = session.stale(store) if store else []
    for key, change in stale[:5]:
        _say(f"stale: {key[:12]} was made with other versions ({change})")
    if stale:
        _say(f"{len(stale)} finished trials are stale; --strict-versions runs them again")


def _planned_line(planned: Planned) -> str:
    trial = planned.trial
    return f"{trial.detector_label}  {trial.task_label} #{trial.repetition}"


def _tell_dropped(plan: Plan) -> None:
    """Say which pairs are left out: those without data by name, the rest as a count with the reasons."""
    no_data = [drop for drop in plan.dropped if not drop.detector]
    pairs = Counter(drop.reason for drop in plan.dropped if drop.detector)
    if no_data:
        names = list(dict.fromkeys(drop.task.partition("/")[0] for drop in no_data))
        _say(f"no data here for {len(names)} dataset{'s' * (len(names) != 1)}: {', '.join(names)}", err=True)
        _say(f"  e.g. {no_data[0].reason}", err=True)
    for reason, count in pairs.items():
        _say(f"{count} pairs left out: the detector {reason}", err=True)


def _view() -> View:
    from rich.console import Console

    from adbench.progress import LiveView, PlainView

    console = Console(stderr=True)
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else PlainView(sys.stderr)


def _told(tally: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(tally.items(), key=lambda item: -item[1]))
