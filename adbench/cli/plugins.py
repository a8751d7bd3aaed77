"""What is installed, for commands that work with it: broken plugins are told and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from adbench.registry import Registry


def discovered() -> Registry:
    """Return what is installed, with a line on stderr for each broken plugin."""
    from adbench.registry import Registry

    registry = Registry.discover()
    for plugin in registry.plugins:
        if plugin.error:
            click.echo(f"plugin {plugin.name} ({plugin.owner}) is broken and left out: {plugin.error}", err=True)
    return registry
