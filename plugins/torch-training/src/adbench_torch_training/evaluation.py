"""Apply a trained network to rows, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adbench_torch_training.batches import to_tensor


@torch.inference_mode()
def evaluate(function: Callable[[Tensor], Any], X: NDArray[Any], device: torch.device, batch_size: int = 1024) -> Any:
    """Apply ``function`` to the rows of ``X`` in batches.

    Parameters
    ----------
    function
        Takes a float32 tensor of rows and returns a tensor with a row for each, or a mapping of such.

    Returns
    -------
    ndarray, or a mapping from name to ndarray
        The results, one after the other.
    """
    parts = [function(batch.to(device)) for batch in _split(X, batch_size)]
    if isinstance(parts[0], Mapping):
        return {name: _joined([part[name] for part in parts]) for name in parts[0]}
    return _joined(parts)


def input_gradient(
    function: Callable[[Tensor], Tensor], X: NDArray[Any], device: torch.device, batch_size: int = 1024
) -> NDArray[np.float32]:
    """Return the gradient of ``function``, one number a row, by each row of ``X``; in ``X``'s shape."""
    gradients = []
    for rows in _split(X, batch_size):
        batch = rows.to(device).detach().requires_grad_()
        # Rows do not act on one another, so the gradient of the sum holds each row's own.
        (gradient,) = torch.autograd.grad(function(batch).sum(), batch)
        gradients.append(gradient)
    return _joined(gradients)


def _split(X: NDArray[Any], batch_size: int) -> list[Tensor]:
    """Return the batches; one empty batch where there are no rows."""
    return list(to_tensor(X).split(batch_size))


def _joined(parts: list[Tensor]) -> NDArray[Any]:
    return np.concatenate([part.cpu().numpy() for part in parts])
