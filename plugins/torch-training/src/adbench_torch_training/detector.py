"""What every detector here does the same way: fit from a seed, score in batches, differentiate, save and load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from adbench import PluginError, check_rows
from adbench_torch_training.devices import pick_device, seeded
from adbench_torch_training.evaluation import evaluate, input_gradient
from adbench_torch_training.saving import load_network, save_network
from adbench_torch_training.training import count_parameters

_KINDS = {2: "rows (n_samples, n_features)", 4: "images (n_samples, height, width, channels)"}


@dataclass
class NetworkDetector:
    """A detector whose whole learned state is one network's.

    A subclass has ``make_network``, ``train_network`` and ``scores_of``.

    Parameters
    ----------
    device
        ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
    """

    device: str = "auto"

    score_names: ClassVar[tuple[str, ...]] = ()
    """Names of several scores, the headline first; none where ``scores_of`` returns a tensor."""

    rank: ClassVar[int] = 2
    """Axes of the rows that ``fit`` takes: 2 for a table, 4 for images."""

    @property
    def rows_at_once(self) -> int:
        """How many rows to score at a time."""
        return 1024

    def make_network(self, shape: tuple[int, ...]) -> nn.Module:
        """Return the untrained network for rows of this shape; all that is learnt is in its ``state_dict``."""
        raise NotImplementedError

    def train_network(self, *arrays: NDArray[Any]) -> None:
        """Train ``network_``, on ``device_``, on the rows (and their labels)."""
        raise NotImplementedError

    def scores_of(self, rows: Tensor) -> Any:
        """Return one anomaly score a row, or a mapping from name to such."""
        raise NotImplementedError

    def fit(self, X: NDArray[Any], *, seed: int) -> Self:
        """Make and train the network, drawing from ``seed`` alone."""
        return self._fit(seed, X)

    def score(self, X: NDArray[Any]) -> Any:
        """Return each row's score, or every score by name."""
        made = self._evaluate(self.scores_of, X)
        if self.score_names:
            return {name: made[name].astype(np.float64) for name in self.score_names}
        return made.astype(np.float64)

    def input_gradient(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Return the gradient of the headline score by ``X``, in the shape of ``X``."""
        check_rows(X, self.shape_)
        return input_gradient(self._headline, X, self.device_, self.rows_at_once)

    def n_parameters(self) -> int:
        """Return how many parameters the network has."""
        return count_parameters(self.network_)

    def save(self, path: Path) -> None:
        """Write the network's state and the shape of a row into the folder ``path``."""
        save_network(path, self.network_.state_dict(), shape=list(self.shape_))

    def load(self, path: Path) -> Self:
        """Read what ``save`` wrote; the hyperparameters must be the same."""
        tensors, facts = load_network(path)
        self.device_ = pick_device(self.device)
        self.shape_ = tuple(facts["shape"])
        with seeded(0, self.device_):
            self.network_ = self.make_network(self.shape_).to(self.device_).eval()
        try:
            self.network_.load_state_dict(tensors)
        except RuntimeError as error:
            raise PluginError("the saved network is another one: were the hyperparameters the same?") from error
        return self

    def _fit(self, seed: int, X: NDArray[Any], *labels: NDArray[Any]) -> Self:
        if X.ndim != self.rank:
            raise PluginError(f"expected {_KINDS[self.rank]}; got an array of shape {X.shape}")
        check_rows(X)
        self.device_ = pick_device(self.device)
        self.shape_ = X.shape[1:]
        with seeded(seed, self.device_):
            self.network_ = self.make_network(self.shape_).to(self.device_)
            self.train_network(X, *labels)
        return self

    def _headline(self, rows: Tensor) -> Tensor:
        made = self.scores_of(rows)
        return made[self.score_names[0]] if self.score_names else made

    def _evaluate(self, function: Callable[[Tensor], Any], X: NDArray[Any]) -> Any:
        check_rows(X, self.shape_, at_least=0)
        return evaluate(function, X, self.device_, self.rows_at_once)
