from dataclasses import dataclass

import numpy as np


@dataclass
class Distance:
    power: float = 1.0

    def fit(self, X, *, seed):
        self.mean_ = X.mean(axis=0)
        return self

    def score(self, X):
        return np.linalg.norm(X - self.mean_, axis=1) ** self.power

    def n_parameters(self):
        return len(self.mean_)


@dataclass
class Noise:
    def fit(self, X, *, seed):
        self.seed_ = seed
        return self

    def score(self, X):
        return np.random.default_rng(self.seed_).random(len(X))
