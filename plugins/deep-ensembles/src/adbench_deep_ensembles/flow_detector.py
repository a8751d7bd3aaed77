"""A masked autoregressive flow over the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass

from adbench_torch_training.batches import Batches
from adbench_torch_training.detector import NetworkDetector
from adbench_torch_training.scaling import Scaling
from adbench_torch_training.settings import require
from adbench_torch_training.training import train
from torch import nn

from adbench import SkipTrial
from adbench_deep_ensembles.ensemble import FARTHEST
from adbench_deep_ensembles.priors import autoregressive_flow


class RowFlow(nn.Module):
    """A flow over standardised rows.

    Parameters
    ----------
    shape
        Of a row.
    flow
        Over that many features.
    """

    def __init__(self, shape, flow):
        super().__init__()
        self.scaling = Scaling(shape)
        self.flow = flow

    def forward(self, rows):
        """Return each row's negative log-density, in the standardised space."""
        # Rows far beyond the training rows are kept where the density's logarithm is finite.
        return -self.flow().log_prob(self.scaling(rows).clamp(-FARTHEST, FARTHEST))


@dataclass
class Flow(NetworkDetector):
    """The negative log-density of a masked autoregressive flow.

    Parameters
    ----------
    flows, hidden
        How many, and units in each of their two hidden layers.
    steps, batch_size, learning_rate
        Of Adam; the rate falls to 0 along half a cosine.
    feature_limit
        Rows with more features are not tried: a flow's cost grows with their square, and the density
        of pixels is no sign of an image being odd.

    References
    ----------
    Papamakarios, Pavlakou & Murray (2017). Masked autoregressive flow for density estimation. NeurIPS.
    Nalisnick et al. (2019). Do deep generative models know what they don't know? ICLR.
    """

    flows: int = 6
    hidden: int = 128
    steps: int = 5000
    batch_size: int = 256
    learning_rate: float = 1e-3
    feature_limit: int | None = 300

    def __post_init__(self):
        require(self, flows=1, hidden=1, steps=0, batch_size=1, positive=("learning_rate",))

    def make_network(self, shape):
        """Return the untrained flow."""
        if self.feature_limit is not None and shape[0] > self.feature_limit:
            raise SkipTrial(f"{shape[0]} features, above the feature_limit of {self.feature_limit}")
        return RowFlow(shape, autoregressive_flow(shape[0], self.flows, (self.hidden, self.hidden)))

    def train_network(self, X):
        """Maximise the density of the training rows."""
        self.network_.scaling.fit_moments(X)
        train(
            self.network_,
            lambda rows: self.network_(rows).mean(),
            Batches((X,), self.batch_size, self.device_, steps=self.steps),
            learning_rate=self.learning_rate,
            cosine=True,
        )

    def scores_of(self, rows):
        """Return each row's negative log-density."""
        return self.network_(rows)
