"""Where a table comes from: its provenance in a line, and the command that makes it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adbench.record import MISSING, Record
from adbench.reporting.leaderboard import Board
from adbench.reporting.words import counted, printable, text


def provenance(boards: Iterable[Board]) -> str:
    """Return variants, seeds, machine and dates of what stands in a table."""
    cells = [cell for board in boards for row in board.rows for cell in row.cells]
    variants = sorted({cell.record.trial.dataset_label for cell in cells if cell.record.trial.variant})
    repetitions = {cell.record.trial.repetition for cell in cells}
    roots = sorted({cell.record.trial.root for cell in cells})
    days = sorted({text(cell.record.finished[:10]) for cell in cells if cell.record.finished}) or ["not run yet"]
    machines = sorted({_machine(cell.machine) for cell in cells if cell.machine})
    missing = len({cell.record.key for cell in cells if cell.record.status == MISSING})
    told = [f"{counted(len(repetitions), 'repetition')} from root seed {', '.join(map(str, roots))}"]
    told.append(days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}")
    told += machines
    if missing:
        told.append(f"**{counted(missing, 'trial')} not run yet: ranks are provisional**")
    if variants:
        told.append("not the official data: " + ", ".join(map(text, variants)))
    return "; ".join(told) + "."


def _machine(facts: Mapping[str, Any]) -> str:
    commit = (
        f", commit {facts['commit'][:12]}{' with changes' if facts.get('dirty') else ''}" if "commit" in facts else ""
    )
    return text(
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB, {facts['jobs']} x "
        f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}, Python {facts['python']}, "
        f"adbench {facts['adbench']}{commit}"
    )


def command(profile: str, boards: Sequence[Board]) -> str:
    """Return a block with the commands that run boards again: one a root of random seeds and set of settings."""
    records = [cell.record for board in boards for row in board.rows for cell in row.cells]
    # ``--set`` holds for a whole command: what ran with several settings of one name needs a command for each.
    found: dict[str, set[tuple[str, str]]] = {}
    for trial in (record.trial for record in records):
        found.setdefault(trial.detector, set()).add(("", json.dumps(trial.overrides, sort_keys=True)))
        found.setdefault(trial.dataset, set()).add((json.dumps(trial.split_overrides, sort_keys=True), ""))
    apart = any(len(settings) > 1 for settings in found.values())
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        settings = _settings_of(record) if apart else ()
        groups.setdefault((record.trial.root, *settings), []).append(record)
    named = apart or len({board.task for board in boards}) == 1
    lines = [_command_of(profile, groups[key], named=named) for key in sorted(groups)]
    return "```sh\n" + "\n".join(lines) + "\n```"


def _settings_of(record: Record) -> tuple[str, str]:
    trial = record.trial
    return json.dumps(trial.split_overrides, sort_keys=True), json.dumps(trial.overrides, sort_keys=True)


def _command_of(profile: str, records: Sequence[Record], *, named: bool) -> str:
    """Return the command for records of one root; with the detectors' names, or for all that are installed."""
    trials = [record.trial for record in records]
    words = ["adbench run"]
    words += sorted({_option("-D", _address(record)) for record in records})
    if named:
        words += sorted({_option("-d", trial.detector) for trial in trials})
    words += [f"--profile {profile}", f"--seeds {max(trial.repetition for trial in trials) + 1}"]
    words += sorted({f"--seed {trial.root}" for trial in trials if trial.root})
    settings = [(trial.detector, trial.overrides) for trial in trials]
    settings += [(trial.dataset, trial.split_overrides) for trial in trials]
    words += sorted(
        {_option("--set", f"{name}.{k}={json.dumps(v)}") for name, found in settings for k, v in found.items()}
    )
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > 110:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return " \\\n  ".join(lines)


def _option(name: str, value: str) -> str:
    """Return an option as a shell takes it, on one line: a line of its own could end the block."""
    return f"{name} {printable(shlex.quote(value))}"


def _address(record: Record) -> str:
    """Return how ``-D`` names a record's task; a user's own file by its name alone."""
    return record.dataset_facts.get("address") or f"{record.trial.dataset}/{record.trial.task}"
