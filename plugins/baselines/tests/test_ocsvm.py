"""The one-class SVM: both solvers, and the choice between them."""

import numpy as np
import pytest
from adbench_baselines.ocsvm import OneClassSVM
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.svm import OneClassSVM as ExactOneClassSVM

from adbench import PluginError, UsageError

RNG = np.random.default_rng(0)
TRAIN = RNG.normal(size=(600, 4))
TEST = RNG.normal(size=(200, 4)) * np.linspace(0.2, 3, 200)[:, None]


@pytest.mark.parametrize("solver", ["exact", "nystroem"])
def test_far_point_scores_above_the_crowd(solver):
    """A point ten standard deviations out is the most anomalous."""
    model = OneClassSVM(solver=solver).fit(TRAIN, seed=0)

    assert model.score(np.full((1, 4), 10.0))[0] > model.score(TRAIN).max()


def test_exact_is_libsvm_negated():
    """The exact solver gives scikit-learn's decision function with the sign turned."""
    expected = -ExactOneClassSVM(nu=0.2).fit(TRAIN).decision_function(TEST)

    assert OneClassSVM(solver="exact", nu=0.2).fit(TRAIN, seed=0).score(TEST) == pytest.approx(expected)


@pytest.mark.parametrize("nu", [0.5, 0.1])
def test_nystroem_detects_as_exact_does(nu):
    """Both solvers have the same AUROC, within .01."""
    anomalous = np.linalg.norm(TEST, axis=1) > 3

    exact, nystroem = (
        roc_auc_score(anomalous, OneClassSVM(solver=solver, nu=nu).fit(TRAIN, seed=0).score(TEST))
        for solver in ("exact", "nystroem")
    )

    assert nystroem == pytest.approx(exact, abs=0.01)


def test_nu_is_the_share_outside():
    """A share of nu of the training rows scores above 0, with either solver."""
    shares = [
        (OneClassSVM(solver=solver, nu=0.2).fit(TRAIN, seed=0).score(TRAIN) > 0).mean()
        for solver in ("exact", "nystroem")
    ]

    assert shares == pytest.approx([0.2, 0.2], abs=0.03)


@pytest.mark.parametrize(("limit", "kind"), [(600, ExactOneClassSVM), (599, Pipeline)])
def test_auto_changes_solver_by_the_rows(limit, kind):
    """The automatic solver is exact up to the limit and no further."""
    model = OneClassSVM(exact_up_to=limit).fit(TRAIN, seed=0)

    assert isinstance(model.model_, kind)


def test_nystroem_depends_on_the_seed_only():
    """The same seed gives the same scores whatever the global stream; another seed gives others."""
    first, second, other = (OneClassSVM(solver="nystroem", n_components=50).fit(TRAIN, seed=s) for s in (1, 1, 2))

    assert (first.score(TEST) == second.score(TEST)).all()
    assert not np.allclose(first.score(TEST), other.score(TEST))


@pytest.mark.parametrize("solver", ["exact", "nystroem"])
@pytest.mark.parametrize("train", [np.ones((30, 2)), np.ones((1, 2))])
def test_rows_without_spread_are_no_crash(solver, train):
    """Constant features and a single row still give finite scores, higher further away."""
    near, far = OneClassSVM(solver=solver).fit(train, seed=0).score(np.array([[1.0, 1.0], [5.0, 5.0]]))

    assert near < far < np.inf


def test_wrong_solver_is_named():
    """A misspelt solver is a usage error with the choices."""
    with pytest.raises(UsageError, match="'solver' of ocsvm must be one of auto, exact, nystroem; got 'fast'"):
        OneClassSVM(solver="fast").fit(TRAIN, seed=0)


def test_nan_is_refused_in_one_line():
    """A NaN among the training rows is said plainly."""
    with pytest.raises(PluginError, match=r"\Athe rows hold NaN or infinite values, first in row 1 of 2\Z"):
        OneClassSVM().fit(np.array([[0.0], [np.nan]]), seed=0)
