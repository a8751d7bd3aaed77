"""``adbench list``: what is installed, from specs alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from adbench.registry import Registry

KINDS = ("detectors", "datasets", "thresholds", "metrics", "plugins")


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all fields.")
def list_(kind: str | None, as_json: bool) -> None:
    """List what is installed: detectors, datasets and plugins, or the KIND that is named."""
    registry = Registry.discover()
    kinds = [kind] if kind else ["detectors", "datasets", "plugins"]
    tables = {each: _TABLES[each](registry) for each in kinds}
    if as_json:
        click.echo(json.dumps(tables[kind] if kind else tables, indent=2, default=str))
        return
    for name, entries in tables.items():
        if len(tables) > 1:
            click.echo(f"{name} ({len(entries)})")
        for line in _aligned([_COLUMNS[name](entry) for entry in entries]):
            click.echo(f"  {line}" if len(tables) > 1 else line)
    if not kind or kind in ("detectors", "datasets"):
        for refusal in registry.refused.values():
            click.echo(f"  {refusal}", err=True)


def _detectors(registry: Registry) -> list[dict[str, Any]]:
    return [vars(spec) | {"plugin": registry.owners[name].owner} for name, spec in registry.detectors.items()]


def _datasets(registry: Registry) -> list[dict[str, Any]]:
    return [
        vars(spec) | {"tasks": [vars(task) for task in spec.tasks], "plugin": registry.owners[name].owner}
        for name, spec in registry.datasets.items()
    ]


def _thresholds(registry: Registry) -> list[dict[str, Any]]:
    return [vars(spec) | {"plugin": registry.owners[name].owner} for name, spec in registry.thresholds.items()]


def _metrics(registry: Registry) -> list[dict[str, Any]]:
    from adbench.metric_names import METRICS

    return [{"name": name, "summary": summary} for name, summary in METRICS.items()]


def _plugins(registry: Registry) -> list[dict[str, Any]]:
    return [vars(plugin) for plugin in registry.plugins]


def _plugin_line(entry: dict[str, Any]) -> list[str]:
    owner = f"{entry['distribution']} {entry['version']}".strip()
    return [entry["name"], owner, f"BROKEN: {entry['error']}" if entry["error"] else "ok"]


def _dataset_line(entry: dict[str, Any]) -> list[str]:
    tasks = " ".join(task["name"] if task["default"] else f"({task['name']})" for task in entry["tasks"])
    return [entry["name"], entry["modality"], tasks, entry["summary"]]


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with columns as wide as their longest entry, the last one free."""
    if not lines:
        return []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)][:-1]
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[-1]]) for line in lines
    ]


_TABLES = {
    "detectors": _detectors,
    "datasets": _datasets,
    "thresholds": _thresholds,
    "metrics": _metrics,
    "plugins": _plugins,
}
_COLUMNS = {
    "detectors": lambda entry: [entry["name"], entry["family"], ",".join(entry["accepts"]), entry["summary"]],
    "datasets": _dataset_line,
    "thresholds": lambda entry: [entry["name"], entry["summary"]],
    "metrics": lambda entry: [entry["name"], entry["summary"]],
    "plugins": _plugin_line,
}
