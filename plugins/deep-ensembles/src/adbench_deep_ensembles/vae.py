"""A variational autoencoder as an ensemble: one forward pass for all members that train together."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from adbench_deep_ensembles.layers import conv_decoder, conv_encoder, dense

# An encoder that gives 0 means a scale of 1.
_RAW_ONE = math.log(math.e - 1)
_LEAST_SCALE = 1e-30


class Posterior(NamedTuple):
    """The encoder's Gaussian: mean and standard deviation, each ``(m, n, latent)``."""

    mean: Tensor
    scale: Tensor


class Terms(NamedTuple):
    """What the scores are made of, for each sampled code: each ``(m, k, n)``."""

    rate: Tensor
    """log q(z | x) - log p(z)"""
    distortion: Tensor
    """-log p(x | z)"""


class VAE(nn.Module):
    """Encoder, prior and decoder of some members.

    Parameters
    ----------
    encoder
        Rows ``(m, n, ...)`` to ``(m, n, 2 * latent)``: means and raw scales.
    decoder
        Codes ``(m, n, latent)`` to Bernoulli logits in the shape of the rows.
    prior
        Has ``log_prob``.
    samples
        Noise for scoring, ``(m, k, 1, latent)``: the same for every row, so that a row's score does not
        depend on the others.
    """

    samples: Tensor

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module, samples: Tensor) -> None:
        super().__init__()
        self.encoder, self.decoder, self.prior = encoder, decoder, prior
        self.register_buffer("samples", samples)

    @property
    def members(self) -> int:
        """How many train together."""
        return len(self.samples)

    def encode(self, rows: Tensor) -> Posterior:
        """Return the posterior of each row's code."""
        mean, raw = self.encoder(rows).chunk(2, dim=-1)
        # Far rows would make the scale 0 in single precision, and its logarithm infinite.
        return Posterior(mean, functional.softplus(raw + _RAW_ONE).clamp_min(_LEAST_SCALE))

    def terms(self, rows: Tensor, posterior: Posterior, noise: Tensor) -> Terms:
        """Return rate and distortion of sampled codes.

        Parameters
        ----------
        rows : Tensor of shape (m, n, ...)
            In [0, 1]. Beyond it the Bernoulli log-likelihood has no bound: it is a score, not a density.
        noise : Tensor of shape (m, k, n or 1, latent)
            Standard normal.
        """
        codes = posterior.mean[:, None] + posterior.scale[:, None] * noise  # (m, k, n, latent)
        log_q = -(0.5 * (noise.square() + math.log(2 * math.pi)) + posterior.scale.log()[:, None]).sum(-1)
        flat = codes.flatten(1, 2)
        log_p = self.prior.log_prob(flat).unflatten(1, codes.shape[1:3])
        logits = self.decoder(flat).unflatten(1, codes.shape[1:3])  # (m, k, n, ...)
        # x * logit - softplus(logit) is linear in x, so that rows need not be 0 or 1.
        log_likelihood = rows[:, None] * logits - functional.softplus(logits)
        return Terms(log_q - log_p, -log_likelihood.flatten(3).sum(-1))

    def losses(self, rows: Tensor, n_samples: int, beta: float) -> Tensor:
        """Return each member's ``E[beta * rate + distortion]`` over its batch, shape ``(m,)``."""
        posterior = self.encode(rows)
        mean = posterior.mean
        noise = torch.randn(len(mean), n_samples, *mean.shape[1:], device=mean.device)
        rate, distortion = self.terms(rows, posterior, noise)
        return (beta * rate + distortion).mean((1, 2))


class PerImage(nn.Module):
    """A network of images as the only member of an ensemble, channels last outside.

    Parameters
    ----------
    network
        Takes or gives channels first.
    takes_images, gives_images
        Which side of it is images.
    side
        Height and width to cut given images to.
    """

    def __init__(self, network: nn.Module, *, takes_images: bool = False, side: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.takes_images, self.side = takes_images, side

    def forward(self, rows: Tensor) -> Tensor:  # (1, n, ...) -> (1, n, ...)
        """Return the network's output, with the member in front."""
        (only,) = rows
        # (n, height, width, channels) seen as channels first is torch's channels_last format: no copy.
        made = self.network(2 * only.movedim(-1, 1) - 1 if self.takes_images else only)
        if self.side:
            made = made.movedim(1, -1)[:, : self.side[0], : self.side[1]]
        return made[None]


def conv_networks(shape: tuple[int, int, int], latent: int, base_depth: int) -> tuple[nn.Module, nn.Module]:
    """Return encoder and decoder of hschoi1/rich_latent for images of a shape, for one member.

    The encoder has 383,040 weights and the decoder 358,465 for 28 x 28 x 1, 16 numbers and depth 32.
    """
    height, width, channels = shape
    side = (height, width)
    encoder = conv_encoder(channels, side, base_depth, 4 * latent, 2 * latent)
    decoder = conv_decoder(latent, channels, side, base_depth)
    return PerImage(encoder, takes_images=True), PerImage(decoder, side=side)


def dense_networks(members: int, n_features: int, latent: int, hidden: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
    """Return dense encoder and decoder, mirror images; without hidden layers they are linear, as published."""
    encoder = dense(members, n_features, *hidden, 2 * latent, activation=nn.ReLU)
    decoder = dense(members, latent, *reversed(hidden), n_features, activation=nn.ReLU)
    return encoder, decoder
