"""Three plain autoencoders scored by their squared error; a network that did not learn is noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from adbench import UsageError, log, note
from adbench_keras_autoencoders import networks
from adbench_keras_autoencoders.backend import keras
from adbench_keras_autoencoders.detector import Autoencoder
from adbench_keras_autoencoders.measures import cross_entropy, squared_error
from adbench_keras_autoencoders.training import evaluate, train


def _adagrad():
    return keras.optimizers.Adagrad(0.01)  # the default rate of the Keras that the reference was written for


_OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD, "adagrad": _adagrad}
_LOSSES = {"mse": squared_error, "bce": cross_entropy}
_CHECKED = 512
_COLLAPSED = (
    "the network rebuilt no better than the mean image and was trained again from another start",
    "the network rebuilds no better than the mean image, after a second training too",
)


@dataclass
class PlainAutoencoder(Autoencoder):
    """An autoencoder with a sigmoid output; the score ``mse`` is the mean squared error of a row's values.

    After training, the network is compared with the mean training image on some training rows. If it is
    *collapsed*, it is trained once more from another start, drawn from the same seed, and the better of
    the two is kept. ``collapsed_`` tells whether that one is collapsed too; so does ``collapsed`` = 1 at
    the end of the training curve.

    Parameters
    ----------
    optimizer
        ``adam``, ``sgd`` or ``adagrad``, at the default rates of Keras 2.
    loss
        ``mse`` (mean squared error) or ``bce`` (binary cross-entropy).

    References
    ----------
    github.com/otenim/AnomalyDetectionUsingAutoencoder
    """

    optimizer: Literal["adam", "sgd", "adagrad"] = "adam"
    loss: Literal["mse", "bce"] = "mse"

    learnt: ClassVar = ("shape_", "collapsed_")
    margin: ClassVar = 0.05
    """Collapsed = explains less than this share of the pixels' variance.

    All-black outputs explain less than nothing of it, the mean image nothing; the least that a network in
    training was seen to explain, after eight epochs on 250 digits, was .2.
    """

    def __post_init__(self):
        super().__post_init__()
        for name, allowed in (("optimizer", _OPTIMIZERS), ("loss", _LOSSES)):
            if getattr(self, name) not in allowed:
                raise UsageError(f"{name!r} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}")

    def learn(self, X, rng):
        """Train, and a second time if the network is collapsed."""
        optimizer, loss = _OPTIMIZERS[self.optimizer], _LOSSES[self.loss]
        tried = []
        for attempt in range(2):
            self.network_ = self.make_network(rng)
            first_step = attempt * (self.epochs + 1)
            train(
                self.network_.whole,
                X,
                loss,
                optimizer=optimizer(),
                epochs=self.epochs,
                batch_size=self.batch_size,
                rng=rng,
                first_step=first_step,
            )
            tried.append((self._explained(X, rng), self.network_))
            self.collapsed_ = tried[-1][0] < self.margin
            if not self.collapsed_:
                return
            log(first_step + self.epochs, collapsed=1)
            note(_COLLAPSED[attempt])
        _, self.network_ = max(tried, key=lambda pair: pair[0])

    def measure(self, images):
        """Return each row's mean squared error."""
        return {"mse": squared_error(images, self.rebuild(images))}

    def _explained(self, X, rng):
        """Return the share of the pixels' variance that reconstructions explain: 0 for the mean image, at most 1."""
        rows = X[rng.permutation(len(X))[:_CHECKED]]
        variance = np.square(rows - X.mean(axis=0, dtype=np.float64)).mean()
        if variance < 1e-12:
            return 1.0  # equal images: there is nothing to learn but the mean image
        return 1 - evaluate(self.measure, rows)["mse"].mean() / variance


@dataclass
class DenseAutoencoder(PlainAutoencoder):
    """Flattened image -> 64 ReLU -> image: 101,200 weights at 28 x 28."""

    def make_network(self, rng):
        """Return the dense network."""
        return networks.dense(self.shape_, rng)


@dataclass
class DeepAutoencoder(PlainAutoencoder):
    """Flattened image -> 128 -> 64 -> 128 ReLU -> image: 218,192 weights at 28 x 28."""

    def make_network(self, rng):
        """Return the deeper dense network."""
        return networks.dense(self.shape_, rng, hidden=(128,))


@dataclass
class ConvAutoencoder(PlainAutoencoder):
    """Convolutions of 32, 16, 8, 16 and 32 filters about a code of 7 x 7 x 8: 12,201 weights for grey images.

    Parameters
    ----------
    loss
        The reference's ``mse`` collapses on dark images such as MNIST's: once the background has pushed
        all outputs to 0, the sigmoid's slope takes the gradient away. That of ``bce`` stays.
    """

    loss: Literal["mse", "bce"] = "bce"

    def make_network(self, rng):
        """Return the convolutional network."""
        return networks.conv(self.shape_, rng)
