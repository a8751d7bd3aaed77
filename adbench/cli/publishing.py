"""Commands on results that others are to see, or that others made: bundle, verify, diff."""

from __future__ import annotations

import json
from pathlib import Path

import click

from adbench.cli.units import told_size
from adbench.defaults import DEFAULT_STORE
from adbench.errors import StoreError, UsageError
from adbench.specs import PROFILES

_PLACE = click.Path(path_type=Path)
_SHOWN = 20


@click.command()
@click.option(
    "--store",
    "stores",
    type=_PLACE,
    multiple=True,
    default=(DEFAULT_STORE,),
    show_default=True,
    help="Folder of results, bundle, or folder of bundles; repeat to join several.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("results.adbench.zip"),
    show_default=True,
    help="The new file, NAME.adbench.zip.",
)
@click.option("--profile", type=click.Choice(PROFILES), help="Of which profile.  [default: all]")
@click.option(
    "--compact", is_flag=True, help="Round scores to five digits, all orders and ties kept: less than half the size."
)
@click.option("--declared", is_flag=True, help="Leave out second scores, which are not ranked.")
def bundle(stores: tuple[Path, ...], out: Path, profile: str | None, compact: bool, declared: bool) -> None:
    """Write results into one file for others: records, scores, numbers, checksums.

    Test images go in only where their licence allows it; other rows of the data, fitted models and
    paths of this machine never do.
    """
    from adbench.bundles.gathering import opened
    from adbench.bundles.writer import write_bundle
    from adbench.registry import Registry

    thresholds = list(Registry.discover().thresholds.values())
    with opened(*stores) as sources:
        written = write_bundle(sources, out, thresholds, profile=profile, compact=compact, declared=declared)
    groups: dict[str, int] = {}
    for member, size in written.sizes.items():
        name = member.partition("-")[0].partition(".")[0]
        groups[name] = groups.get(name, 0) + size
    told = ", ".join(f"{name} {told_size(size)}" for name, size in groups.items())
    click.echo(f"{out}: {written.trials} trials, {written.numbers} numbers, {told_size(sum(groups.values()))} ({told})")
    if written.missing:
        click.echo(f"{written.missing} of the trials have not run yet: 'adbench run' goes on with them", err=True)


@click.command()
@click.argument("path", metavar="BUNDLE", type=_PLACE)
def verify(path: Path) -> None:
    """Recompute every number of a published bundle from its scores; exit 1 if anything was altered.

    BUNDLE is a file, or a folder with bundles. Nothing in it is run. That the scores are what a
    detector gave, this cannot show: running one of the trials again can.
    """
    from adbench.bundles.gathering import bundles_in
    from adbench.bundles.verify import verify as recompute
    from adbench.registry import Registry

    bundles = bundles_in(path) if path.is_dir() else [path]
    if not bundles:
        raise StoreError(f"there is no bundle (NAME.adbench.zip) in {path}: 'adbench bundle' makes one")
    thresholds = list(Registry.discover().thresholds.values())
    altered = False
    for one in bundles:
        verdict = recompute(one, thresholds)
        if verdict.not_run:
            rules = ", ".join(verdict.not_run)
            click.echo(_line(f"{one.name}: not installed here, or not the same, and not recomputed: {rules}"), err=True)
        for line in verdict.altered[:_SHOWN]:
            click.echo(_line(f"{one.name}: {line}"))
        if len(verdict.altered) > _SHOWN:
            click.echo(f"{one.name}: and {len(verdict.altered) - _SHOWN} more")
        counts = f"{verdict.trials} trials, {verdict.numbers} numbers recomputed"
        click.echo(f"{one.name}: {counts}, {f'{len(verdict.altered)} altered' if verdict.altered else 'all equal'}")
        altered = altered or bool(verdict.altered)
    if altered:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("before", metavar="A", type=_PLACE)
@click.argument("after", metavar="B", type=_PLACE)
@click.option("--fail-on-regression", is_flag=True, help="Exit 1 if anything is worse, slower or takes more memory.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff(before: Path, after: Path, fail_on_regression: bool, as_json: bool) -> None:
    """Tell what got better, worse, slower or larger from A to B, beyond noise.

    A and B are folders of results, bundles, or folders of bundles. AUROCs of the declared score are
    compared in pairs where rows and labels are equal; a difference counts if it is above 0.001 and
    Holm's p-value over all that differ is below 0.05. Seconds count from 1.5 times and half a second
    on, on equal machines; memory from 1.25 times and 50 MiB on; the ranges of several repetitions must
    lie apart.
    """
    from adbench.bundles.gathering import opened
    from adbench.reporting.comparison import compare

    with opened(before) as a, opened(after) as b:
        found = compare(a, b)
    if not found.pairs and not found.new and not found.gone:
        raise UsageError(f"there is nothing to compare: no trial was planned in {before} or {after}")
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
    else:
        for line in found.lines():
            click.echo(line)
    if fail_on_regression and found.regressions:
        raise click.exceptions.Exit(1)


def _line(text: str) -> str:
    """Return a line that may hold what somebody else wrote as a terminal may have it."""
    from adbench.reporting.words import printable

    return printable(text)
