"""Floors: trivial scores that a detector has to beat before its number means anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass
class RandomScores:
    """Give each row a uniform number in [0, 1) that depends on the row and the seed alone."""

    def fit(self, X, *, seed):
        """Keep the seed; the rows are not looked at."""
        self.key_ = seed.to_bytes(8, "little")
        return self

    def score(self, X):
        """Return the row's keyed hash as a number, so that neither order nor batch matters."""
        digests = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8, key=self.key_).digest() for row in X)
        # 53 bits are what a float64 holds exactly.
        return (np.frombuffer(digests, dtype="<u8") >> np.uint64(11)) * 2.0**-53


@dataclass
class ConstantScores:
    """Give every row the score 0."""

    def fit(self, X, *, seed):
        """Learn nothing."""
        return self

    def score(self, X):
        """Return zeros."""
        return np.zeros(len(X))


@dataclass
class MeanDistance:
    """Score by the Euclidean distance to the mean of the training rows."""

    def fit(self, X, *, seed):
        """Take the mean."""
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        return self

    def score(self, X):
        """Return distances, in the unit of the features."""
        return np.linalg.norm((X - self.mean_).reshape(len(X), -1), axis=1)


@dataclass
class PixelEnergy:
    """Score an image by its mean squared intensity.

    An autoencoder that collapsed to black output scores exactly this, and by it alone MNIST
    against Fashion-MNIST comes to an AUROC of about .8: a network below it has learnt nothing.
    """

    def fit(self, X, *, seed):
        """Learn nothing."""
        return self

    def score(self, X):
        """Return the mean of the squared pixels."""
        return np.square(X, dtype=np.float64).mean(axis=(1, 2, 3))
