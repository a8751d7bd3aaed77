"""The command line: a thin layer; each command imports what it needs inside its own function."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from adbench.cli import data, listing, publishing, results, running
from adbench.errors import AdbenchError


def _print_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        import adbench

        click.echo(f"adbench {adbench.__version__}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
def app() -> None:
    """Run an anomaly detection benchmark suite whose tables can be believed."""


for command in (
    listing.list_,
    running.run,
    data.data,
    results.leaderboard,
    results.show,
    results.why,
    results.export,
    publishing.bundle,
    publishing.verify,
    publishing.diff,
):
    app.add_command(command)


def main() -> None:
    """Run the command line; wrong usage or data is one line and exit code 2."""
    try:
        # Not standalone: a mistake gets one line, without the usage text around it.
        with _ended_by_signals():
            sys.exit(app.main(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        _fail(f"{' '.join(error.format_message().split())} ({_help_for(error)})")
    except AdbenchError as error:
        _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo("adbench: interrupted", err=True)
        sys.exit(130)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let termination end a command as Ctrl-C does, so that temporary folders are removed; a run has its own way."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    # What is ignored, as under nohup, stays ignored.
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _fail(line: str) -> None:
    click.echo(f"adbench: {line}", err=True)
    sys.exit(2)


def _help_for(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"'{context.command_path if context else 'adbench'} --help' shows what there is"
