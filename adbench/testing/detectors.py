"""Checks that every detector must pass, for a plugin's own tests.

Each check is a function of a :class:`~adbench.testing.cases.Case`; what it claims is the first line
of its docstring. A detector is fitted once for all checks that look at one fitting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from adbench.detector import CountsParameters, Embeds, HasInputGradient, HasTrainScores, Reconstructs, Saves
from adbench.specs import DetectorSpec
from adbench.testing import bad_input
from adbench.testing.cases import Case, Floats, case_for, image_case_for
from adbench.testing.marking import marked

_TOLERANCE = 1e-4
"""Relative: float32 sums differ with the number of rows that are multiplied at a time."""
_ALONE = 12
"""Rows that are also scored one by one."""


@dataclass(frozen=True)
class Check:
    """One check of one detector; call it. Its text is its test's name."""

    function: Callable[[Case], None]
    spec: DetectorSpec
    case: Callable[[], Case]

    def __call__(self) -> None:
        """Raise AssertionError if the detector breaks the rule."""
        self.function(self.case())

    def __str__(self) -> str:
        return f"{self.spec.name}-{self.function.__name__.removeprefix('check_')}"


def detector_checks(*specs: DetectorSpec, known: Mapping[str, str] | None = None) -> list[Any]:
    """Return all checks of some detectors, for ``pytest.mark.parametrize``.

    Parameters
    ----------
    *specs
        The detectors. Their quick settings are checked; one that needs a setting of the user's is
        given it by ``dataclasses.replace(spec, params={"quick": {...}})``.
    known
        Test name (``DETECTOR-CHECK``) -> why it cannot be met; it must then fail.

    Returns
    -------
    list
        Callables without arguments; those in ``known`` are marked as expected failures.
    """
    cases = [(spec, cache(partial(case_for, spec))) for spec in specs]
    return marked((Check(function, spec, case) for spec, case in cases for function in CHECKS), known)


def check_shape(case: Case) -> None:
    """Every declared score has one finite real number a row."""
    case.assert_scores(case.used.scores, len(case.test))


def check_sign(case: Case) -> None:
    """Rows far from the crowd score above it (floors may not care)."""
    if case.spec.role == "floor":
        return
    headline = case.used.scores[case.spec.scores[0]]
    crowd, far = headline[: -case.n_far], headline[-case.n_far :]
    above = float((far[:, None] > crowd[None, :]).mean())
    assert above > 0.9, f"only {above:.0%} of far rows above the crowd: is the sign right? Higher = more anomalous"


def check_seed(case: Case) -> None:
    """The same seed gives the same scores."""
    again = case.scores(case.fitted(), case.test)
    for name, scores in case.used.scores.items():
        assert np.array_equal(scores, again[name]), f"{name}: two fits with one seed differ"


def check_batch(case: Case) -> None:
    """A row's score does not depend on the rows scored with it."""
    rows = np.linspace(0, len(case.test) - 1, _ALONE).astype(int)
    parts = [case.scores(case.used.detector, case.test[i : i + 1]) for i in rows]
    for name, scores in case.used.scores.items():
        alone = np.concatenate([part[name] for part in parts])
        assert _close(scores[rows], alone), f"{name}: rows scored alone differ from rows scored together"


def check_state(case: Case) -> None:
    """Scoring changes nothing: a later call gives the same scores as the first."""
    case.scores(case.used.detector, case.X)
    for name, scores in case.scores(case.used.detector, case.test).items():
        assert np.array_equal(scores, case.used.scores[name]), f"{name}: a later call differs from the first"


def check_input(case: Case) -> None:
    """The rows and labels given to ``fit`` and ``score`` are left as they were."""
    assert not case.used.altered & {"X", "y"}, "fit changed the rows or labels that it was given; copy them"
    assert "test" not in case.used.altered, "score changed the rows that it was given; copy them"


def check_global_random_state(case: Case) -> None:
    """Python's, NumPy's and torch's global random streams are left as they were."""
    streams = case.used.altered & {"random", "numpy.random", "torch"}
    assert not streams, f"the global random state of {', '.join(streams)} was changed; draw from the seed alone"


