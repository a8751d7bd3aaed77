"""What a page needs beside scores: extreme rows with reconstructions, and embeddings in two dimensions.

All of it is optional: a detector that fails here is still ``ok``, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.detector import Embeds, Reconstructs

EXTREMES = 8
EMBEDDED = 500

Test = Mapping[str, Any]
TestScores = Mapping[str, Mapping[str, NDArray[Any]]]


def gather(
    into: dict[str, NDArray[Any]],
    detector: Any,
    scores: TestScores,
    rows: Callable[[Test], NDArray[Any]],
    tests: Iterable[Test],
) -> list[str]:
    """Add ``extreme/...`` and ``embedding/...`` arrays of each test set and return notes on what failed.

    Parameters
    ----------
    into
        Takes the arrays.
    detector
        Fitted.
    scores
        Test set -> score name -> scores; the first score is the headline.
    rows
        Returns a test set's rows as the detector takes them.
    tests
        The facts of those that were scored.
    """
    notes = []
    for test in tests:
        X = rows(test)
        headline = next(iter(scores[test["name"]].values()))
        for gatherer in (_extremes, _embedding):
            try:
                found = gatherer(detector, X, headline)
            except Exception as error:  # noqa: BLE001 - see the module's first lines
                notes.append(f"{gatherer.__name__[1:]} of {test['name']!r}: {type(error).__name__}: {error}")
            else:
                into |= {f"{part}/{test['name']}/{name}": array for (part, name), array in found.items()}
    return notes


def _extremes(detector: Any, X: NDArray[Any], scores: NDArray[Any]) -> dict[tuple[str, str], NDArray[Any]]:
    """Return the least and the most anomalous rows, in rising order of score."""
    order = np.argsort(scores, kind="stable")
    index = order if len(order) <= 2 * EXTREMES else np.concatenate([order[:EXTREMES], order[-EXTREMES:]])
    found = {("extreme", "index"): index, ("extreme", "X"): X[index].astype(np.float32)}
    if isinstance(detector, Reconstructs):
        found["extreme", "reconstruction"] = np.asarray(detector.reconstruct(X[index]), np.float32)
    return found


def _embedding(detector: Any, X: NDArray[Any], scores: NDArray[Any]) -> dict[tuple[str, str], NDArray[Any]]:
    """Return at most 500 rows' embeddings, on their first two principal axes."""
    if not isinstance(detector, Embeds):
        return {}
    index = np.unique(np.linspace(0, len(X) - 1, EMBEDDED).astype(int))
    vectors = np.asarray(detector.embed(X[index]), np.float64)
    _, _, axes = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    return {("embedding", "index"): index, ("embedding", "xy"): (vectors @ axes[:2].T).astype(np.float32)}
