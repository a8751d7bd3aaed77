"""An autoencoder whose layers are looked at: one fit, three scores."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from adbench_torch_training.settings import require
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from adbench_torch_autoencoders.detector import Autoencoder
from adbench_torch_autoencoders.networks import LayeredNetwork


@dataclass
class LayeredAutoencoder(Autoencoder):
    """Fully convolutional autoencoder with three scores.

    ``mse`` is the mean squared error of images in [-1, 1] (four times that of images in [0, 1]);
    ``latent-centroid`` the Euclidean distance to the nearest of ``k`` centroids of the training codes, and
    ``layer-minimum`` the least such distance over the first five layers, both in units of ``scaled``.

    Parameters
    ----------
    epochs, batch_size, learning_rate
        Of Adam. Published: 5 epochs for MNIST and 20 for CIFAR-10, batches of 100, 0.001.
    k
        Centroids in each layer, by k-means over training images.
    centroid_rows
        At most so many training images for k-means, drawn by the seed.
    scaled
        Whether a layer's distances are divided by their median over those training images. Published
        without: the layer with the fewest or smallest numbers then always has the least distance.

    References
    ----------
    github.com/123epsilon/AnomalyDetection. There the centroids are those of the *test* images, a batch
    of 100 images counts as one, and images of another scale are the outliers; not so here.
    """

    epochs: int = 5
    batch_size: int = 100
    learning_rate: float = 1e-3
    k: int = 5
    centroid_rows: int = 5_000
    scaled: bool = True

    score_names: ClassVar[tuple[str, ...]] = ("mse", "latent-centroid", "layer-minimum")

    rank = 4

    def __post_init__(self):
        super().__post_init__()
        require(self, k=1, centroid_rows=1)

    @property
    def rows_at_once(self):
        """Few: the first layer's distances take memory."""
        return 256

    def make_network(self, shape):
        """Return the network, its weights in the memory format of the images."""
        return LayeredNetwork(shape, self.k).to(memory_format=torch.channels_last)

    def train_network(self, X):
        """Train, then place the centroids."""
        super().train_network(X)
        chosen = np.sort(torch.randperm(len(X))[: self.centroid_rows].numpy())
        taps = self._evaluate(lambda rows: dict(enumerate(self.network_.taps(rows))), X[chosen])
        for number, tap in taps.items():
            centroids = torch.from_numpy(self._centroids(tap)).to(self.device_)
            self.network_.get_buffer(f"centroids_{number}").copy_(centroids)
        if self.scaled:
            medians = np.median(self._evaluate(self.network_.distances, X[chosen]), axis=0)
            self.network_.units.copy_(torch.from_numpy(np.where(medians > 0, medians, 1)))

    def errors(self, rows):
        """Return each image's mean squared error, in [-1, 1]."""
        return (self.network_(rows) - (2 * rows - 1)).square().flatten(1).mean(1)

    def scores_of(self, rows):
        """Return the three scores."""
        distances = self.network_.distances(rows)
        return {
            "mse": self.errors(rows),
            "latent-centroid": distances[:, LayeredNetwork.LATENT],
            "layer-minimum": distances.amin(1),
        }

    def reconstruct(self, X):
        """Return the reconstructions, in [0, 1] as far as they are good."""
        return (super().reconstruct(X) + 1) / 2

    def embed(self, X):
        """Return the flattened codes, shape ``(n_samples, n_latent)``."""
        return self._evaluate(lambda rows: self.network_.taps(rows)[LayeredNetwork.LATENT], X)

    def _centroids(self, tap):
        """Return ``k`` centroids; with fewer rows than that, some of them twice."""
        k = min(self.k, len(tap))
        with warnings.catch_warnings():
            # Where rows are equal there are fewer clusters: the rest are copies, which do no harm.
            warnings.simplefilter("ignore", ConvergenceWarning)
            seed = int(torch.randint(2**31 - 1, ()))
            found = KMeans(k, n_init=1, random_state=seed).fit(tap).cluster_centers_
        return found[np.arange(self.k) % k].astype(np.float32)
