"""Floors: trivial scores that a detector has to beat before its number means anything."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

import numpy as np

from adbench import check_rows


@dataclass
class RandomScores:
    """Give each row a uniform number in [0, 1) that depends on the row and the seed alone."""

    def fit(self, X, *, seed):
        """Keep the seed; the rows are only checked."""
        check_rows(X)
        self.shape_ = X.shape[1:]
        self.key_ = seed.to_bytes(8, "little")
        return self

    def score(self, X):
        """Return the row's keyed hash as a number, so that neither order nor batch matters."""
        check_rows(X, self.shape_)
        digests = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8, key=self.key_).digest() for row in X)
        # 53 bits are what a float64 holds exactly.
        return (np.frombuffer(digests, dtype="<u8") >> np.uint64(11)) * 2.0**-53


@dataclass
class ConstantScores:
    """Give every row the score 0."""

    def fit(self, X, *, seed):
        """Learn nothing but the shape of a row."""
        check_rows(X)
        self.shape_ = X.shape[1:]
        return self

    def score(self, X):
        """Return zeros."""
        check_rows(X, self.shape_)
        return np.zeros(len(X))


@dataclass
class MeanDistance:
    """Score by the Euclidean distance to the mean of the training rows."""

    def fit(self, X, *, seed):
        """Take the mean."""
        check_rows(X)
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        return self

    def score(self, X):
        """Return distances, in the unit of the features."""
        check_rows(X, self.mean_.shape)
        return np.linalg.norm((X - self.mean_).reshape(len(X), -1), axis=1)


@dataclass
class PixelEnergy:
    """Score an image by its mean squared intensity.

    An autoencoder that collapsed to black output scores exactly this, and by it alone MNIST
    against Fashion-MNIST comes to an AUROC of about .8: a network below it has learnt nothing.
    """

    def fit(self, X, *, seed):
        """Learn nothing but the shape of an image."""
        check_rows(X)
        self.shape_ = X.shape[1:]
        return self

    def score(self, X):
        """Return the mean of the squared pixels."""
        check_rows(X, self.shape_)
        return np.square(X, dtype=np.float64).mean(axis=(1, 2, 3))


@dataclass
class ImageComplexity:
    """Score an image by how many bits lossless compression needs for each of its numbers.

    The likelihood that a deep generative model gives to an image follows its complexity closely,
    whatever the image shows: a likelihood that is not above this floor has learnt nothing else. The
    sign was fixed beforehand: more complex is more anomalous.

    References
    ----------
    Serrà, Álvarez, Gómez, Slizovskaia, Núñez & Luque (2020). Input complexity and
    out-of-distribution detection with likelihood-based generative models. ICLR, section 3: the
    length of the PNG file in bits per dimension. Here without the file's header: PNG's filter (the
    Paeth predictor for every line) and its compression (deflate, level 9).
    """

    def fit(self, X, *, seed):
        """Learn nothing but the shape of an image."""
        check_rows(X)
        self.shape_ = X.shape[1:]
        return self

    def score(self, X):
        """Return bits a number, of images rounded to 256 levels; equal lengths tie."""
        check_rows(X, self.shape_)
        filtered = _paeth_filtered(np.rint(np.clip(X, 0, 1) * 255).astype(np.uint8))
        lengths = [len(zlib.compress(image.tobytes(), level=9)) for image in filtered]
        return 8.0 * np.array(lengths) / X[0].size


def _paeth_filtered(images):
    """Replace each value by its difference (mod 256) from the nearest of left, above and upper left to their plane.

    PNG specification (third edition), section 9.4; outside the image all values are 0.
    """
    padded = np.pad(images.astype(np.int16), ((0, 0), (1, 0), (1, 0), (0, 0)))
    left, above, corner = padded[:, 1:, :-1], padded[:, :-1, 1:], padded[:, :-1, :-1]
    plane = left + above - corner
    to_left, to_above, to_corner = abs(plane - left), abs(plane - above), abs(plane - corner)
    nearest = np.where(to_above <= to_corner, above, corner)
    nearest = np.where((to_left <= to_above) & (to_left <= to_corner), left, nearest)
    return (images - nearest).astype(np.uint8)  # mod 256
