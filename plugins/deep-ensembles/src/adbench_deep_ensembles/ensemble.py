"""What ensembles share: groups of members that train together, and one scaling of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from adbench_torch_training.detector import NetworkDetector
from adbench_torch_training.scaling import Scaling
from adbench_torch_training.settings import require
from torch import Tensor, nn

from adbench import UsageError
from adbench_deep_ensembles.statistics import summarised

FARTHEST = 100.0


class Members(nn.Module):
    """All members, and the scaling they share.

    Parameters
    ----------
    shape
        Of a row.
    groups
        Modules of ``group.members`` members each, that train together.
    """

    def __init__(self, shape: tuple[int, ...], groups: list[nn.Module]) -> None:
        super().__init__()
        # Images are in [0, 1] as they come; a number for all of them does nothing and broadcasts.
        self.scaling = Scaling(shape if len(shape) == 1 else (1,))
        self.groups = nn.ModuleList(groups)

    def given(self, rows: Tensor) -> list[tuple[nn.Module, Tensor]]:
        """Return each group and the rows as its members take them, ``(m, n, ...)``."""
        # A feature that hardly varied in training makes other rows astronomical: kept where squares are finite.
        scaled = self.scaling(rows).clamp(-FARTHEST, FARTHEST)
        return [(group, scaled.expand(group.members, *rows.shape)) for group in self.groups]


@dataclass
class Ensemble(NetworkDetector):
    """Several networks that differ in their seed and in the order of their batches.

    A subclass says which members there are (``make_groups``), how a group trains (``train_group``) and
    what its members say of a row (``energies_of``).

    Parameters
    ----------
    members
        At least 2.
    """

    members: int = 5

    def __post_init__(self):
        # One network has no variance.
        require(self, members=2)

    def make_groups(self, shape):
        """Return the untrained groups for rows of this shape."""
        raise NotImplementedError

    def train_group(self, group, X, numbers):
        """Train one group on rows in [0, 1]; ``numbers`` are its members' among all."""
        raise NotImplementedError

    def energies_of(self, rows):
        """Return what each member says of a tensor of rows: name -> ``(n, members)``, higher for anomalies."""
        raise NotImplementedError

    def summarise(self, energies):
        """Return every score from what the members say, name -> ``(n,)``."""
        return summarised(energies)

    def scores_of(self, rows):
        """Return every score of a tensor of rows."""
        return self.summarise(self.energies_of(rows))

    def bootstrap(self, X, *, rounds=10, size=5, seed=0):
        """Return every score of ensembles drawn from the members with replacement.

        The spread of a metric over the rounds says how far it depends on which members were trained.

        Parameters
        ----------
        X
            Rows to score.
        rounds, size
            How many ensembles, and of how many members: 10 and 5 in hschoi1/rich_latent.
        seed
            Of the draws.

        Returns
        -------
        dict
            Name -> ndarray of shape ``(rounds, n_samples)``.
        """
        if rounds < 1 or size < 1:
            raise UsageError(f"'rounds' and 'size' must be 1 or more; got {rounds} and {size}")
        energies = {name: torch.from_numpy(made) for name, made in self._evaluate(self.energies_of, X).items()}
        draws = np.random.default_rng(seed).integers(self.members, size=(rounds, size))
        made = [self.summarise({name: each[:, drawn] for name, each in energies.items()}) for drawn in draws]
        return {name: np.stack([scores[name].numpy() for scores in made]) for name in self.score_names}

    def make_network(self, shape):
        """Return all members."""
        return Members(shape, self.make_groups(shape))

    def train_network(self, X):
        """Scale a table's rows to [0, 1] and train group after group."""
        if X.ndim == 2:
            self.network_.scaling.fit_range(X)
            X = self._evaluate(self.network_.scaling, X)
        first = 0
        for group in self.network_.groups:
            self.train_group(group, X, range(first, first + group.members))
            first += group.members


@dataclass
class ConvEnsemble(Ensemble):
    """Convolutional networks, trained one after the other; images of at least 25 x 25 pixels.

    Parameters
    ----------
    base_depth
        Filters of the first convolutions.
    """

    base_depth: int = 32

    rank = 4
    called: ClassVar[str] = ""
    """Its name on the board."""

    def __post_init__(self):
        super().__post_init__()
        require(self, base_depth=1)

    def make_member(self, shape):
        """Return one untrained member, a group of its own."""
        raise NotImplementedError

    def make_groups(self, shape):
        """Return a group for each member."""
        # The encoder's last layer takes 7 x 7 at a quarter of the side.
        if min(shape[:2]) < 25:
            raise UsageError(f"{self.called} takes images of 25 x 25 pixels and more; got {shape[0]} x {shape[1]}")
        return [self.make_member(shape) for _ in range(self.members)]
