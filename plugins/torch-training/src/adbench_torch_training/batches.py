"""Random batches of training rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_tensor(rows: NDArray[Any]) -> Tensor:
    """Return rows as float32, without a copy where that is possible."""
    # torch warns of arrays it could not write to, such as memory-mapped ones.
    usable = rows.dtype == np.float32 and rows.flags.writeable
    return torch.from_numpy(rows if usable else np.array(rows, dtype=np.float32))


@dataclass(frozen=True)
class Batches:
    """Batches of one or several arrays of equal length, in an order drawn from torch's current stream.

    Parameters
    ----------
    arrays
        Of equal length; converted to float32. A batch at a time is copied to the device.
    batch_size
        Rows in a batch.
    device
        Where the batches go.
    epochs
        Passes over all rows; the last batch of a pass may be short. Give this or ``steps``.
    steps
        Number of batches, all of full size; the rows are shuffled anew whenever they are used up.
    members
        With ``steps``: that many batches at once, each from its own order, stacked in a new first axis.
    """

    arrays: tuple[NDArray[Any], ...]
    batch_size: int
    device: torch.device
    epochs: int | None = None
    steps: int | None = None
    members: int | None = None

    def __len__(self) -> int:
        """Return the number of batches."""
        if self.epochs is None:
            return self.steps or 0
        return self.epochs * -(-self._n // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield the batches, a tuple with a tensor for each array."""
        tensors = [to_tensor(array) for array in self.arrays]
        for chosen in self._by_epoch() if self.epochs is not None else islice(self._by_step(), len(self)):
            yield tuple(tensor[chosen].to(self.device) for tensor in tensors)

    @property
    def _n(self) -> int:
        return len(self.arrays[0])

    def _by_epoch(self) -> Iterator[Tensor]:
        for _ in range(self.epochs or 0):
            yield from torch.randperm(self._n).split(self.batch_size)

    def _by_step(self) -> Iterator[Tensor]:
        if self.members is None:
            return self._endless()
        return (torch.stack(chosen) for chosen in zip(*(self._endless() for _ in range(self.members)), strict=True))

    def _endless(self) -> Iterator[Tensor]:
        rest = torch.empty(0, dtype=torch.long)
        while True:
            while len(rest) < self.batch_size:
                rest = torch.cat([rest, torch.randperm(self._n)])
            yield rest[: self.batch_size]
            rest = rest[self.batch_size :]
