"""Where a table comes from: its provenance in a line, and the command that makes it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from adbench.record import MISSING, Record
from adbench.reporting.cells import Cell
from adbench.reporting.words import counted, printable, text


class Ran(msgspec.Struct, frozen=True, order=True):
    """What a command must name to run trials again: ``split`` and ``params`` are what the user set, as JSON."""

    root: int
    split: str
    params: str
    detector: str
    dataset: str
    address: str
    repetitions: int


class Origin(msgspec.Struct, frozen=True):
    """Where a task's cells come from.

    Parameters
    ----------
    variants
        Names of data that are not the official ones.
    repetitions, roots, days, machines
        All there are, in order; days are empty where nothing ran.
    missing
        Number of trials that have not run.
    ran
        For the command.
    """

    variants: tuple[str, ...]
    repetitions: tuple[int, ...]
    roots: tuple[int, ...]
    days: tuple[str, ...]
    machines: tuple[str, ...]
    missing: int
    ran: tuple[Ran, ...]


def origin_of(cells: Iterable[Cell]) -> Origin:
    """Gather the origin of some cells."""
    cells = list(cells)
    records = [cell.record for cell in cells]
    repetitions: dict[Ran, int] = {}
    for record in records:
        ran = _ran(record)
        repetitions[ran] = max(repetitions.get(ran, 0), record.trial.repetition + 1)
    return Origin(
        variants=_sorted(record.trial.dataset_label for record in records if record.trial.variant),
        repetitions=_sorted(record.trial.repetition for record in records),
        roots=_sorted(record.trial.root for record in records),
        days=_sorted(record.finished[:10] for record in records if record.finished),
        machines=_sorted(machine_told(cell.machine) for cell in cells if cell.machine),
        missing=sum(record.status == MISSING for record in records),
        ran=tuple(sorted(replace(ran, repetitions=number) for ran, number in repetitions.items())),
    )


def provenance(origins: Iterable[Origin]) -> str:
    """Return variants, seeds, machine and dates of what stands in a table, as Markdown."""
    return (
        "; ".join(
            f"**{text(part)}: ranks are provisional**" if part.endswith("not run yet") else text(part)
            for part in _provenance(list(origins))
        )
        + "."
    )


def plain_provenance(origins: Iterable[Origin]) -> str:
    """Return the same as plain text."""
    return "; ".join(_provenance(list(origins))) + "."


def _provenance(origins: Sequence[Origin]) -> list[str]:
    repetitions = {number for origin in origins for number in origin.repetitions}
    roots = _sorted(root for origin in origins for root in origin.roots)
    days = _sorted(day for origin in origins for day in origin.days) or ("no day",)
    variants = _sorted(variant for origin in origins for variant in origin.variants)
    missing = sum(origin.missing for origin in origins)
    told = [f"{counted(len(repetitions), 'repetition')} from root seed {', '.join(map(str, roots))}"]
    told.append(days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}")
    told += _sorted(machine for origin in origins for machine in origin.machines)
    if missing:
        told.append(f"{counted(missing, 'trial')} not run yet")
    if variants:
        told.append("not the official data: " + ", ".join(variants))
    return told


def machine_told(facts: Mapping[str, Any]) -> str:
    """Return a run's machine and code in words."""
    commit = (
        f", commit {facts['commit'][:12]}{' with changes' if facts.get('dirty') else ''}" if "commit" in facts else ""
    )
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB, {facts['jobs']} x "
        f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}, Python {facts['python']}, "
        f"adbench {facts['adbench']}{commit}"
    )


def command(profile: str, origins: Sequence[Origin]) -> str:
    """Return the commands that run the trials of some tasks again: one a root of random seeds and set of settings."""
    ran = [each for origin in origins for each in origin.ran]
    # ``--set`` holds for a whole command: what ran with several settings of one name needs a command for each.
    found: dict[str, set[str]] = {}
    for each in ran:
        found.setdefault(f"detector {each.detector}", set()).add(each.params)
        found.setdefault(f"dataset {each.dataset}", set()).add(each.split)
    apart = any(len(settings) > 1 for settings in found.values())
    groups: dict[tuple[Any, ...], list[Ran]] = {}
    for each in ran:
        groups.setdefault((each.root, each.split, each.params) if apart else (each.root,), []).append(each)
    return "\n".join(_command_of(profile, groups[key]) for key in sorted(groups))


def _command_of(profile: str, ran: Sequence[Ran]) -> str:
    """Return the command for what has one root."""
    words = ["adbench run"]
    words += sorted({_option("-D", each.address) for each in ran})
    words += sorted({_option("-d", each.detector) for each in ran})
    words += [f"--profile {profile}", f"--seeds {max(each.repetitions for each in ran)}"]
    words += sorted({f"--seed {each.root}" for each in ran if each.root})
    settings = [(each.detector, each.params) for each in ran] + [(each.dataset, each.split) for each in ran]
    words += sorted(
        {
            _option("--set", f"{name}.{k}={json.dumps(v)}")
            for name, body in set(settings)
            for k, v in json.loads(body).items()
        }
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


def _ran(record: Record) -> Ran:
    """Return what ran, without repetitions; ``-D`` names a user's own file by its name alone."""
    trial = record.trial
    return Ran(
        root=trial.root,
        split=json.dumps(dict(trial.split_overrides), sort_keys=True),
        params=json.dumps(dict(trial.overrides), sort_keys=True),
        detector=trial.detector,
        dataset=trial.dataset,
        address=record.dataset_facts.get("address") or f"{trial.dataset}/{trial.task}",
        repetitions=0,
    )


def _sorted(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))
