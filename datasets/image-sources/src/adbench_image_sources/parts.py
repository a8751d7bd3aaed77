"""Datasets made of several sources: what was found of each, kept together in one ``Found``."""

from __future__ import annotations

from collections.abc import Mapping

from adbench import Found


def join(parts: Mapping[str, Found]) -> Found:
    """Return what was found of several sources as one.

    The variant is empty where all parts are official, that of all parts where they share one, and else names
    the parts that are not official, such as ``mnist-standin``.

    Examples
    --------
    >>> join({"mnist": Found("standin"), "fashion": Found()}).variant
    'mnist-standin'
    >>> join({"mnist": Found("standin"), "fashion": Found("standin")}).variant
    'standin'
    """
    variants = {name: found.variant for name, found in parts.items()}
    same = len(set(variants.values())) == 1
    told = (f"{name}-{variant}" for name, variant in variants.items() if variant)
    return Found(
        variant=next(iter(variants.values())) if same else "_".join(told),
        files=tuple(path for found in parts.values() for path in found.files),
        note=" ".join(filter(None, (found.note for found in parts.values()))),
        details={
            name: {
                "variant": found.variant,
                "n_files": len(found.files),
                "note": found.note,
                "details": dict(found.details),
            }
            for name, found in parts.items()
        },
    )


def split(joined: Found) -> dict[str, Found]:
    """Return the parts that :func:`join` put together."""
    parts, files = {}, iter(joined.files)
    for name, part in joined.details.items():
        mine = tuple(next(files) for _ in range(part["n_files"]))
        parts[name] = Found(part["variant"], mine, part["note"], part["details"])
    return parts