def check_silence(case: Case) -> None:
    """Nothing is printed."""
    printed = case.used.printed
    assert not printed, f"printed {printed[:80]!r}; use adbench.log and adbench.track"


def check_hyperparameters(case: Case) -> None:
    """The constructor only stores, and fitting leaves hyperparameters as they were."""
    assert not case.used.learnt_at_once, f"the constructor must only store; it set {case.used.learnt_at_once}"
    assert "hyperparameters" not in case.used.altered, "fit changed a hyperparameter"


def check_train_scores(case: Case) -> None:
    """``train_scores``, where it exists, has all scores: one finite number a training row."""
    if isinstance(case.used.detector, HasTrainScores):
        case.assert_scores(case.named(case.used.detector.train_scores()), len(case.X))


def check_reconstruction(case: Case) -> None:
    """``reconstruct``, where it exists, gives finite values in the input's shape."""
    if isinstance(case.used.detector, Reconstructs):
        _assert_like_rows(case.used.detector.reconstruct(case.test.copy()), case.test)


def check_embedding(case: Case) -> None:
    """``embed``, where it exists, gives one finite vector a row, whatever rows are with it."""
    if isinstance(case.used.detector, Embeds):
        whole, part = (np.asarray(case.used.detector.embed(X.copy())) for X in (case.test, case.test[:3]))
        assert whole.ndim == 2 and len(whole) == len(case.test), f"shape {whole.shape}, expected ({len(case.test)}, k)"
        assert np.isfinite(whole).all(), "holds NaN or infinite values"
        assert part.shape == whole[:3].shape and _close(whole[:3], part), "differs with the rows embedded together"


def check_input_gradient(case: Case) -> None:
    """``input_gradient``, where it exists, points to where the headline score rises."""
    detector = case.used.detector
    if not isinstance(detector, HasInputGradient):
        return
    gradient = np.asarray(detector.input_gradient(case.test.copy()))
    _assert_like_rows(gradient, case.test)
    step = 1e-3 * np.sign(gradient)
    headline = case.spec.scores[0]
    down, up = (case.scores(detector, (case.test + sign * step).astype(case.test.dtype))[headline] for sign in (-1, 1))
    risen = float((up > down).mean())
    assert risen > 0.9, f"only {risen:.0%} of rows score higher a small step along the gradient than against it"


def check_saving(case: Case) -> None:
    """``save`` and ``load``, where they exist, give a detector with the same scores."""
    if isinstance(case.used.detector, Saves):
        with tempfile.TemporaryDirectory() as folder:
            case.used.detector.save(Path(folder))
            loaded = case.make().load(Path(folder))
        for name, scores in case.used.scores.items():
            assert _close(scores, case.scores(loaded, case.test)[name]), f"{name}: differs after loading"


def check_parameters(case: Case) -> None:
    """``n_parameters``, where it exists, gives a whole number, or None for what has no such number."""
    if isinstance(case.used.detector, CountsParameters):
        counted = case.used.detector.n_parameters()
        assert counted is None or (isinstance(counted, int) and counted >= 0), f"got {counted!r}"


def check_images(case: Case) -> None:
    """Colour images, or flattened images where it takes vectors only, are fitted and scored as tables are."""
    images = image_case_for(case.spec)
    detector = bad_input.fitted_or_refused(images, "images", images.X, images.y)
    if detector is None:
        return
    images.assert_scores(images.scores(detector, images.test), len(images.test))
    if isinstance(detector, Reconstructs):
        _assert_like_rows(detector.reconstruct(images.test.copy()), images.test)


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
    check_embedding,
    check_input_gradient,
    check_saving,
    check_parameters,
    check_images,
    *bad_input.CHECKS,
)


def _assert_like_rows(made: Any, rows: Floats) -> None:
    values = np.asarray(made)
    assert values.shape == rows.shape, f"shape {values.shape}, expected {rows.shape}"
    assert np.isfinite(values).all(), "holds NaN or infinite values"


def _close(a: Floats, b: Floats) -> bool:
    scale = max(float(np.abs(a).max()), 1e-12)
    return bool(np.abs(a - b).max() <= _TOLERANCE * scale)
