"""Scaling of features by the training rows, as part of a network's saved state."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Scaling(nn.Module):
    """``(x - offset) / width`` for each feature; does nothing until it is fitted.

    Parameters
    ----------
    shape
        Of a row.
    """

    offset: Tensor
    width: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("offset", torch.zeros(shape))
        self.register_buffer("width", torch.ones(shape))

    def fit_range(self, X: NDArray[Any]) -> None:
        """Take the training rows to [0, 1], unless they are in it already; a constant feature to 0."""
        low, high = X.min(axis=0), X.max(axis=0)
        if low.min() < 0 or high.max() > 1:
            self._set(low, high - low)

    def fit_moments(self, X: NDArray[Any]) -> None:
        """Take the training rows to mean 0 and variance 1; a constant feature to 0."""
        # By its range: rounding leaves a constant such as .1 a deviation of 1e-17, not 0.
        self._set(X.mean(axis=0), np.where(X.max(axis=0) > X.min(axis=0), X.std(axis=0), 0))

    def forward(self, rows: Tensor) -> Tensor:
        """Return scaled rows."""
        return (rows - self.offset) / self.width

    def undo(self, rows: Tensor) -> Tensor:
        """Return rows in their own units."""
        return rows * self.width + self.offset

    def _set(self, offset: NDArray[Any], width: NDArray[Any]) -> None:
        self.offset.copy_(torch.from_numpy(np.asarray(offset, np.float32)))
        # What single precision cannot tell from the offset is constant to the network.
        least = np.finfo(np.float32).eps * np.maximum(np.abs(offset), np.finfo(np.float32).tiny)
        self.width.copy_(torch.from_numpy(np.asarray(np.where(width > least, width, 1), np.float32)))
