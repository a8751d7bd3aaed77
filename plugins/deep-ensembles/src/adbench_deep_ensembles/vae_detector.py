"""Ensembles of variational autoencoders: convolutional for images, dense for tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from adbench_torch_training.batches import Batches
from adbench_torch_training.settings import require
from adbench_torch_training.training import train

from adbench import UsageError
from adbench_deep_ensembles.ensemble import ConvEnsemble, Ensemble
from adbench_deep_ensembles.names import VAE_SCORES
from adbench_deep_ensembles.priors import FlowPrior, MixturePrior, NormalPrior
from adbench_deep_ensembles.statistics import summarised
from adbench_deep_ensembles.vae import VAE, conv_networks, dense_networks

_DECODED_AT_ONCE = 1024


@dataclass
class VaeEnsemble(Ensemble):
    """Variational autoencoders with learnt priors; a subclass says which networks.

    Every score comes from one fit. An *energy* is what a single member says of a row, higher for
    anomalies, from ``n_samples`` codes ``z_k`` of its posterior, with
    ``l_k = log p(x | z_k) + log p(z_k) - log q(z_k | x)``:

    ============ ==================================================
    elbo         ``-mean_k l_k``
    iwae         ``-(logsumexp_k l_k - log n_samples)``
    rate         ``mean_k (log q(z_k | x) - log p(z_k))``
    distortion   ``-mean_k log p(x | z_k)``
    ============ ==================================================

    Each of them is given of one member (``-single``), as the members' mean and (population) variance,
    and as the sum of these two (``-waic``). The posterior scores average a member's posterior mean, or
    variance, over the code to one number, and take the members' mean or variance of that.

    Parameters
    ----------
    prior
        ``flows`` (masked autoregressive), ``mixture`` (of Gaussians, learnt) or ``normal``.
    latent
        Numbers in a code.
    beta
        Weight of the rate in the loss.
    n_samples, n_train_samples
        Codes drawn for a row in scoring and in training.
    steps, batch_size, learning_rate
        Of Adam, for each member; the rate falls to 0 along half a cosine.
    flows, flow_hidden
        Flows of the prior, and units in each of their two hidden layers.
    components
        Gaussians of the mixture.

    References
    ----------
    Choi, Jang & Alemi (2018). WAIC, but why? Generative ensembles for robust anomaly detection.
    arXiv:1810.01392. Code: github.com/hschoi1/rich_latent. What is printed as ``elbo`` there is the mean
    over the codes, in every version, where paper and README mean ``iwae``: both are given here.
    """

    prior: Literal["flows", "mixture", "normal"] = "flows"
    latent: int = 16
    beta: float = 1.0
    n_samples: int = 16
    n_train_samples: int = 16
    steps: int = 5000
    batch_size: int = 32
    learning_rate: float = 1e-3
    flows: int = 6
    flow_hidden: int = 512
    components: int = 100

    score_names = VAE_SCORES

    def __post_init__(self):
        super().__post_init__()
        counts = ("latent", "n_samples", "n_train_samples", "batch_size", "flows", "flow_hidden", "components")
        require(self, steps=0, **dict.fromkeys(counts, 1), positive=("learning_rate",))
        if self.prior not in ("flows", "mixture", "normal"):
            raise UsageError(f"'prior' must be flows, mixture or normal; got {self.prior!r}")

    @property
    def rows_at_once(self):
        """How many rows to score at once."""
        return max(_DECODED_AT_ONCE // self.n_samples, 1)

    def make_group(self, members, encoder, decoder):
        """Return members with these networks, a prior, and noise for scoring."""
        if self.prior == "normal":
            prior = NormalPrior()
        elif self.prior == "mixture":
            prior = MixturePrior(members, self.latent, self.components)
        else:
            prior = FlowPrior(members, self.latent, self.flows, (self.flow_hidden, self.flow_hidden))
        return VAE(encoder, decoder, prior, torch.randn(members, self.n_samples, 1, self.latent))

    def train_group(self, group, X, numbers):
        """Minimise rate and distortion."""
        train(
            group,
            lambda rows: group.losses(rows, self.n_train_samples, self.beta),
            Batches((X,), self.batch_size, self.device_, steps=self.steps, members=group.members),
            learning_rate=self.learning_rate,
            cosine=True,
            names=[f"member {number}" for number in numbers],
            after=numbers[0] * self.steps if group.members == 1 else 0,
        )

    def energies_of(self, rows):
        """Return what each member says of a tensor of rows, and its posterior's two numbers."""
        by_group = [self._energies(group, given) for group, given in self.network_.given(rows)]
        # Doubles: the variance of a large energy would leave the range of singles.
        return {name: torch.cat([made[name] for made in by_group]).T.double() for name in by_group[0]}

    def summarise(self, energies):
        """Return every score."""
        made = summarised(energies)
        return {name: made[name] for name in VAE_SCORES}

    def reconstruct(self, X):
        """Return the members' mean reconstruction from their posterior means, in the shape of ``X``."""
        return self._evaluate(self._reconstructions, X)

    def embed(self, X):
        """Return the first member's posterior means, shape ``(n_samples, latent)``."""
        return self._evaluate(self._first_codes, X)

    def _energies(self, group, rows):
        """Return what each member of a group says of each row, shape ``(m, n)``."""
        posterior = group.encode(rows)
        rate, distortion = group.terms(rows, posterior, group.samples)
        bound = -(rate + distortion)  # l_k, (m, k, n)
        return {
            "elbo": -bound.mean(1),
            "iwae": math.log(self.n_samples) - bound.logsumexp(1),
            "rate": rate.mean(1),
            "distortion": distortion.mean(1),
            "posterior-mean": posterior.mean.mean(-1),
            "posterior-variance": posterior.scale.square().mean(-1),
        }

    def _reconstructions(self, rows):
        made = [group.decoder(group.encode(given).mean).sigmoid() for group, given in self.network_.given(rows)]
        return self.network_.scaling.undo(torch.cat(made).mean(0))

    def _first_codes(self, rows):
        group, given = self.network_.given(rows)[0]
        return group.encode(given).mean[0]


@dataclass
class ConvVaeEnsemble(ConvEnsemble, VaeEnsemble):
    """Convolutional autoencoders."""

    called = "vae-ensemble"

    def make_member(self, shape):
        """Return one member."""
        return self.make_group(1, *conv_networks(shape, self.latent, self.base_depth))


@dataclass
class DenseVaeEnsemble(VaeEnsemble):
    """Dense autoencoders on rows scaled to [0, 1] by the training rows, trained all at once.

    Parameters
    ----------
    hidden
        Units of the encoder's hidden layers, in reverse those of the decoder's. Without any, both are
        linear, as published.
    """

    hidden: tuple[int, ...] = ()

    def make_groups(self, shape):
        """Return one group of all members."""
        networks = dense_networks(self.members, shape[0], self.latent, tuple(self.hidden))
        return [self.make_group(self.members, *networks)]
