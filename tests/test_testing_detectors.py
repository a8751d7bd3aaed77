"""Each check of adbench.testing accepts a right detector and rejects one that is wrong in just its way."""

import random
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest

from adbench import check_rows
from adbench.specs import DetectorSpec
from adbench.testing import bad_input, detector_checks
from adbench.testing import detectors as testing
from adbench.testing.detectors import CHECKS, Check


@dataclass
class Right:
    """A right detector with every ability there is."""

    scale: float = 1.0
    tuned: list = field(default_factory=list)

    def fit(self, X, *, seed):
        check_rows(X)
        self.mean_ = X.mean(axis=0) + np.random.default_rng(seed).normal(scale=1e-3, size=X.shape[1:])
        self.train_ = self._distance(X)
        return self

    def score(self, X):
        check_rows(X, self.mean_.shape)
        return self._distance(X)

    def train_scores(self):
        return self.train_

    def reconstruct(self, X):
        return np.zeros_like(X) + self.mean_

    def embed(self, X):
        return (X - self.mean_).reshape(len(X), -1)[:, :2]

    def input_gradient(self, X):
        away = X - self.mean_
        return self.scale * away / np.linalg.norm(away.reshape(len(X), -1), axis=1).reshape(-1, *[1] * (X.ndim - 1))

    def n_parameters(self):
        return self.mean_.size

    def save(self, path):
        np.save(path / "mean.npy", self.mean_)

    def load(self, path):
        self.mean_ = np.load(path / "mean.npy")
        return self

    def _distance(self, X):
        return self.scale * np.linalg.norm((X - self.mean_).reshape(len(X), -1), axis=1)


class WrongSign(Right):
    def score(self, X):
        return -super().score(X)


class Column(Right):
    def score(self, X):
        return super().score(X)[:, None]


class Whole(Right):
    def score(self, X):
        return super().score(X).round().astype(int)


class HasNan(Right):
    def score(self, X):
        return np.where(np.arange(len(X)) == len(X) - 1, np.nan, super().score(X))


class OtherName(Right):
    def score(self, X):
        return {"other": super().score(X)}


class Unseeded(Right):
    def fit(self, X, *, seed):
        return super().fit(X, seed=None)


class Ranks(Right):
    def score(self, X):
        return super().score(X).argsort().argsort() / len(X)


class Counts(Right):
    def score(self, X):
        self.calls_ = getattr(self, "calls_", 0) + 1
        return super().score(X) + self.calls_


class ScalesInFit(Right):
    def fit(self, X, *, seed):
        X -= X.mean(axis=0)
        return super().fit(X, seed=seed)


class ScalesInScore(Right):
    def score(self, X):
        X *= 2
        return super().score(X)


class FlipsLabels:
    def fit(self, X, y, *, seed):
        self.mean_ = X[y == 0].mean(axis=0)
        y[:] = 1 - y
        return self

    def score(self, X):
        return np.linalg.norm(X - self.mean_, axis=1)


class SeedsNumpy(Right):
    def fit(self, X, *, seed):
        np.random.seed(seed)  # noqa: NPY002 - the fault that is to be found
        return super().fit(X, seed=seed)


class DrawsFromPython(Right):
    def score(self, X):
        random.random()
        return super().score(X)


class Prints(Right):
    def fit(self, X, *, seed):
        print("epoch 1", file=sys.stderr)  # noqa: T201 - the fault that is to be found
        return super().fit(X, seed=seed)


class Tunes(Right):
    def fit(self, X, *, seed):
        self.scale = float(X.std())
        return super().fit(X, seed=seed)


class TunesInside(Right):
    def fit(self, X, *, seed):
        self.tuned.append(X.std())
        return super().fit(X, seed=seed)


@dataclass
class LearnsAtOnce(Right):
    def __post_init__(self):
        self.mean_ = 0.0


class ShortTrainScores(Right):
    def train_scores(self):
        return self.train_[1:]


class NanTrainScores(Right):
    def train_scores(self):
        return self.train_ * np.nan


class FlatReconstruction(Right):
    def reconstruct(self, X):
        return super().reconstruct(X)[:, :1]


class NanReconstruction(Right):
    def reconstruct(self, X):
        return super().reconstruct(X) * np.nan


class EmbedsInOneLine(Right):
    def embed(self, X):
        return super().embed(X).ravel()


class EmbedsNan(Right):
    def embed(self, X):
        return super().embed(X) * np.nan


class EmbedsByRank(Right):
    def embed(self, X):
        return super().embed(X).argsort(axis=0) / len(X)


class WrongGradient(Right):
    def input_gradient(self, X):
        return -super().input_gradient(X)


class ForgetsScale(Right):
    def load(self, path):
        super().load(path)
        self.mean_ = self.mean_ + 1
        return self


class CountsInWords(Right):
    def n_parameters(self):
        return "two"


class GreyOnly(Right):
    def fit(self, X, *, seed):
        return super().fit(X.reshape(-1, 28, 28, 1), seed=seed)


class FlatReconstructionOfColour(Right):
    def reconstruct(self, X):
        return super().reconstruct(X)[..., :1]


class Float64Only(Right):
    def score(self, X):
        return np.where(X.dtype == np.float64, super().score(X), np.nan)


