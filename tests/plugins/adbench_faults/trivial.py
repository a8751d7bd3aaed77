import numpy as np


class MeanDistance:
    """Imports nothing that a host does not have: what is left is the harness's own time."""

    def fit(self, X, *, seed):
        self.mean_ = X.mean(axis=0)
        return self

    def score(self, X):
        return np.linalg.norm(X - self.mean_, axis=1)
