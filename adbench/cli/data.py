"""``adbench data``: what is here, and how the rest gets here."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adbench.cli.fetching import fetch_watch
from adbench.cli.plugins import discovered
from adbench.cli.units import FOLDER, told_size
from adbench.errors import AdbenchError, DataMissing, UsageError
from adbench.finder import Finder, cache_folder, downloads_folder, mirror_address, prepared_folder

if TYPE_CHECKING:
    from adbench.downloads.fetch import Fetcher
    from adbench.execution.executor import Executor
    from adbench.inventory import Holding
    from adbench.registry import Registry
    from adbench.specs import DatasetSpec, RemoteFile

_names = click.argument("names", metavar="[NAME]...", nargs=-1)
_data_dir = click.option("--data-dir", type=FOLDER, help="Folder with real data.  [default: ADBENCH_DATA]")


@click.group("data")
def data() -> None:
    """Show, fetch and check the data of the installed datasets.

    Data is looked for in the cache, then in --data-dir or ADBENCH_DATA. NAME is a dataset, a glob, or file:PATH#...
    """


@data.command()
@_names
@_data_dir
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all fields.")
def status(names: tuple[str, ...], data_dir: Path | None, as_json: bool) -> None:
    """Show what each dataset has here: variant, rows, fingerprint, licence, and how to get the real thing.

    Data that was not used yet is decoded, so that damage shows; then the exit code is 1. With a NAME everything
    known of it is shown.
    """
    from adbench.cli import holdings
    from adbench.inventory import DAMAGED, take_inventory

    registry, finder = discovered(), Finder.from_environment(data_dir)
    with _executor() as executor:
        found = take_inventory(executor, registry, _select(registry, names), finder, decoded=True)
    if as_json:
        click.echo(json.dumps([holdings.as_json(each) for each in found], indent=2))
    else:
        for line in holdings.at_length(found) if names else holdings.overview(found, finder):
            click.echo(line)
    damaged = [each for each in found if each.state == DAMAGED]
    for each in damaged:
        click.echo(f"adbench: {each.told}", err=True)
    if damaged:
        raise click.exceptions.Exit(1)


@data.command()
@_names
@click.option("--all", "everything", is_flag=True, help="Of every installed dataset.")
@click.option("--force", is_flag=True, help="Also what is here already.")
@_data_dir
def fetch(names: tuple[str, ...], everything: bool, force: bool, data_dir: Path | None) -> None:
    """Fetch the upstream files of datasets into the cache.

    Each file is asked of ADBENCH_MIRROR first, if that is set, at MIRROR/<its path in a data folder>, then of its
    own addresses. It is held against its published checksum before it gets to its place. What is interrupted goes
    on from there with the same command.
    """
    if not (names or everything):
        raise UsageError("nothing to fetch: give NAME or --all ('adbench data status' shows what is missing)")
    from adbench.downloads.fetch import Fetcher
    from adbench.inventory import altered_files, take_inventory

    registry, finder = discovered(), Finder.from_environment(data_dir)
    specs = [spec for spec in _select(registry, () if everything else names) if spec.files]
    if not specs:
        raise UsageError(
            f"no address is known for the files of {' '.join(names)}: 'adbench data status NAME' says where to get them"
        )
    failed = []
    fetcher = Fetcher(downloads_folder(), mirror_address())  # one for all: it remembers which hosts do not answer
    with _executor() as executor:
        for spec, before in zip(specs, take_inventory(executor, registry, specs, finder), strict=True):
            altered = spec.files if force else altered_files(spec, finder)
            wanted = [file for file in spec.files if file in altered or file in before.lacking]
            if not wanted:
                click.echo(f"{spec.name}: nothing to fetch, its files are here and have their published checksums")
                continue
            try:
                told = _fetch_one(fetcher, wanted, altered)
            except AdbenchError as error:
                failed.append(f"{spec.name}: {error}")
                continue
            (after,) = take_inventory(executor, registry, [spec], finder)
            click.echo(f"{spec.name}: {told}; {_now(after)}")
    for line in failed[:-1]:
        click.echo(f"adbench: {line}", err=True)
    if failed:
        raise AdbenchError(failed[-1])


@data.command()
@_names
@_data_dir
def verify(names: tuple[str, ...], data_dir: Path | None) -> None:
    """Hold the files here against their published checksums, and decoded arrays against their fingerprints.

    What was not decoded yet is, so that damage shows. One line each; exit code 1 if anything is altered or
    damaged. Altered arrays are removed from the cache: they are decoded anew when they are next used.
    """
    from adbench.inventory import DAMAGED, check_arrays, check_files, take_inventory

    registry, finder = discovered(), Finder.from_environment(data_dir)
    with _executor() as executor:
        found = take_inventory(executor, registry, _select(registry, names), finder, decoded=True)
    wrong = 0
    for check in (*check_files(found, finder), *check_arrays(found)):
        click.echo(f"{check.mark:<8}{check.what}: {check.told}")
        wrong += check.mark == "altered"
    for each in (each for each in found if each.state == DAMAGED):
        click.echo(f"damaged {each.told}")
        wrong += 1
    if wrong:
        raise click.exceptions.Exit(1)


@data.command()
@click.argument("name", required=False)
@_data_dir
def path(name: str | None, data_dir: Path | None) -> None:
    """Show where data is looked for and kept or, with a NAME, the files it uses, one a line."""
    finder = Finder.from_environment(data_dir)
    if name is None:
        _tell_folders(finder)
        return
    from adbench.inventory import MISSING, take_inventory

    registry = discovered()
    with _executor() as executor:
        for each in take_inventory(executor, registry, _select(registry, [name]), finder):
            if each.state == MISSING:
                raise AdbenchError(f"{each.spec.name} has no data here: {each.told}")
            for file in each.files:
                click.echo(file)
            if each.fingerprint:
                click.echo(prepared_folder(each.fingerprint))


def _tell_folders(finder: Finder) -> None:
    from adbench.downloads.fetch import shown

    click.echo(f"looked in    {finder.folders[0]}")
    for folder in finder.folders[1:]:
        click.echo(f"then in      {folder}")
    click.echo(f"fetched to   {downloads_folder()}")
    click.echo(f"decoded in   {cache_folder() / 'prepared'}")
    click.echo(f"mirror       {shown(mirror_address()) or 'none (ADBENCH_MIRROR)'}")


def _fetch_one(fetcher: Fetcher, wanted: Sequence[RemoteFile], in_place: Collection[RemoteFile]) -> str:
    """Bring a dataset's files, as many as can be had, and say what was brought."""
    from adbench.downloads.fetch import FetchFailed, by_folder
    from adbench.reporting.words import counted

    brought, failures = [], []
    try:
        with fetch_watch() as fetcher.watch:
            for group in by_folder(wanted):
                try:
                    brought += fetcher.bring(group, force=any(file in in_place for file in group))
                except FetchFailed as failed:
                    failures.append(str(failed))
    except KeyboardInterrupt:
        click.echo("adbench: what came so far is kept; the same command goes on from there", err=True)
        raise
    if failures:
        raise DataMissing("; ".join(failures))
    unchecked = [each.file.path for each in brought if not each.file.checksum]
    told = f"{counted(len(brought), 'file')}, {told_size(sum(each.size for each in brought))}"
    return told + "".join(f"; {name}: no published checksum, contents are checked when read" for name in unchecked)


def _now(after: Holding) -> str:
    """Say what a dataset shows after a fetch."""
    from adbench.inventory import COMPLETE, VARIANT

    states = {
        COMPLETE: "now the complete official data",
        VARIANT: f"now {after.spec.name}@{after.variant}: {after.told}",
    }
    return states.get(after.state, after.told)


def _select(registry: Registry, names: Sequence[str]) -> list[DatasetSpec]:
    from adbench.planning.selection import select_datasets

    return select_datasets(registry, names)


@contextmanager
def _executor() -> Iterator[Executor]:
    from contextlib import closing

    from adbench.execution.executor import LocalExecutor
    from adbench.machine import available_cores

    with closing(LocalExecutor(available_cores())) as executor:
        yield executor
