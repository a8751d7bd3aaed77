"""Checks that every detector must pass, for a plugin's own tests.

Each check is a function of a :class:`Case`; what it claims is the first line of its docstring.
"""

from __future__ import annotations

import contextlib
import copy
import io
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.detector import HasInputGradient, HasTrainScores, Reconstructs, Saves
from adbench.execution.host import resolve
from adbench.specs import DetectorSpec
from adbench.testing.marking import marked

Floats = NDArray[np.floating[Any]]
SEED = 7
_TOLERANCE = 1e-4
"""Relative: float32 sums differ with the number of rows that are multiplied at a time."""


@dataclass(frozen=True)
class Case:
    """A detector and small data it accepts.

    Parameters
    ----------
    spec
        What is checked.
    X
        Training rows: a crowd.
    y
        Labels for detectors that learn from them, else None.
    test
        More rows of the crowd, then ``n_far`` rows far from it.
    n_far
        How many.
    """

    spec: DetectorSpec
    X: Floats
    test: Floats
    n_far: int
    y: NDArray[np.int64] | None = None

    def make(self) -> Any:
        """Return a new detector with its quick settings."""
        return resolve(self.spec.target)(**self.spec.params.get("quick", {}))

    def fitted(self, seed: int = SEED) -> Any:
        """Return a new detector, fitted."""
        detector = self.make()
        labels = [] if self.y is None else [self.y.copy()]
        detector.fit(self.X.copy(), *labels, seed=seed)
        return detector

    def scores(self, detector: Any, X: Floats) -> dict[str, Floats]:
        """Return scores by name."""
        return self.named(detector.score(X.copy()))

    def named(self, raw: Any) -> dict[str, Floats]:
        """Return what ``score`` or ``train_scores`` gave, by score name."""
        by_name = dict(raw) if isinstance(raw, Mapping) else {self.spec.scores[0]: raw}
        return {name: np.asarray(scores) for name, scores in by_name.items()}


@dataclass(frozen=True)
class Check:
    """One check of one detector; call it. Its text is its test's name."""

    function: Callable[[Case], None]
    spec: DetectorSpec

    def __call__(self) -> None:
        """Raise AssertionError if the detector breaks the rule."""
        self.function(case_for(self.spec))

    def __str__(self) -> str:
        return f"{self.spec.name}-{self.function.__name__.removeprefix('check_')}"


def detector_checks(*specs: DetectorSpec, known: Mapping[str, str] | None = None) -> list[Any]:
    """Return all checks of some detectors, for ``pytest.mark.parametrize``.

    Parameters
    ----------
    *specs
        The detectors.
    known
        Test name (``DETECTOR-CHECK``) -> why it cannot be met; it must then fail.

    Returns
    -------
    list
        Callables without arguments; those in ``known`` are marked as expected failures.
    """
    return marked((Check(function, spec) for spec in specs for function in CHECKS), known)


def case_for(spec: DetectorSpec) -> Case:
    """Return small data that the detector accepts."""
    rng = np.random.default_rng(20)
    crowd: Floats
    far: Floats
    if "vector" in spec.accepts:
        centre = rng.normal(size=6)
        crowd = rng.normal(centre, (0.5, 1.0, 1.5, 1.0, 0.7, 1.2), size=(240, 6))
        far = centre + rng.choice([-1, 1], size=(8, 6)) * 12.0
    else:
        crowd, far = _images(rng)
    X, rest = crowd[:200], crowd[200:]
    if spec.supervision == "none":
        return Case(spec, X, np.concatenate([rest, far]), len(far))
    y = np.r_[np.zeros(len(X), np.int64), np.ones(len(far), np.int64)]
    return Case(spec, np.concatenate([X, far]), np.concatenate([rest, far]), len(far), y)


