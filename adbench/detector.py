"""What a detector is: protocols only, nothing to inherit from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Scores = NDArray[np.float64] | Mapping[str, NDArray[np.float64]]


@runtime_checkable
class Detector(Protocol):
    """An anomaly detector: usually a plain dataclass whose fields are its hyperparameters.

    The constructor only stores; learned state ends in ``_`` and is set in ``fit``; randomness comes
    only from ``seed``. A detector whose spec says ``supervision="labels"`` has ``fit(X, y, *, seed)``.
    """

    def fit(self, X: Floats, *, seed: int) -> Any:
        """Learn from training rows.

        Parameters
        ----------
        X : ndarray
            Images float32 ``(n_samples, height, width, channels)`` in [0, 1], or rows
            ``(n_samples, n_features)``: float64, standardised by the task; flattened images float32.
        seed : int
            In [0, 2**31), the only source of randomness.

        Returns
        -------
        self
        """
        ...

    def score(self, X: Floats) -> Scores:
        """Return the anomaly score of each row: higher is more anomalous.

        Returns
        -------
        ndarray of shape (n_samples,), or a mapping from score name to such arrays
            All finite. With a mapping, its keys are the spec's ``scores``.
        """
        ...


@runtime_checkable
class HasTrainScores(Protocol):
    """Scores of the training rows that do not count a row as its own neighbour."""

    def train_scores(self) -> Scores:
        """Return the training rows' scores, in the form and order ``score`` would give them."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """A detector that rebuilds its input."""

    def reconstruct(self, X: Floats) -> Floats:
        """Return what the detector makes of ``X``, in the same shape."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """A detector with a latent space."""

    def embed(self, X: Floats) -> Floats:
        """Return latent vectors, shape ``(n_samples, n_latent)``."""
        ...


@runtime_checkable
class HasInputGradient(Protocol):
    """A detector whose headline score can be differentiated by its input."""

    def input_gradient(self, X: Floats) -> Floats:
        """Return the gradient of the headline score by ``X``, in ``X``'s shape."""
        ...


@runtime_checkable
class CountsParameters(Protocol):
    """A detector whose size is the number of its parameters: the cost page shows it."""

    def n_parameters(self) -> int | None:
        """Return how many numbers its training set, over all networks; None where it has no such number."""
        ...


@runtime_checkable
class Saves(Protocol):
    """A detector that can be written and read again, without pickle: ``--model-dir`` keeps it."""

    def save(self, path: Path) -> None:
        """Write the fitted state into ``path``, an empty folder, as plain files; nothing else is kept."""
        ...

    def load(self, path: Path) -> Any:
        """Read the state written by ``save`` and return self.

        It is called on a new detector with the same hyperparameters, which must then give what the
        fitted one gave, by every method that it has. The folder is gone later: nothing in it may be
        read after ``load`` has returned.
        """
        ...
