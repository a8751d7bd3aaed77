"""Autoencoders: what they cannot rebuild is anomalous."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from adbench_torch_autoencoders.networks import ConvNetwork, DenseNetwork
from adbench_torch_autoencoders.training import evaluate, input_gradient, pick_device, seeded, train


@dataclass
class Autoencoder:
    """What the autoencoders share; a subclass says only which network it trains.

    Parameters
    ----------
    epochs
        Passes over the training rows.
    batch_size
        Rows per step of Adam.
    learning_rate
        Of Adam.
    latent
        Numbers in the code between encoder and decoder.
    device
        ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
    """

    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 2e-3
    latent: int = 32
    device: str = "auto"

    def make_network(self, shape):
        """Return the untrained network for rows of this shape."""
        raise NotImplementedError

    def fit(self, X, *, seed):
        """Train on the mean squared error."""
        self.device_ = pick_device(self.device)
        self.shape_ = X.shape[1:]
        with seeded(seed, self.device_):
            self.network_ = self.make_network(self.shape_).to(self.device_)
            train(
                self.network_,
                X,
                lambda network, batch: squared_error(network, batch).mean(),
                epochs=self.epochs,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                device=self.device_,
            )
        return self

    def score(self, X):
        """Return each row's mean squared reconstruction error."""
        return self._evaluate(lambda batch: squared_error(self.network_, batch), X).astype(np.float64)

    def reconstruct(self, X):
        """Return the reconstructions, in the shape of ``X``."""
        return self._evaluate(self.network_, X)

    def embed(self, X):
        """Return the codes, shape ``(n_samples, n_latent)``."""
        return self._evaluate(self.network_.encode, X)

    def input_gradient(self, X):
        """Return the gradient of ``score`` by ``X``, in the shape of ``X``."""
        return input_gradient(lambda batch: squared_error(self.network_, batch), X, self.device_)

    def save(self, path):
        """Write the weights and the shape of a row into the folder ``path``."""
        Path(path).mkdir(parents=True, exist_ok=True)
        state = {"shape": list(self.shape_), "weights": self.network_.state_dict()}
        torch.save(state, Path(path, "network.pt"))

    def load(self, path):
        """Read what ``save`` wrote; the hyperparameters must be the same."""
        self.device_ = pick_device(self.device)
        # weights_only: tensors and plain values, nothing that could run code.
        state = torch.load(Path(path, "network.pt"), map_location=self.device_, weights_only=True)
        self.shape_ = tuple(state["shape"])
        self.network_ = self.make_network(self.shape_).to(self.device_).eval()
        self.network_.load_state_dict(state["weights"])
        return self

    def _evaluate(self, function, X):
        return evaluate(function, X, self.device_)


@dataclass
class ConvAutoencoder(Autoencoder):
    """Convolutional autoencoder with a dense code, for images of any size.

    The code is dense on purpose: a purely convolutional code of 7 x 7 x 8 numbers copies images of
    any kind, anomalous ones too.

    Parameters
    ----------
    width
        Filters of the first convolution; the second has twice as many.

    References
    ----------
    Masci, Meier, Cireşan & Schmidhuber (2011). Stacked convolutional auto-encoders for
    hierarchical feature extraction. ICANN.
    """

    width: int = 16

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

    def make_network(self, shape):
        """Return the dense network."""
        return DenseNetwork(shape[0], self.latent, self.hidden)


def squared_error(network, batch):
    """Return each row's squared reconstruction error, averaged over its features."""
    return (network(batch) - batch).square().flatten(1).mean(1)  # (n,)
