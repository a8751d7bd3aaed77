"""Prior densities of the code, one for each member: ``log_prob`` maps ``(m, n, latent)`` to ``(m, n)``."""

from __future__ import annotations

import math

import torch
import zuko
from torch import Tensor, nn
from zuko.transforms import Transform

_LOG_2_PI = math.log(2 * math.pi)


class NormalPrior(nn.Module):
    """The standard normal."""

    def log_prob(self, codes: Tensor) -> Tensor:
        """Return the log-density."""
        return -0.5 * (codes.square().sum(-1) + codes.shape[-1] * _LOG_2_PI)


class MixturePrior(nn.Module):
    """A learnt mixture of diagonal Gaussians.

    Parameters
    ----------
    members, latent
        How many mixtures, and over how many numbers.
    components
        Gaussians in each.
    """

    def __init__(self, members: int, latent: int, components: int) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.randn(members, components, latent))
        self.raw_scales = nn.Parameter(torch.full((members, components, latent), math.log(math.e - 1)))
        self.logits = nn.Parameter(torch.zeros(members, 1, components))

    def log_prob(self, codes: Tensor) -> Tensor:
        """Return the log-density.

        The squared distances are expanded into matrix products: the differences themselves would
        be a hundred times the codes.
        """
        precision = nn.functional.softplus(self.raw_scales).square().reciprocal()  # (m, c, latent)
        weighted = self.means * precision
        constant = (self.means * weighted).sum(-1) - precision.log().sum(-1) + codes.shape[-1] * _LOG_2_PI
        distances = codes.square() @ precision.mT - 2 * codes @ weighted.mT + constant[:, None]  # (m, n, c)
        return torch.logsumexp(self.logits.log_softmax(-1) - 0.5 * distances, -1)


class ClippedAffine(Transform):
    """``x -> (x - shift) * exp(-log_scale)``, the log-scale clipped to [-5, 3] as in TensorFlow Probability.

    Parameters
    ----------
    shift, log_scale
        Of the same shape as ``x``.
    """

    domain = torch.distributions.constraints.real
    codomain = torch.distributions.constraints.real
    bijective = True
    sign = +1

    def __init__(self, shift: Tensor, log_scale: Tensor, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.shift, self.log_scale = shift, log_scale.clamp(-5, 3)

    def _call(self, x: Tensor) -> Tensor:
        return (x - self.shift) * (-self.log_scale).exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y * self.log_scale.exp() + self.shift

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the logarithm of the slope."""
        return -self.log_scale.expand(x.shape)


def autoregressive_flow(n_features: int, flows: int, hidden: tuple[int, ...]) -> zuko.lazy.Flow:
    """Return masked autoregressive flows over a standard normal, each in a random order of the features.

    References
    ----------
    Papamakarios, Pavlakou & Murray (2017). Masked autoregressive flow for density estimation. NeurIPS.
    """
    return zuko.flows.MAF(
        n_features,
        transforms=flows,
        randperm=True,
        hidden_features=hidden,
        univariate=ClippedAffine,
        shapes=((), ()),
    )


class FlowPrior(nn.Module):
    """Masked autoregressive flows; the library has no batch of them, so members take turns.

    Parameters
    ----------
    members, latent
        How many priors, and over how many numbers.
    flows, hidden
        See :func:`autoregressive_flow`.
    """

    def __init__(self, members: int, latent: int, flows: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.flows = nn.ModuleList(autoregressive_flow(latent, flows, hidden) for _ in range(members))

    def log_prob(self, codes: Tensor) -> Tensor:
        """Return the log-density."""
        return torch.stack([flow().log_prob(member) for flow, member in zip(self.flows, codes, strict=True)])
