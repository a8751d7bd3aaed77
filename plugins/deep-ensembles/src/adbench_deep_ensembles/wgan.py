"""A Wasserstein GAN as an ensemble: generators and critics of the members that train together."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adbench_deep_ensembles.layers import conv_decoder, conv_encoder, dense, glorot
from adbench_deep_ensembles.vae import PerImage


class WGAN(nn.Module):
    """Generator and critic of some members.

    Parameters
    ----------
    generator
        Noise ``(m, n, latent)`` to rows ``(m, n, ...)``; no activation at the end.
    critic
        Rows to one number each, ``(m, n, 1)``: higher for real ones.
    members, latent
        Shape of the noise.
    """

    def __init__(self, generator: nn.Module, critic: nn.Module, members: int, latent: int) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic
        self.members, self.latent = members, latent

    def generate(self, n: int) -> Tensor:
        """Return ``n`` generated rows of each member."""
        device = next(self.generator.parameters()).device
        return self.generator(torch.randn(self.members, n, self.latent, device=device))

    def judge(self, rows: Tensor) -> Tensor:  # (m, n, ...) -> (m, n)
        """Return the critics' logits."""
        return self.critic(rows)[..., 0]

    def critic_losses(self, rows: Tensor, penalty: float) -> Tensor:
        """Return ``E[D(generated)] - E[D(real)] + penalty * E[(|dD/dx| - 1)^2]``, shape ``(m,)``.

        References
        ----------
        Gulrajani et al. (2017). Improved training of Wasserstein GANs. NeurIPS, eq. (3).
        """
        generated = self.generate(rows.shape[1]).detach()
        losses = (self.judge(generated) - self.judge(rows)).mean(1)
        if penalty:
            mixed = torch.rand(self.members, rows.shape[1], *[1] * (rows.ndim - 2), device=rows.device)
            between = (mixed * rows + (1 - mixed) * generated).requires_grad_()
            (gradient,) = torch.autograd.grad(self.judge(between).sum(), between, create_graph=True)
            losses = losses + penalty * (gradient.flatten(2).norm(dim=2) - 1).square().mean(1)
        return losses

    def generator_losses(self, n: int) -> Tensor:
        """Return ``-E[D(generated)]``, shape ``(m,)``."""
        return -self.judge(self.generate(n)).mean(1)

    def classifier_losses(self, rows: Tensor) -> Tensor:
        """Return the critics' cross-entropy as classifiers of real against generated rows, shape ``(m,)``."""
        generated = self.generate(rows.shape[1]).detach()
        return (functional.softplus(-self.judge(rows)) + functional.softplus(self.judge(generated))).mean(1)


def conv_wgan(shape: tuple[int, int, int], latent: int, base_depth: int) -> WGAN:
    """Return generator and critic of hschoi1/rich_latent for images of a shape, one member."""
    height, width, channels = shape
    side = (height, width)
    encoder = conv_encoder(channels, side, base_depth, 4 * latent, latent)
    critic = nn.Sequential(encoder, glorot(nn.Linear(latent, 1)))
    generator = PerImage(conv_decoder(latent, channels, side, base_depth), side=side)
    return WGAN(generator, PerImage(critic, takes_images=True), 1, latent)


def dense_wgan(members: int, n_features: int, latent: int, hidden: tuple[int, ...]) -> WGAN:
    """Return dense generators and critics of some members."""
    generator = dense(members, latent, *hidden, n_features, activation=nn.ReLU)
    return WGAN(generator, dense(members, n_features, *hidden, 1, activation=nn.ReLU), members, latent)
