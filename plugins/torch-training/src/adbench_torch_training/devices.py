"""Where a network computes, and from which seed it draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from adbench import UsageError


def pick_device(name: str) -> torch.device:
    """Return the torch device ``name``; ``auto`` is the first GPU, or the processor if there is none.

    Raises
    ------
    UsageError
        If there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (AssertionError, NotImplementedError, RuntimeError, TypeError) as error:
        raise UsageError(f"'device' must be auto, cpu or a GPU that is here; got {name!r}") from error
    return device


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw from ``seed`` inside the block and leave torch's global streams as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
