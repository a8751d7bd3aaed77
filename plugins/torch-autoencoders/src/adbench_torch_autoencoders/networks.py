"""The networks: layers only. Rows keep the shape they come in; images are channels last."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class ConvNetwork(nn.Module):
    """Two strided convolutions to a dense code, and their mirror image.

    Parameters
    ----------
    shape
        ``(height, width, channels)`` of an image, any size.
    latent
        Numbers in the code.
    width
        Filters of the first convolution; the second has twice as many.
    """

    def __init__(self, shape, latent, width):
        super().__init__()
        self.height, self.width, channels = shape
        small = (2 * width, _halved(_halved(self.height)), _halved(_halved(self.width)))
        flat = small[0] * small[1] * small[2]
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(flat, latent),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, flat),
            nn.ReLU(),
            nn.Unflatten(1, small),
            nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 3, stride=2, padding=1, output_padding=1),
            nn.Sigmoid(),
        )

    def encode(self, images):  # (n, height, width, channels) -> (n, latent)
        """Return the codes."""
        return self.encoder(images.movedim(-1, 1))  # in torch's terms: channels_last memory format, no copy

    def forward(self, images):
        """Return the reconstructions; what sizes not divisible by 4 have too much is cut off."""
        return self.decoder(self.encode(images)).movedim(1, -1)[:, : self.height, : self.width]


class DenseNetwork(nn.Module):
    """One hidden layer to the code and one back, linear output.

    Parameters
    ----------
    n_features
        Length of a row.
    latent
        Numbers in the code; at most half of ``n_features``, or a short row would be copied.
    hidden
        Units of each hidden layer.
    """

    def __init__(self, n_features, latent, hidden):
        super().__init__()
        code = min(latent, _halved(n_features))
        self.encode = nn.Sequential(nn.Linear(n_features, hidden), nn.ReLU(), nn.Linear(hidden, code))
        self.decode = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, n_features))

    def forward(self, rows):
        """Return the reconstructions."""
        return self.decode(self.encode(rows))


class LayeredNetwork(nn.Module):
    """Six convolutional layers, two to halve and two to double the size; the first five can be tapped.

    Works on images in [-1, 1]; the output is linear. 8,513 weights for one channel, 34,595 for three.

    Parameters
    ----------
    shape
        ``(height, width, channels)`` of an image. Sides not divisible by 4 are rounded up inside.
    k
        Centroids in each tap; they, and each tap's unit, are part of the network's state.
    """

    LATENT = 2
    """The index of the tap that is the code."""

    def __init__(self, shape, k):
        super().__init__()
        self.height, self.width, channels = shape
        first, second, third = (32, 16, 8) if channels == 1 else (64, 32, 16)
        self.tapped = nn.ModuleList(
            [
                nn.Sequential(_conv(channels, first), nn.MaxPool2d(2, ceil_mode=True)),
                nn.Sequential(_conv(first, second), nn.MaxPool2d(2, ceil_mode=True)),
                nn.Sequential(_conv(second, third), _conv(third, third)),
                _conv(third, third),
                nn.Sequential(_conv(third, third), nn.Upsample(scale_factor=2)),
            ]
        )
        self.last = nn.Sequential(
            _conv(third, third), nn.Upsample(scale_factor=2), nn.Conv2d(third, channels, 3, padding=1)
        )
        with torch.no_grad():
            widths = [tap.shape[1] for tap in self.taps(torch.zeros(1, *shape))]
        for number, width in enumerate(widths):
            self.register_buffer(f"centroids_{number}", torch.zeros(k, width))
        self.register_buffer("units", torch.ones(len(widths)))

    def taps(self, images):  # (n, height, width, channels) -> five times (n, flat)
        """Return the output of each of the first five layers, flattened."""
        outputs, x = [], self._inside(images)
        for layer in self.tapped:
            x = layer(x)
            outputs.append(x.flatten(1))
        return outputs

    def forward(self, images):
        """Return the reconstructions, in [-1, 1] as far as they are good."""
        x = self._inside(images)
        for layer in self.tapped:
            x = layer(x)
        return self.last(x).movedim(1, -1)[:, : self.height, : self.width]

    def distances(self, images):  # (n, height, width, channels) -> (n, 5)
        """Return the distance to the nearest centroid in each tap, in the tap's unit."""
        nearest = [
            _distance(tap, self.get_buffer(f"centroids_{number}")) for number, tap in enumerate(self.taps(images))
        ]
        return torch.stack(nearest, dim=1) / self.units

    def _inside(self, images):
        return 2 * images.movedim(-1, 1) - 1


def _conv(n_in, n_out):
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU())


def _distance(rows, centroids):
    """Return the Euclidean distance to the nearest centroid; by differences, since a product would lose digits."""
    return functional.pairwise_distance(rows[:, None], centroids[None], eps=0).amin(1)


def _halved(size):
    return (size + 1) // 2
