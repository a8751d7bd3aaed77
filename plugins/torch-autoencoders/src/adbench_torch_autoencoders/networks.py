"""The networks: layers only. Rows keep the shape they come in; images are channels last."""

from __future__ import annotations

from torch import nn


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


def _halved(size):
    return (size + 1) // 2
