"""Autoencoders: what they cannot rebuild is anomalous."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from adbench_torch_training.batches import Batches
from adbench_torch_training.detector import NetworkDetector
from adbench_torch_training.settings import require
from adbench_torch_training.training import train

from adbench_torch_autoencoders.networks import ConvNetwork, DenseNetwork


@dataclass
class Autoencoder(NetworkDetector):
    """What the autoencoders share; a subclass says only which network it trains.

    Parameters
    ----------
    epochs
        Passes over the training rows.
    batch_size
        Rows per step of Adam.
    learning_rate
        Of Adam.
    """

    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 2e-3

    def __post_init__(self):
        require(self, epochs=0, batch_size=1, positive=("learning_rate",))

    def train_network(self, X):
        """Minimise the mean squared error."""
        train(
            self.network_,
            lambda rows: self.errors(rows).mean(),
            Batches((X,), self.batch_size, self.device_, epochs=self.epochs),
            learning_rate=self.learning_rate,
        )

    def errors(self, rows):
        """Return each row's squared reconstruction error, averaged over its features."""
        return (self.network_(rows) - rows).square().flatten(1).mean(1)  # (n,)

    def scores_of(self, rows):
        """Return each row's mean squared reconstruction error."""
        return self.errors(rows)

    def reconstruct(self, X):
        """Return the reconstructions, in the shape of ``X``."""
        return self._evaluate(self.network_, X)

    def embed(self, X):
        """Return the codes, shape ``(n_samples, n_latent)``."""
        return self._evaluate(self.network_.encode, X)


@dataclass
class ConvAutoencoder(Autoencoder):
    """Convolutional autoencoder with a dense code, for images of any size.

    The code is dense on purpose: a purely convolutional code of 7 x 7 x 8 numbers copies images of
    any kind, anomalous ones too.

    Parameters
    ----------
    latent
        Numbers in the code.
    width
        Filters of the first convolution; the second has twice as many.

    References
    ----------
    Masci, Meier, Cireşan & Schmidhuber (2011). Stacked convolutional auto-encoders for
    hierarchical feature extraction. ICANN.
    """

    latent: int = 32
    width: int = 16

    rank = 4

    def __post_init__(self):
        super().__post_init__()
        require(self, latent=1, width=1)

    def make_network(self, shape):
        """Return the convolutional network, its weights in the memory format of the images."""
        return ConvNetwork(shape, self.latent, self.width).to(memory_format=torch.channels_last)


@dataclass
class DenseAutoencoder(Autoencoder):
    """Dense autoencoder with linear output, for tables and flattened images.

    Parameters
    ----------
    latent
        Numbers in the code; at most half of the features, or a short row would be copied.
    hidden
        Units of each hidden layer.

    References
    ----------
    Sakurada & Yairi (2014). Anomaly detection using autoencoders with nonlinear dimensionality
    reduction. MLSDA Workshop.
    """

    latent: int = 64
    hidden: int = 256

    def __post_init__(self):
        super().__post_init__()
        require(self, latent=1, hidden=1)

    def make_network(self, shape):
        """Return the dense network."""
        return DenseNetwork(shape[0], self.latent, self.hidden)
