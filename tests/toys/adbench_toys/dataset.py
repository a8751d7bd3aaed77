from dataclasses import dataclass

import numpy as np

from adbench import DataMissing, Found, Split, TestSet, UsageError


@dataclass
class Table:
    is_here: bool = True

    def locate(self, finder):
        if not self.is_here:
            raise DataMissing("toy-nowhere is nowhere; look elsewhere")
        return Found(variant="toy", note="Made up.")

    def load(self, found):
        y = np.r_[np.zeros(160, int), np.ones(20, int)]
        return {"X": np.random.default_rng(0).normal(y[:, None] * 3, 1, size=(180, 3)), "y": y}

    def split(self, arrays, *, seed, repetition, n_train: int = 80):
        if not 0 < n_train < 160:
            raise UsageError(f"'n_train' must be from 1 to 159; got {n_train}")
        X, y = np.array(arrays["X"]), arrays["y"]
        order = np.random.default_rng(seed).permutation(160)
        test = np.r_[order[n_train:], np.flatnonzero(y)]
        return Split(X[order[:n_train]], order[:n_train], {"test": TestSet(X[test], y[test], test)})
