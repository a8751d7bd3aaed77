"""A network that is told which training rows are anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from adbench_torch_training.batches import Batches
from adbench_torch_training.detector import NetworkDetector
from adbench_torch_training.settings import require
from adbench_torch_training.training import train
from torch import nn
from torch.nn import functional

from adbench import PluginError, UsageError
from adbench_deep_ensembles.layers import glorot

_ACTIVATIONS = {"relu": nn.ReLU, "none": nn.Identity}


def layers(n_features, hidden, activation):
    """Return the network: 279,041 weights for 30 features and two times 512 units."""
    widths = [n_features, *hidden]
    stack = []
    for n_in, n_out in pairwise(widths):
        stack += [glorot(nn.Linear(n_in, n_out)), _ACTIVATIONS[activation]()]
    return nn.Sequential(*stack, glorot(nn.Linear(widths[-1], 1)), nn.Flatten(0))


@dataclass
class SupervisedNetwork(NetworkDetector):
    """A dense classifier; the score is its logit.

    Parameters
    ----------
    activation
        ``relu``, or ``none``: the network published as a DNN has none, and so is a linear model.
    hidden
        Units of the hidden layers.
    positive_weight
        Weight of an anomaly in the loss, a normal row's being 1. None: one plus normal rows by anomalies
        (on the whole credit card data the published 581).
    epochs, batch_size, learning_rate
        Of RMSprop.

    References
    ----------
    The classifier of github.com/hschoi1/rich_latent.
    """

    activation: Literal["relu", "none"] = "relu"
    hidden: tuple[int, ...] = (512, 512)
    positive_weight: float | None = None
    epochs: int = 10
    batch_size: int = 100
    learning_rate: float = 1e-5

    def __post_init__(self):
        require(self, epochs=0, batch_size=1, positive=("learning_rate",))
        if self.positive_weight is not None:
            require(self, positive=("positive_weight",))
        if self.activation not in _ACTIVATIONS:
            raise UsageError(f"'activation' must be one of {', '.join(_ACTIVATIONS)}; got {self.activation!r}")

    def make_network(self, shape):
        """Return the untrained network."""
        return layers(shape[0], self.hidden, self.activation)

    def fit(self, X, y, *, seed):
        """Minimise the weighted cross-entropy of the labels ``y``, 1 for anomalies."""
        anomalies = int(y.sum())
        if not 0 < anomalies < len(y):
            raise PluginError(f"a classifier needs normal rows and anomalies; got {anomalies} anomalies in {len(y)}")
        return self._fit(seed, X, y)

    def train_network(self, X, y):
        """Minimise the weighted cross-entropy."""
        weight = 1 + (y == 0).sum() / (y == 1).sum() if self.positive_weight is None else self.positive_weight

        def loss(rows, labels):
            each = functional.binary_cross_entropy_with_logits(self.network_(rows), labels, reduction="none")
            # As published: 1 + 580 for a fraud, and 1 for the rest.
            return (each * (1 + (weight - 1) * labels)).mean()

        train(
            self.network_,
            loss,
            Batches((X, y), self.batch_size, self.device_, epochs=self.epochs),
            learning_rate=self.learning_rate,
            optimizer="rmsprop",
        )

    def scores_of(self, rows):
        """Return each row's logit."""
        return self.network_(rows)
