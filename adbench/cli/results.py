"""Commands on stored results: leaderboard, show, why, export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adbench.cli.units import FOLDER
from adbench.defaults import DEFAULT_OUT, DEFAULT_STORE
from adbench.errors import UsageError

if TYPE_CHECKING:
    from adbench.record import Record
    from adbench.reporting.cells import Cell

_stores = click.option(
    "--store",
    "stores",
    type=click.Path(path_type=Path),
    multiple=True,
    default=(DEFAULT_STORE,),
    show_default=True,
    help="Folder of results, bundle, or folder of bundles; repeat to join several.",
)
_store = click.option("--store", type=FOLDER, default=DEFAULT_STORE, show_default=True, help="Folder of results.")


@click.command()
@_stores
@click.option("--out", type=FOLDER, default=DEFAULT_OUT, show_default=True, help="Folder of the pages.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if the pages differ.")
@click.option(
    "--images",
    type=click.Choice(["all", "free", "none"]),
    default="all",
    show_default=True,
    help="Test images in index.html: all; those that anybody may be shown; none.",
)
def leaderboard(stores: tuple[Path, ...], out: Path, check: bool, images: str) -> None:
    """Write the leaderboard's pages from stored results; no trial is run."""
    if not check:
        click.echo(f"Leaderboard: {write_pages(stores, out, images=images)}")
        return
    from adbench.reporting import pages

    found = pages.differences(_pages(stores, cache=False, images=images), out)
    for line in found:
        click.echo(line, err=True)
    if found:
        click.echo(
            f"{len(found)} pages in {out} are not what these results give: 'adbench leaderboard' mends them", err=True
        )
        raise click.exceptions.Exit(1)
    click.echo(f"the pages in {out} are what these results give")


@click.command()
@click.argument("trial")
@_store
def show(trial: str, store: Path) -> None:
    """Show everything known of a trial: what it was, how it ended, its numbers, its log.

    TRIAL is the first letters of its key.
    """
    from dataclasses import asdict

    record = _record(store, trial)
    click.echo(json.dumps(asdict(record) | {"key": record.key, "log": ""}, indent=2, default=str))
    for cell in _cells([store], only={record.key})[:1]:
        for test, by_score in cell.evaluations.items():
            for score, made in by_score.items():
                click.echo(f"{test} {score}: AUROC {made.auroc:.4f}, average precision {made.average_precision:.4f}")
    if record.log:
        click.echo(f"--- log ---\n{record.log.rstrip()}")


@click.command()
@click.argument("trial")
@click.argument("other", required=False)
@_store
def why(trial: str, other: str | None, store: Path) -> None:
    """Say which parts of two trials' identities differ, or why a trial would be run again.

    Without OTHER, TRIAL is held against the code of now.
    """
    from adbench.planning.trial import digest

    first = _record(store, trial).trial
    second = _record(store, other).trial.identity() if other else _would_be(first)
    differing = _differing(first.identity(), second)
    for name, (then, now) in differing.items():
        click.echo(f"{name}: {then} -> {now}")
    if not differing:
        click.echo(f"nothing differs: both are {digest(second)[:12]}")


@click.command()
@_stores
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File.  [default: standard output]")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), help="By the name of --out if not given.")
def export(stores: tuple[Path, ...], out: Path | None, form: str | None) -> None:
    """Write the long form: one row a metric."""
    from adbench.reporting import export as long_form

    chosen = form or ("parquet" if out and out.suffix == ".parquet" else "csv")
    if chosen == "parquet" and out is None:
        raise UsageError("parquet is no text: give --out FILE")
    frame = long_form.to_frame(_cells(stores))
    if out is None:
        click.echo(frame.to_csv(index=False, lineterminator="\n"), nl=False)
        return
    try:
        long_form.write(frame, out, chosen)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror or error}") from error


def write_pages(stores: Sequence[Path], out: Path, *, tidy: bool = True, images: str = "all") -> Path:
    """Write the pages of some stores and return the overall one's path."""
    from adbench.reporting import pages

    pages.write(_pages(stores, images=images), out, tidy=tidy)
    return out / "README.md"


def _pages(stores: Sequence[Path], *, cache: bool = True, images: str) -> dict[str, str]:
    from adbench.bundles.gathering import opened
    from adbench.reporting.assembly import all_pages

    with opened(*stores, cache=cache) as sources:
        return all_pages(sources, images=images, tell=partial(click.echo, err=True))


def _cells(stores: Sequence[Path], only: set[str] | None = None) -> list[Cell]:
    from adbench.bundles.gathering import opened
    from adbench.reporting.cells import read_cells

    with opened(*stores, cache=True) as sources:
        return read_cells(sources, only=only)


def _record(store: Path, prefix: str) -> Record:
    from adbench.store import Store

    with Store.open_for_reading(store) as opened:
        return opened.record(prefix)


def _would_be(trial: Any) -> dict[str, Any]:
    """Return the identity the same trial would have with the code of now."""
    from adbench.planning.provenance import code_of
    from adbench.registry import Registry

    registry = Registry.discover()
    identity: dict[str, Any] = trial.identity()
    for kind, name in (("detector", trial.detector), ("dataset", trial.dataset)):
        if name in registry.owners:
            spec: Any = registry.detectors.get(name) or registry.datasets[name]
            identity[f"{kind}_code"] = code_of(registry.owners[name], spec.target)
    return identity


def _differing(then: dict[str, Any], now: dict[str, Any], prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """Return the names of parts that differ, nested ones with dots, and both values."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in sorted({*then, *now}):
        a, b = then.get(name), now.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            found |= _differing(a, b, f"{prefix}{name}.")
        elif a != b:
            found[prefix + name] = (a, b)
    return found
