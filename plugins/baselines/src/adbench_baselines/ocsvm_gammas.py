"""The one-class SVM over nine kernel widths: what the choice of gamma makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from adbench import check_rows
from adbench_baselines.ocsvm import libsvm

GAMMAS = {f"gamma-1e-{exponent}": 10.0**-exponent for exponent in (2, 1, 3, 4, 5, 6, 7, 8, 9)}
"""Score name -> gamma. The headline stands first: the power of ten nearest to the usual
``1 / (n_features * variance)``, which is .013 for MNIST, .010 for Fashion-MNIST and .005 for CIFAR-10."""

_BLOCK = 1000
"""Rows whose kernel is held at a time, at most 40 MB."""


@dataclass
class OneClassSVMGammas:
    """One-class SVMs with RBF kernel, one for each gamma of 1e-1, 1e-2, ... 1e-9.

    All are solved by libsvm on kernels made from one matrix of squared distances. The sign is
    scikit-learn's turned: above 0 lies what its ``predict`` calls an outlier (-1). The reference's
    published table compares "is an inlier" with "is an anomaly", so that its best gamma is the worst.

    Where gamma is so small that libsvm's tolerance is wider than the differences within the kernel (1e-7
    and below for images of 784 pixels), it stops where it starts: the score then ranks by the mean
    squared distance to the first ``nu * n`` training rows.

    Parameters
    ----------
    nu
        In (0, 1]: at most this share of the training rows lies outside. The default is the share of
        anomalies in the reference's data.
    max_rows
        Of more training rows than these, a sample by the seed is trained on: the kernel matrix takes
        8 bytes a pair. The reference trains on 4,950.

    References
    ----------
    Schölkopf, Platt, Shawe-Taylor, Smola & Williamson (2001). Estimating the support of a
    high-dimensional distribution. Neural Computation 13(7).
    LordAlucard90/Variational-AutoEncoder-For-Novelty-Detection: the sweep.
    """

    nu: float = 25 / 825
    max_rows: int = 5000

    def fit(self, X, *, seed):
        """Solve for each gamma."""
        check_rows(X)
        self.shape_ = X.shape[1:]
        self.rows_ = np.asarray(_sample(X, self.max_rows, seed), np.float64)
        distances = euclidean_distances(self.rows_, squared=True)
        kernel = np.empty_like(distances)
        self.planes_ = {}
        for name, gamma in GAMMAS.items():
            model = libsvm(seed, kernel="precomputed", nu=self.nu).fit(_rbf(distances, gamma, out=kernel))
            self.planes_[name] = model.support_, model.dual_coef_[0], float(model.intercept_[0])
        return self

    def score(self, X):
        """Return for each gamma the distance beyond the plane, positive outside."""
        check_rows(X, self.shape_)
        blocks = [self._score_block(X[start : start + _BLOCK]) for start in range(0, len(X), _BLOCK)]
        return {name: np.concatenate([block[name] for block in blocks]) for name in GAMMAS}

    def _score_block(self, X):
        distances = euclidean_distances(np.asarray(X, np.float64), self.rows_, squared=True)  # (n, n_train)
        return {
            name: -(_rbf(distances[:, support], GAMMAS[name]) @ weights + offset)
            for name, (support, weights, offset) in self.planes_.items()
        }


def _rbf(distances, gamma, out=None):
    kernel = np.multiply(distances, -gamma, out=out)
    return np.exp(kernel, out=kernel)


def _sample(X, most, seed):
    if len(X) <= most:
        return X
    return X[np.sort(np.random.default_rng(seed).choice(len(X), most, replace=False))]
