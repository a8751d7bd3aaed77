"""Fitted networks as one safetensors file: tensors and plain facts, nothing that could run code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from adbench import PluginError

_FILE = "network.safetensors"


def save_network(path: Path, tensors: Mapping[str, Tensor], **facts: Any) -> None:
    """Write tensors, and plain values that loading needs, into the folder ``path``."""
    Path(path).mkdir(parents=True, exist_ok=True)
    # Packed row by row, and each with memory of its own: what the format asks for.
    packed = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    save_file(packed, Path(path, _FILE), metadata={"facts": json.dumps(facts)})


def load_network(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the facts that ``save_network`` wrote.

    Raises
    ------
    PluginError
        If the file is missing or damaged.
    """
    try:
        with safe_open(str(Path(path, _FILE)), framework="pt") as file:
            facts = json.loads(file.metadata()["facts"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise PluginError(f"{_FILE}: expected a network that was saved; found {error}") from error
