"""Two small convolutional autoencoders scored by binary cross-entropy, from above or from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adbench import UsageError
from adbench_keras_autoencoders import networks
from adbench_keras_autoencoders.detector import Autoencoder, adam
from adbench_keras_autoencoders.measures import cross_entropy
from adbench_keras_autoencoders.training import evaluate, hold_out, train

_SMALLEST = 1e-6
"""Of a standard deviation, in nats: the float32 error of a cross-entropy."""


@dataclass
class CnnAutoencoder(Autoencoder):
    """An autoencoder trained by Adam on binary cross-entropy.

    Scores: ``bce``, a row's mean cross-entropy, and ``abs_z``, how many standard deviations ``bce`` lies
    from the mean of normal rows, above or below. Mean and deviation are those of training rows that were
    held out from training; the reference took them from normal *test* rows.

    Parameters
    ----------
    held_out_share
        Share of the training rows, in (0, 1), that are held out, two at the least.

    References
    ----------
    github.com/sohamk10/Image-reconstruction-and-Anomaly-detection
    """

    epochs: int = 25
    batch_size: int = 60
    held_out_share: float = 0.1

    least_rows: ClassVar = 3
    learnt: ClassVar = ("shape_", "mean_", "deviation_")

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.held_out_share < 1:
            raise UsageError(f"'held_out_share' must be in (0, 1); got {self.held_out_share}")

    def learn(self, X, rng):
        """Train on most of the rows and measure the errors of the rest."""
        X, held_out = hold_out(X, self.held_out_share, rng)
        self.network_ = self.make_network(rng)
        train(
            self.network_.whole,
            X,
            cross_entropy,
            optimizer=adam(),
            epochs=self.epochs,
            batch_size=self.batch_size,
            rng=rng,
        )
        errors = evaluate(self.measure, held_out)["bce"].astype(np.float64)
        self.mean_, self.deviation_ = errors.mean(), max(errors.std(), _SMALLEST)

    def measure(self, images):
        """Return each row's cross-entropy."""
        return {"bce": cross_entropy(images, self.rebuild(images))}

    def score(self, X):
        """Return ``bce`` and ``abs_z``."""
        scores = super().score(X)
        return scores | {"abs_z": np.abs(scores["bce"] - self.mean_) / self.deviation_}


@dataclass
class CnnBottleneck(CnnAutoencoder):
    """Three poolings to a code of 4 x 4 x 8: 4,385 weights for grey images."""

    def make_network(self, rng):
        """Return the network with the narrow code."""
        return networks.cnn_bottleneck(self.shape_, rng)


@dataclass
class CnnShallow(CnnAutoencoder):
    """One pooling, a code of 14 x 14 x 10, wider than the image: 1,101 weights for grey images."""

    def make_network(self, rng):
        """Return the shallow network."""
        return networks.cnn_shallow(self.shape_, rng)
