"""Each check of bad input accepts a careful detector and rejects one that is careless in just its way."""

from dataclasses import dataclass

import numpy as np
import pytest

from adbench import PluginError, SkipTrial, check_rows
from adbench.specs import DetectorSpec
from adbench.testing import detector_checks
from adbench.testing.bad_input import CHECKS


@dataclass
class Careful:
    """Refuses what cannot be used, and can use the rest."""

    def fit(self, X, *, seed):
        check_rows(X)
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        return self

    def score(self, X):
        check_rows(X, self.mean_.shape)
        return self._distance(X)

    def _distance(self, X):
        return np.linalg.norm((X - self.mean_).reshape(len(X), -1), axis=1)


class Choosy(Careful):
    """Refuses whatever is unusual, in one line each."""

    def fit(self, X, *, seed):
        if len(X) < 10:
            raise SkipTrial("needs at least ten rows")
        if np.ptp(X, axis=0).min() == 0:
            raise PluginError("a feature is constant")
        return super().fit(X, seed=seed)


class AnySize(Careful):
    """Scores images of any size, as a network of convolutions alone does."""

    def score(self, X):
        check_rows(X)
        return X.std(axis=(1, 2, 3))


class WithLabels(Careful):
    def fit(self, X, y, *, seed):
        return super().fit(X[y == 0], seed=seed) if np.isfinite(X).all() else check_rows(X)


class ChoosyWithLabels(WithLabels):
    def fit(self, X, y, *, seed):
        if not y.any():
            raise PluginError("an anomaly is needed")
        return super().fit(X, y, seed=seed)


class FitsWithoutNan(Careful):
    def fit(self, X, *, seed):
        return super().fit(X[np.isfinite(X).all(axis=1)], seed=seed)


class ScoresNanAsZero(Careful):
    def score(self, X):
        return super().score(np.nan_to_num(X, posinf=np.inf, neginf=-np.inf))


class ScoresInfinityAsGreat(Careful):
    def score(self, X):
        return super().score(np.where(np.isinf(X), 1e6, X))


class ScoresNanAsNan(Careful):
    def score(self, X):
        return super().score(X) if np.isfinite(X).all() else np.full(len(X), np.nan)


class RaisesItsOwn(Careful):
    def fit(self, X, *, seed):
        if not np.isfinite(X).all():
            raise ValueError("the rows hold NaN")
        return super().fit(X, seed=seed)


class RefusesInTwoLines(Careful):
    def fit(self, X, *, seed):
        if not np.isfinite(X).all():
            raise PluginError("the rows\nhold NaN")
        return super().fit(X, seed=seed)


class RefusesWithoutWords(Careful):
    def score(self, X):
        if not np.isfinite(X).all():
            raise PluginError
        return super().score(X)


class FloorWithoutLooking(Careful):
    def score(self, X):
        return np.zeros(len(X))


class Broadcasts(Careful):
    def score(self, X):
        check_rows(X)
        return self._distance(X)


class ScoresWhatItKnows(Careful):
    def score(self, X):
        return super().score(X[:, : len(self.mean_)])


class FallsOverOtherImages(Careful):
    def score(self, X):
        check_rows(X)
        return self._distance(X)


class NeedsTwo(Careful):
    def fit(self, X, *, seed):
        super().fit(X, seed=seed)
        self.nearest_ = self._distance(X).argsort()[1]
        return self


class NeedsSpread(Careful):
    def fit(self, X, *, seed):
        self.width_ = 1 / float(np.ptp(X, axis=0).max()) if len(X) > 1 else 1.0
        return super().fit(X, seed=seed)


class NeedsSpreadInEach(Careful):
    def fit(self, X, *, seed):
        spread = np.ptp(X, axis=0)
        self.width_ = spread if len(X) > 1 and spread.any() else np.ones(X.shape[1])
        return super().fit(X, seed=seed)

    def score(self, X):
        check_rows(X, self.mean_.shape)
        return np.linalg.norm((X - self.mean_) / self.width_, axis=1)