IMAGES = {"accepts": ("image",)}
LABELS = {"supervision": "labels"}
WRONG = {
    WrongSign: "sign",
    Column: "shape",
    Whole: "shape",
    HasNan: "shape",
    OtherName: "shape",
    Unseeded: "seed",
    Ranks: "batch",
    Counts: "state",
    ScalesInFit: "input",
    ScalesInScore: "input",
    FlipsLabels: "input",
    SeedsNumpy: "global_random_state",
    DrawsFromPython: "global_random_state",
    Prints: "silence",
    Tunes: "hyperparameters",
    TunesInside: "hyperparameters",
    LearnsAtOnce: "hyperparameters",
    ShortTrainScores: "train_scores",
    NanTrainScores: "train_scores",
    FlatReconstruction: "reconstruction",
    NanReconstruction: "reconstruction",
    EmbedsInOneLine: "embedding",
    EmbedsNan: "embedding",
    EmbedsByRank: "embedding",
    WrongGradient: "input_gradient",
    ForgetsScale: "saving",
    CountsInWords: "parameters",
    GreyOnly: "images",
    FlatReconstructionOfColour: "images",
    Float64Only: "images",
}
MADE_FOR = {GreyOnly: IMAGES, FlatReconstructionOfColour: IMAGES, FlipsLabels: LABELS}


class TakesLabels:
    def fit(self, X, y, *, seed):
        check_rows(X)
        self.mean_ = X[y == 0].mean(axis=0)
        return self

    def score(self, X):
        check_rows(X, self.mean_.shape)
        return np.linalg.norm(X - self.mean_, axis=1)


class Two(Right):
    def score(self, X):
        distance = super().score(X)
        return {"distance": distance, "square": distance**2}

    def train_scores(self):
        return {"distance": self.train_, "square": self.train_**2}


class Flat:
    def fit(self, X, *, seed):
        check_rows(X)
        self.shape_ = X.shape[1:]
        return self

    def score(self, X):
        check_rows(X, self.shape_)
        return np.zeros(len(X))


def spec_of(kind, name=None, **values):
    target = f"{__name__}:{kind.__name__}"
    return DetectorSpec(name=name or kind.__name__.lower(), target=target, summary="Test.", **values)


def named(name, spec):
    (check,) = (check for check in detector_checks(spec) if str(check) == f"{spec.name}-{name}")
    return check


@pytest.mark.parametrize(
    "check",
    detector_checks(
        spec_of(Right),
        spec_of(Right, name="right-images", **IMAGES),
        spec_of(Right, name="right-both", accepts=("vector", "image")),
        spec_of(Two, scores=("distance", "square")),
        spec_of(TakesLabels, **LABELS),
        spec_of(TakesLabels, name="takes-labels-floor", role="floor", **LABELS),
        spec_of(Flat, role="floor"),
    ),
    ids=str,
)
def test_right_detectors_pass(check):
    """Right detectors pass: with all abilities, several scores, labels, images, or as a floor."""
    check()


@pytest.mark.parametrize(("kind", "name"), WRONG.items(), ids=[kind.__name__ for kind in WRONG])
def test_wrong_detectors_are_rejected(kind, name):
    """Each wrong detector is rejected by the check that is about its fault."""
    with pytest.raises(AssertionError):
        named(name, spec_of(kind, **MADE_FOR.get(kind, {})))()


def test_every_check_has_a_wrong_detector():
    """No check is there that nothing can fail; those of bad input have theirs in their own tests."""
    here = set(CHECKS) - set(bad_input.CHECKS)

    assert {function.__name__.removeprefix("check_") for function in here} == set(WRONG.values())


def test_only_floors_may_be_flat():
    """A constant score is rejected unless the detector says that it is a floor."""
    with pytest.raises(AssertionError, match="is the sign right"):
        named("sign", spec_of(Flat))()


def test_what_is_not_there_is_not_checked():
    """Abilities are optional: a detector without them passes their checks."""
    for name in ("train_scores", "reconstruction", "embedding", "input_gradient", "saving", "parameters"):
        named(name, spec_of(Flat))()


def test_known_failures_must_fail():
    """A known failure is an expected one, strictly, with its reason; a name that fits no check is refused."""
    spec = spec_of(Ranks)
    marked = [check for check in detector_checks(spec, known={"ranks-batch": "ranks"}) if not isinstance(check, Check)]

    (mark,) = marked[0].marks
    assert (mark.name, mark.kwargs) == ("xfail", {"reason": "ranks", "strict": True})
    with pytest.raises(ValueError, match="no such checks: ranks-bach"):
        detector_checks(spec, known={"ranks-bach": "a slip"})


def test_claims():
    """Each check says in its first line what it claims."""
    for function in testing.CHECKS:
        assert function.__doc__.splitlines()[0].endswith(".")


def test_a_detector_is_fitted_once_for_what_looks_at_one_fitting():
    """All checks of one detector share a fitting; those about other rows, or the seed, fit anew."""
    checks = {
        str(check): check for check in detector_checks(spec_of(Right), spec_of(Two, scores=("distance", "square")))
    }

    used = {name: check.case().used.detector for name, check in checks.items()}

    assert len({id(detector) for detector in used.values()}) == 2
    assert used["right-shape"] is used["right-saving"] is not used["two-shape"]
