"""The data and the watched first use of a detector that its checks share."""

from __future__ import annotations

import contextlib
import copy
import io
import random
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.execution.host import resolve
from adbench.specs import DetectorSpec

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]
SEED = 7
_N_TRAIN, _N_TEST, _N_FAR = 200, 40, 8
_N_TRAIN_IMAGES = 60
"""Of the second kind of images: only whether they can be used is asked, and deep detectors take seconds."""


@dataclass
class Used:
    """What was seen when a detector was made, fitted and asked for scores the first time.

    Parameters
    ----------
    detector
        Fitted; only to be scored with, which must not change it.
    scores
        Of the case's test rows, by name.
    printed
        To standard output and error.
    altered
        What should have been left alone: ``X``, ``y`` or ``test`` of the caller, global random streams,
        hyperparameters.
    learnt_at_once
        Attributes ending in ``_`` that were there before ``fit``.
    """

    detector: Any
    scores: dict[str, Floats] = field(default_factory=dict)
    printed: str = ""
    altered: set[str] = field(default_factory=set)
    learnt_at_once: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A detector and small data it accepts.

    Parameters
    ----------
    spec
        What is checked.
    X
        Training rows: a crowd.
    test
        More rows of the crowd, then ``n_far`` rows far from it.
    n_far
        How many.
    y
        Labels for detectors that learn from them, else None.
    """

    spec: DetectorSpec
    X: Floats
    test: Floats
    n_far: int = _N_FAR
    y: Labels | None = None

    def make(self) -> Any:
        """Return a new detector with its quick settings."""
        return resolve(self.spec.target)(**self.spec.params.get("quick", {}))

    def fitted(self, X: Floats | None = None, y: Labels | None = None) -> Any:
        """Return a new detector, fitted on copies of the case's rows or of others."""
        detector = self.make()
        rows, labels = (self.X, self.y) if X is None else (X, y)
        detector.fit(rows.copy(), *([] if labels is None else [labels.copy()]), seed=SEED)
        return detector

    @cached_property
    def used(self) -> Used:
        """One fitting under observation, shared by all checks that need a fitted detector."""
        resolve(self.spec.target)  # before the random streams are noted: importing torch brings another
        streams, out = _random_states(), io.StringIO()
        X, test = self.X.copy(), self.test.copy()
        labels = [] if self.y is None else [self.y.copy()]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            used = Used(self.make())
            before = copy.deepcopy(_hyperparameters(used.detector))
            used.learnt_at_once = [name for name in vars(used.detector) if name.endswith("_")]
            used.detector.fit(X, *labels, seed=SEED)
            used.scores = {name: scores.copy() for name, scores in self.named(used.detector.score(test)).items()}
        used.printed = out.getvalue()
        left_alone = {
            "X": np.array_equal(X, self.X),
            "y": self.y is None or np.array_equal(labels[0], self.y),
            "test": np.array_equal(test, self.test),
            "hyperparameters": _hyperparameters(used.detector) == before,
        }
        left_alone |= {name: state == streams.get(name, state) for name, state in _random_states().items()}
        used.altered = {name for name, was_left in left_alone.items() if not was_left}
        return used

    def scores(self, detector: Any, X: Floats) -> dict[str, Floats]:
        """Return scores by name."""
        return self.named(detector.score(X.copy()))

    def named(self, raw: Any) -> dict[str, Floats]:
        """Return what ``score`` or ``train_scores`` gave, by score name."""
        by_name = dict(raw) if isinstance(raw, Mapping) else {self.spec.scores[0]: raw}
        return {name: np.asarray(scores) for name, scores in by_name.items()}

    def assert_scores(self, scores: Mapping[str, Floats], n_samples: int) -> None:
        """Raise AssertionError unless these are all declared scores: a finite real number for each row."""
        assert tuple(scores) == self.spec.scores, f"scores {tuple(scores)}, declared {self.spec.scores}"
        for name, values in scores.items():
            assert values.shape == (n_samples,), f"{name}: shape {values.shape}, expected ({n_samples},)"
            assert values.dtype.kind == "f", f"{name}: dtype {values.dtype}, expected floating point"
            assert np.isfinite(values).all(), f"{name}: holds NaN or infinite values"


def case_for(spec: DetectorSpec) -> Case:
    """Return small data that the detector accepts: a table if it takes tables, else grey images."""
    rng = np.random.default_rng(20)
    if "vector" not in spec.accepts:
        return _case(spec, *_images(rng, 28, 1))
    centre = rng.normal(size=6)
    crowd = rng.normal(centre, (0.5, 1.0, 1.5, 1.0, 0.7, 1.2), size=(_N_TRAIN + _N_TEST, 6))
    return _case(spec, crowd, centre + rng.choice([-1, 1], size=(_N_FAR, 6)) * 12.0)


def image_case_for(spec: DetectorSpec) -> Case:
    """Return colour images; for a detector that takes vectors only, grey ones as the harness flattens them."""
    rng = np.random.default_rng(21)
    if "image" in spec.accepts:
        return _case(spec, *_images(rng, 32, 3), n_train=_N_TRAIN_IMAGES)
    crowd, far = _images(rng, 28, 1)
    return _case(spec, crowd.reshape(len(crowd), -1), far.reshape(len(far), -1), n_train=_N_TRAIN_IMAGES)


def _case(spec: DetectorSpec, crowd: Floats, far: Floats, n_train: int = _N_TRAIN) -> Case:
    X, rest = crowd[:n_train], crowd[-_N_TEST:]
    test = np.concatenate([rest, far])
    if spec.supervision == "none":
        return Case(spec, X, test)
    y = np.r_[np.zeros(len(X), np.int64), np.ones(len(far), np.int64)]
    return Case(spec, np.concatenate([X, far]), test, y=y)


def _images(rng: np.random.Generator, size: int, channels: int) -> tuple[Floats, Floats]:
    """Return smooth blobs near the centre, and images of black and white noise.

    Black and white, since a network that has had few steps still answers with grey: to it, grey noise
    would be the most ordinary image. The sign of a score can be told from such a network too.
    """
    n_crowd = _N_TRAIN + _N_TEST
    grid = np.linspace(-1, 1, size)
    at = rng.normal(0, 0.15, size=(n_crowd, 2, 1, 1))
    distance = (grid[:, None] - at[:, 0]) ** 2 + (grid[None, :] - at[:, 1]) ** 2
    colours = rng.uniform(0.5, 1, size=(n_crowd, 1, 1, channels)) if channels > 1 else 1.0
    blobs = (np.exp(-distance / 0.1)[..., None] * colours).astype(np.float32)
    return blobs, rng.integers(0, 2, size=(_N_FAR, size, size, channels)).astype(np.float32)


def _hyperparameters(detector: Any) -> dict[str, Any]:
    return asdict(detector) if hasattr(detector, "__dataclass_fields__") else {}


def _random_states() -> dict[str, Any]:
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - the global stream is what is checked
    states: dict[str, Any] = {"random": random.getstate(), "numpy.random": (name, np.asarray(keys).tolist(), rest)}
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].random.get_rng_state().tolist()
    return states