def _images(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return smooth blobs near the centre, and images of noise."""
    grid = np.linspace(-1, 1, 28)
    at = rng.normal(0, 0.15, size=(240, 2, 1, 1))
    distance = (grid[:, None] - at[:, 0]) ** 2 + (grid[None, :] - at[:, 1]) ** 2
    blobs = np.exp(-distance / 0.1)[..., None].astype(np.float32)
    return blobs, rng.random((8, 28, 28, 1), dtype=np.float32)


def check_shape(case: Case) -> None:
    """Every declared score has one finite real number a row."""
    detector = case.fitted()
    for name, scores in _all_scores(case, detector):
        assert scores.shape == (len(case.test),), f"{name}: shape {scores.shape}, expected ({len(case.test)},)"
        assert scores.dtype.kind == "f", f"{name}: dtype {scores.dtype}, expected floating point"
        assert np.isfinite(scores).all(), f"{name}: holds NaN or infinite values"


def check_sign(case: Case) -> None:
    """Rows far from the crowd score above it (floors may not care)."""
    if case.spec.role == "floor":
        return
    headline = case.scores(case.fitted(), case.test)[case.spec.scores[0]]
    crowd, far = headline[: -case.n_far], headline[-case.n_far :]
    above = float((far[:, None] > crowd[None, :]).mean())
    assert above > 0.9, f"only {above:.0%} of far rows above the crowd: is the sign right? Higher = more anomalous"


def check_seed(case: Case) -> None:
    """The same seed gives the same scores."""
    first, second = (case.scores(case.fitted(), case.test) for _ in range(2))
    for name, scores in first.items():
        assert np.array_equal(scores, second[name]), f"{name}: two fits with one seed differ"


def check_batch(case: Case) -> None:
    """A row's score does not depend on the rows scored with it."""
    detector = case.fitted()
    whole = case.scores(detector, case.test)
    parts = [case.scores(detector, case.test[i : i + 1]) for i in range(len(case.test))]
    for name, scores in whole.items():
        alone = np.concatenate([part[name] for part in parts])
        assert _close(scores, alone), f"{name}: rows scored alone differ from rows scored together"


def check_state(case: Case) -> None:
    """Scoring changes nothing: a second call gives the same scores."""
    detector = case.fitted()
    first = {name: scores.copy() for name, scores in case.scores(detector, case.test).items()}
    case.scores(detector, case.X)
    for name, scores in case.scores(detector, case.test).items():
        assert np.array_equal(scores, first[name]), f"{name}: the second call differs from the first"


def check_input(case: Case) -> None:
    """The rows given to ``fit`` and ``score`` are left as they were."""
    X, test = case.X.copy(), case.test.copy()
    labels = [] if case.y is None else [case.y.copy()]
    detector = case.make()
    detector.fit(X, *labels, seed=SEED)
    detector.score(test)
    assert np.array_equal(X, case.X), "fit changed its X"
    assert np.array_equal(test, case.test), "score changed its X"


def check_global_random_state(case: Case) -> None:
    """Python's, NumPy's and torch's global random streams are left as they were."""
    before = _random_states()
    case.scores(case.fitted(), case.test)
    after = _random_states()
    for name, state in before.items():
        assert state == after[name], f"the global random state of {name} was changed; draw from the seed alone"


def check_silence(case: Case) -> None:
    """Nothing is printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        case.scores(case.fitted(), case.test)
    printed = out.getvalue() + err.getvalue()
    assert not printed, f"printed {printed[:80]!r}; use adbench.log and adbench.track"


def check_hyperparameters(case: Case) -> None:
    """The constructor only stores, and fitting leaves hyperparameters as they were."""
    detector: Any = case.make()
    if not hasattr(detector, "__dataclass_fields__"):
        return
    before = copy.deepcopy(_hyperparameters(detector))
    assert not [name for name in vars(detector) if name.endswith("_")], "the constructor must only store"
    labels = [] if case.y is None else [case.y]
    detector.fit(case.X.copy(), *labels, seed=SEED)
    assert _hyperparameters(detector) == before, "fit changed a hyperparameter"


def check_train_scores(case: Case) -> None:
    """``train_scores``, where it exists, has one number a training row."""
    detector = case.fitted()
    if isinstance(detector, HasTrainScores):
        for name, scores in case.named(detector.train_scores()).items():
            assert scores.shape == (len(case.X),), f"{name}: shape {scores.shape}, expected ({len(case.X)},)"


def check_reconstruction(case: Case) -> None:
    """``reconstruct``, where it exists, gives finite values in the input's shape."""
    detector = case.fitted()
    if isinstance(detector, Reconstructs):
        made = np.asarray(detector.reconstruct(case.test.copy()))
        assert made.shape == case.test.shape, f"shape {made.shape}, expected {case.test.shape}"
        assert np.isfinite(made).all(), "holds NaN or infinite values"


def check_input_gradient(case: Case) -> None:
    """``input_gradient``, where it exists, points to where the headline score rises."""
    detector = case.fitted()
    if not isinstance(detector, HasInputGradient):
        return
    gradient = np.asarray(detector.input_gradient(case.test.copy()))
    assert gradient.shape == case.test.shape, f"shape {gradient.shape}, expected {case.test.shape}"
    assert np.isfinite(gradient).all(), "holds NaN or infinite values"
    step = 1e-3 * np.sign(gradient)
    headline = case.spec.scores[0]
    down, up = (case.scores(detector, (case.test + sign * step).astype(case.test.dtype))[headline] for sign in (-1, 1))
    risen = float((up > down).mean())
    assert risen > 0.9, f"only {risen:.0%} of rows score higher a small step along the gradient than against it"


def check_saving(case: Case) -> None:
    """``save`` and ``load``, where they exist, give a detector with the same scores."""
    detector = case.fitted()
    if isinstance(detector, Saves):
        with tempfile.TemporaryDirectory() as folder:
            detector.save(Path(folder))
            loaded = case.make().load(Path(folder))
        for name, scores in case.scores(detector, case.test).items():
            assert _close(scores, case.scores(loaded, case.test)[name]), f"{name}: differs after loading"


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_shape,
    check_sign,
    check_seed,
    check_batch,
    check_state,
    check_input,
    check_global_random_state,
    check_silence,
    check_hyperparameters,
    check_train_scores,
    check_reconstruction,
    check_input_gradient,
    check_saving,
)


def _all_scores(case: Case, detector: Any) -> list[tuple[str, Floats]]:
    by_name = case.scores(detector, case.test)
    assert tuple(by_name) == case.spec.scores, f"scores {tuple(by_name)}, declared {case.spec.scores}"
    return list(by_name.items())


def _hyperparameters(detector: Any) -> dict[str, Any]:
    return asdict(detector)


def _close(a: Floats, b: Floats) -> bool:
    scale = max(float(np.abs(a).max()), 1e-12)
    return bool(np.abs(a - b).max() <= _TOLERANCE * scale)


def _random_states() -> dict[str, Any]:
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - the global stream is what is checked
    states: dict[str, Any] = {"random": random.getstate(), "numpy.random": (name, np.asarray(keys).tolist(), rest)}
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].random.get_rng_state().tolist()
    return states
