"""What the detectors of this package share: fitting, scoring, and keeping what was learnt."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from adbench import PluginError, UsageError, check_rows
from adbench_keras_autoencoders.backend import keras, on_device
from adbench_keras_autoencoders.training import evaluate, freeze

_WEIGHTS, _LEARNT = "network.weights.h5", "learnt.json"


@dataclass
class Autoencoder:
    """A network that learns to rebuild images; a subclass says which, how it is trained, and what it scores.

    Parameters
    ----------
    epochs
        Passes over the training rows.
    batch_size
        Rows per step of the optimizer.
    device
        ``auto`` (a GPU if Keras sees one), ``cpu`` or ``cuda``.
    """

    epochs: int = 10
    batch_size: int = 64
    device: str = "auto"

    least_rows: ClassVar[int] = 1
    learnt: ClassVar[tuple[str, ...]] = ("shape_",)
    """Attributes beside the weights that ``save`` writes: plain values or lists of numbers."""

    def __post_init__(self):
        if self.epochs < 0:
            raise UsageError(f"'epochs' must be 0 or more; got {self.epochs}")
        if self.batch_size < 1:
            raise UsageError(f"'batch_size' must be 1 or more; got {self.batch_size}")

    def make_network(self, rng):
        """Return the untrained network for images of ``self.shape_``, initialised from ``rng``."""
        raise NotImplementedError

    def learn(self, X, rng):
        """Make ``self.network_``, train it, and set whatever else ``learnt`` names."""
        raise NotImplementedError

    def measure(self, images):
        """Return each row's scores by name, as tensors, for a batch of images as a tensor."""
        raise NotImplementedError

    def fit(self, X, *, seed):
        """Train on the rows.

        Raises
        ------
        PluginError
            Rows that are no images, too few of them, NaN or infinite values.
        """
        if X.ndim != 4:
            raise PluginError(f"images (n_samples, height, width, channels) are needed; got an array {X.shape}")
        check_rows(X, at_least=self.least_rows)
        self.shape_ = X.shape[1:]
        with on_device(self.device):
            self.learn(X, np.random.default_rng(seed))
        return self

    def score(self, X):
        """Return the scores by name; the classes say what they are."""
        return {name: scores.astype(np.float64) for name, scores in self._evaluate(self.measure, X).items()}

    def rebuild(self, images):
        """Return the reconstructions of a batch."""
        return self.network_.whole(images, training=False)

    def encode(self, images):
        """Return the codes of a batch."""
        return self.network_.encode(images, training=False)

    def reconstruct(self, X):
        """Return the reconstructions, in the shape of ``X``."""
        return self._evaluate(self.rebuild, X)

    def embed(self, X):
        """Return the codes, flattened: shape ``(n_samples, n_latent)``."""
        return self._evaluate(self.encode, X).reshape(len(X), -1)

    def n_parameters(self):
        """Return how many weights the network has."""
        return self.network_.whole.count_params()

    def save(self, path):
        """Write the weights, and the rest of what was learnt as JSON, into the folder ``path``."""
        Path(path).mkdir(parents=True, exist_ok=True)
        with on_device(self.device):
            self.network_.whole.save_weights(Path(path, _WEIGHTS))
        learnt = {name: np.asarray(getattr(self, name)).tolist() for name in self.learnt}
        Path(path, _LEARNT).write_text(json.dumps(learnt), encoding="utf-8")

    def load(self, path):
        """Read what ``save`` wrote, under any Keras backend; the hyperparameters must be the same.

        Raises
        ------
        PluginError
            If a file is missing, damaged or of another network.
        """
        try:
            learnt = json.loads(Path(path, _LEARNT).read_text(encoding="utf-8"))
            for name in self.learnt:
                setattr(self, name, tuple(learnt[name]) if name == "shape_" else learnt[name])
            with on_device(self.device), warnings.catch_warnings():
                # Keras only warns where the file lacks layers, and leaves them with their initial weights.
                warnings.simplefilter("error", UserWarning)
                self.network_ = self.make_network(np.random.default_rng(0))
                self.network_.whole.load_weights(Path(path, _WEIGHTS))
        except (KeyError, OSError, TypeError, UserWarning, ValueError) as error:
            told = " ".join(str(error).split())[:200]
            raise PluginError(
                f"expected a network that was saved with the same hyperparameters; found {told}"
            ) from error
        freeze(self.network_.whole)
        return self

    def _evaluate(self, function, X):
        check_rows(X, like=self.shape_, at_least=0)
        with on_device(self.device):
            return evaluate(function, X)


def adam(learning_rate=1e-3):
    """Return Adam at Keras' default rate."""
    return keras.optimizers.Adam(learning_rate)