class Squeezes(Careful):
    def score(self, X):
        return super().score(X).squeeze()


class NeedsAnomalies(WithLabels):
    def fit(self, X, y, *, seed):
        self.first_ = int(np.flatnonzero(y)[0]) if len(X) > 1 else 0
        return super().fit(X, y, seed=seed)


IMAGES = {"accepts": ("image",)}
LABELS = {"supervision": "labels"}
CARELESS = {
    FitsWithoutNan: "not_finite",
    ScoresNanAsZero: "not_finite",
    ScoresInfinityAsGreat: "not_finite",
    ScoresNanAsNan: "not_finite",
    RaisesItsOwn: "not_finite",
    RefusesInTwoLines: "not_finite",
    RefusesWithoutWords: "not_finite",
    Broadcasts: "other_size",
    ScoresWhatItKnows: "other_size",
    FallsOverOtherImages: "other_size",
    NeedsTwo: "one_training_row",
    NeedsSpread: "constant_rows",
    NeedsSpreadInEach: "constant_feature",
    Squeezes: "single_row",
    NeedsAnomalies: "no_anomalies",
}
MADE_FOR = {FallsOverOtherImages: IMAGES, NeedsAnomalies: LABELS}


def spec_of(kind, name="", **values):
    target = f"{__name__}:{kind.__name__}"
    return DetectorSpec(name=name or kind.__name__.lower(), target=target, summary="Test.", **values)


def bad_input_checks(*specs):
    return [check for check in detector_checks(*specs) if check.function in CHECKS]


@pytest.mark.parametrize(
    "check",
    bad_input_checks(
        spec_of(Careful),
        spec_of(Careful, name="careful-with-images", **IMAGES),
        spec_of(Careful, name="careful-floor", role="floor"),
        spec_of(Choosy),
        spec_of(AnySize, **IMAGES),
        spec_of(WithLabels, **LABELS),
        spec_of(ChoosyWithLabels, **LABELS),
    ),
    ids=str,
)
def test_careful_detectors_pass(check):
    """What is usable may be used or refused; either way the check passes."""
    check()


# A run only logs what NumPy warns of: a check must not lean on warnings being errors.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("kind", "name"), CARELESS.items(), ids=[kind.__name__ for kind in CARELESS])
def test_each_fault_is_found_by_the_check_about_it(kind, name):
    """A careless detector is rejected by the check of its fault, and passes all others of bad input."""
    rejected = []
    for check in bad_input_checks(spec_of(kind, **MADE_FOR.get(kind, {}))):
        try:
            check()
        except AssertionError:
            rejected.append(check.function.__name__)

    assert rejected == [f"check_{name}"]


def test_floors_are_no_exception():
    """A floor that never looks at its rows must refuse NaN all the same: it stands beside methods that do."""
    checks = bad_input_checks(spec_of(FloorWithoutLooking, role="floor"))
    not_finite = next(check for check in checks if "not_finite" in str(check))

    with pytest.raises(AssertionError, match="scored rows with nan"):
        not_finite()


def test_every_check_has_a_careless_detector():
    """No check is there that nothing can fail."""
    assert {function.__name__.removeprefix("check_") for function in CHECKS} == set(CARELESS.values())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (RaisesItsOwn, "fit on training rows with nan: raise PluginError .* got ValueError: the rows hold NaN"),
        (RefusesInTwoLines, "the refusal must be one line of text"),
        (ScoresNanAsNan, "holds NaN or infinite values"),
        (Broadcasts, r"scored rows of shape \(1,\) after fitting \(6,\)"),
        (NeedsTwo, "fit on one training row: .* got IndexError"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_check_says_what_was_done(kind, message):
    """What was tried, and what came of it, is in the text that a plugin's author reads."""
    with pytest.raises(AssertionError, match=message):
        for check in bad_input_checks(spec_of(kind)):
            check()
