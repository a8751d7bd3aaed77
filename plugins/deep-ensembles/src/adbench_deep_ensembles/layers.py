"""Layers of an ensemble: tensors have the members in front, ``(n_members, n_rows, ...)``.

Dense members are one batched product. Convolutional members are trained in sequence, each an ensemble
of one: batching them would need grouped convolutions, which are slower on a processor.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class EnsembleLinear(nn.Module):
    """A dense layer for each member, computed as one batched matrix product.

    Parameters
    ----------
    members
        How many.
    n_in, n_out
        Width of input and output.
    """

    def __init__(self, members: int, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(members, n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(members, 1, n_out))
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)

    def forward(self, rows: Tensor) -> Tensor:  # (m, n, n_in) -> (m, n, n_out)
        """Return each member's product of its own rows."""
        return torch.baddbmm(self.bias, rows, self.weight)


def dense(members: int, *widths: int, activation: type[nn.Module] | None = None) -> nn.Sequential:
    """Return dense layers of these widths, with an activation between them, not after the last."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        if layers and activation:
            layers.append(activation())
        layers.append(EnsembleLinear(members, n_in, n_out))
    return nn.Sequential(*layers)


def conv_encoder(channels: int, side: tuple[int, int], base_depth: int, width: int, n_out: int) -> nn.Sequential:
    """Return the convolutional encoder of hschoi1/rich_latent, from images to ``n_out`` numbers.

    Parameters
    ----------
    channels, side
        Of the images: height and width are at least 25 (7 x 7 after two strides).
    base_depth
        Filters of the first layers; the later ones have twice as many.
    width
        Filters of the last layer, which takes 7 x 7 without padding.
    n_out
        Outputs of the dense layer at the end.

    Notes
    -----
    A strided layer pads the other side than Tensorflow does, in the decoder too: as a whole the
    network is the mirror image of the published one.
    """
    last = [_halved(_halved(length)) - 6 for length in side]
    return nn.Sequential(
        _leaky(nn.Conv2d(channels, base_depth, 5, padding=2)),
        _leaky(nn.Conv2d(base_depth, base_depth, 5, stride=2, padding=2)),
        _leaky(nn.Conv2d(base_depth, 2 * base_depth, 5, padding=2)),
        _leaky(nn.Conv2d(2 * base_depth, 2 * base_depth, 5, stride=2, padding=2)),
        _leaky(nn.Conv2d(2 * base_depth, width, 7)),
        nn.Flatten(),
        glorot(nn.Linear(width * last[0] * last[1], n_out)),
    )


def conv_decoder(latent: int, channels: int, side: tuple[int, int], base_depth: int) -> nn.Sequential:
    """Return the convolutional decoder of hschoi1/rich_latent: the generator of its WGAN as well.

    Parameters
    ----------
    latent
        Length of a code.
    channels, side, base_depth
        As for :func:`conv_encoder`; what sizes not divisible by 4 have too much is cut off.

    Notes
    -----
    The output is linear.
    """
    small = tuple(_halved(_halved(length)) for length in side)
    return nn.Sequential(
        nn.Unflatten(1, (latent, 1, 1)),
        _leaky(nn.ConvTranspose2d(latent, 2 * base_depth, small)),
        _leaky(nn.ConvTranspose2d(2 * base_depth, 2 * base_depth, 5, padding=2)),
        _leaky(nn.ConvTranspose2d(2 * base_depth, 2 * base_depth, 5, stride=2, padding=2, output_padding=1)),
        _leaky(nn.ConvTranspose2d(2 * base_depth, base_depth, 5, padding=2)),
        _leaky(nn.ConvTranspose2d(base_depth, base_depth, 5, stride=2, padding=2, output_padding=1)),
        _leaky(nn.ConvTranspose2d(base_depth, base_depth, 5, padding=2)),
        glorot(nn.Conv2d(base_depth, channels, 5, padding=2)),
    )


def _leaky(layer: nn.Module) -> nn.Sequential:
    return nn.Sequential(glorot(layer), nn.LeakyReLU(0.2))


def glorot(layer: nn.Module) -> nn.Module:
    """Start a layer as TensorFlow does, and return it."""
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _halved(length: int) -> int:
    return (length + 1) // 2
