"""A convolutional variational autoencoder with two branches, and its plain twin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from adbench import PluginError, UsageError
from adbench_keras_autoencoders import networks
from adbench_keras_autoencoders.backend import keras
from adbench_keras_autoencoders.detector import Autoencoder
from adbench_keras_autoencoders.measures import cross_entropy, divergence, squared_error
from adbench_keras_autoencoders.training import hold_out, train


@dataclass
class ConvVAE(Autoencoder):
    """Convolutional VAE: 129,265 + 386 ``latent`` weights for 28 x 28 grey images.

    It minimises, by RMSprop, (values of an image) x mean cross-entropy + KL divergence + L2 penalties.
    Both scores come from one random draw of the code, ``mean + scale * noise``: the noise is drawn when
    fitting, and is the same for every row and call.

    Scores: ``mse``, the mean squared error of that reconstruction, and ``elbo``, the *negative* evidence
    lower bound in nats: summed cross-entropy + divergence of the distribution that the code was drawn from.

    Parameters
    ----------
    latent
        Numbers in the code.
    l2
        Penalty on the squared weights, without those of the first layer, the code's and the last two.
    dropout
        Share of values dropped in training, in [0, 1).
    variational
        False: a plain autoencoder with a linear code; its ``elbo`` is the summed cross-entropy alone.
    sampler
        ``exp_half_logvar``: scale = exp(log_var / 2), as its divergence says. ``exp_logvar``: scale =
        exp(log_var) though the divergence it is trained on is that of exp(log_var / 2), as the reference
        has it; ``elbo`` takes the divergence that belongs to the scale.
    learning_rate
        Of RMSprop.
    validation_share
        Share of the training rows, in [0, 1), that are held out, two at the least; the weights of the
        epoch with their lowest loss are kept. 0: train on all rows and keep the last weights.

    References
    ----------
    github.com/LordAlucard90/Variational-AutoEncoder-For-Novelty-Detection;
    Kingma & Welling (2014). Auto-encoding variational Bayes. ICLR.
    """

    epochs: int = 300
    batch_size: int = 128
    latent: int = 32
    l2: float = 0.0
    dropout: float = 0.0
    variational: bool = True
    sampler: Literal["exp_half_logvar", "exp_logvar"] = "exp_half_logvar"
    learning_rate: float = 1e-3
    validation_share: float = 0.0

    learnt: ClassVar = ("shape_", "noise_")

    def __post_init__(self):
        super().__post_init__()
        if self.sampler not in ("exp_half_logvar", "exp_logvar"):
            raise UsageError(f"'sampler' must be exp_half_logvar or exp_logvar; got {self.sampler!r}")
        for name in ("dropout", "validation_share"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name!r} must be in [0, 1); got {getattr(self, name)}")
        if self.latent < 1 or not self.learning_rate > 0:
            raise UsageError(f"'latent' and 'learning_rate' must be above 0; got {self.latent}, {self.learning_rate}")

    def make_network(self, rng):
        """Return the network."""
        return networks.conv_vae(
            self.shape_,
            rng,
            latent=self.latent,
            l2=self.l2,
            dropout=self.dropout,
            variational=self.variational,
            sampler=self.sampler,
        )

    def learn(self, X, rng):
        """Draw the noise that scores are made with, and train."""
        if self.validation_share and len(X) < 3:
            raise PluginError(f"'validation_share' needs at least 3 rows; got {len(X)}")
        self.noise_ = rng.standard_normal(self.latent).tolist()
        X, X_validation = hold_out(X, self.validation_share, rng) if self.validation_share else (X, None)
        self.network_ = self.make_network(rng)
        train(
            self.network_.whole,
            X,
            self._reconstruction_loss,
            optimizer=keras.optimizers.RMSprop(self.learning_rate),
            epochs=self.epochs,
            batch_size=self.batch_size,
            rng=rng,
            X_validation=X_validation,
        )

    def rebuild(self, images):
        """Return the reconstructions of a batch from the one draw of noise."""
        return self.network_.decode(self._draw(self.network_.encode(images, training=False)), training=False)

    def encode(self, images):
        """Return the means of the codes of a batch."""
        code = self.network_.encode(images, training=False)
        return code[0] if self.variational else code

    def measure(self, images):
        """Return ``mse`` and ``elbo``."""
        code = self.network_.encode(images, training=False)
        made = self.network_.decode(self._draw(code), training=False)
        elbo = self._reconstruction_loss(images, made)
        if self.variational:
            mean, log_var = code
            elbo = elbo + divergence(mean, 2 * networks.log_deviation(log_var, self.sampler))
        return {"mse": squared_error(images, made), "elbo": elbo}

    def _reconstruction_loss(self, images, made):
        return math.prod(self.shape_) * cross_entropy(images, made)  # (n,)

    def _draw(self, code):
        if not self.variational:
            return code
        mean, log_var = code
        noise = keras.ops.convert_to_tensor(np.array(self.noise_, np.float32))
        return mean + keras.ops.exp(networks.log_deviation(log_var, self.sampler)) * noise
