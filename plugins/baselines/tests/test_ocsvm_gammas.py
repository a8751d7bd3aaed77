"""The sweep of the one-class SVM over gamma: each score, its sign, and the swap it cannot repeat."""

import numpy as np
import pytest
from adbench_baselines.ocsvm import OneClassSVM
from adbench_baselines.ocsvm_gammas import GAMMAS, OneClassSVMGammas
from sklearn.metrics import precision_recall_fscore_support
from sklearn.svm import OneClassSVM as ExactOneClassSVM

RNG = np.random.default_rng(0)
TRAIN = RNG.random((400, 50)) * 0.5
TEST = np.concatenate([RNG.random((160, 50)) * 0.5, RNG.random((5, 50)) + 0.5])
IS_ANOMALY = np.arange(165) >= 160


@pytest.mark.parametrize(("name", "gamma"), GAMMAS.items(), ids=GAMMAS)
def test_each_score_is_libsvms_negated(name, gamma):
    """Each score is that of the one-class SVM with this gamma, from scikit-learn and from the other detector here."""
    scores = OneClassSVMGammas(nu=0.1).fit(TRAIN, seed=0).score(TEST)[name]
    known = OneClassSVM(solver="exact", nu=0.1, gamma=gamma).fit(TRAIN, seed=0).score(TEST)

    # libsvm keeps kernels as float32: two ways of computing them differ by 1e-7 each.
    assert scores == pytest.approx(known, abs=1e-4 * np.ptp(known) + 1e-7 * 0.1 * len(TRAIN))
    assert known == pytest.approx(-ExactOneClassSVM(nu=0.1, gamma=gamma).fit(TRAIN).decision_function(TEST))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_score_is_constant(dtype):
    """At gamma 1e-9 kernels differ in digits that float32 rounds away: scores of different rows differ all the same."""
    scores = OneClassSVMGammas().fit(TRAIN.astype(dtype), seed=0).score(TEST.astype(dtype))

    assert [len(np.unique(values)) for values in scores.values()] == [len(TEST)] * 9


def test_tiny_gammas_score_by_the_first_rows():
    """Where libsvm stops at its start, the score ranks by the squared distance to the first nu * n training rows."""
    scores = OneClassSVMGammas(nu=0.1).fit(TRAIN, seed=0).score(TEST)["gamma-1e-9"]
    squares = ((TEST[:, None] - TRAIN[None, :40]) ** 2).sum(axis=(1, 2))

    assert np.corrcoef(scores, squares)[0, 1] > 0.999999


def test_the_headline_is_nearest_to_the_usual_gamma():
    """On a log scale the first is nearest to 1 / (n_features * variance) of MNIST, Fashion-MNIST and CIFAR-10."""
    headline, *others = GAMMAS.values()

    for usual in (0.0134, 0.0102, 0.0051):
        assert all(abs(np.log(headline / usual)) < abs(np.log(other / usual)) for other in others)


def test_of_more_rows_a_sample_is_fitted():
    """Beyond max_rows the seed draws the rows, each once; up to it all are taken."""
    first, again, other = (OneClassSVMGammas(max_rows=100).fit(TRAIN, seed=seed).rows_ for seed in (0, 0, 1))

    assert first.shape == (100, 50) and len(np.unique(first, axis=0)) == 100
    assert (first == again).all() and (first != other).any()
    assert len(OneClassSVMGammas(max_rows=400).fit(TRAIN, seed=0).rows_) == 400


def test_blocks_do_not_show():
    """More rows than a block holds are scored as they are one by one."""
    detector = OneClassSVMGammas().fit(TRAIN, seed=0)
    rows = np.tile(TEST, (13, 1))[:2001]

    for name, scores in detector.score(rows).items():
        assert scores[1990:] == pytest.approx(detector.score(rows[1990:])[name], rel=1e-6, abs=1e-12)


def test_the_published_baseline_has_its_labels_swapped():
    """744 of 825 images called outliers, 719 regular and all 25 anomalies, give the published .9664, .8988 and .9313.

    LordAlucard90/Variational-AutoEncoder-For-Novelty-Detection compares "is an inlier" with "is an
    anomaly" and reports the class False. Read rightly, the same flags have an F1 of .184 and .065.
    """
    is_anomaly = np.repeat([False, True], [800, 25])
    flagged = np.r_[np.arange(800) < 719, np.full(25, True)]

    swapped = precision_recall_fscore_support(is_anomaly, ~flagged)
    right = precision_recall_fscore_support(is_anomaly, flagged)

    assert [values[0] for values in swapped[:3]] == pytest.approx([0.9664, 0.8988, 0.9313], abs=5e-5)
    assert right[2] == pytest.approx([0.184, 0.065], abs=5e-4)


def test_above_zero_lies_what_is_outside():
    """With our sign the swap cannot happen: about nu of the training rows score above 0, and all anomalies do."""
    detector = OneClassSVMGammas(nu=0.1).fit(TRAIN, seed=0)

    outside = detector.score(TRAIN)["gamma-1e-2"] > 0
    flagged = detector.score(TEST)["gamma-1e-2"] > 0

    assert outside.mean() == pytest.approx(0.1, abs=0.03)
    assert flagged[IS_ANOMALY].all() and flagged[~IS_ANOMALY].mean() < 0.3
