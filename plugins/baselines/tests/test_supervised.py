"""Logistic regression: what it learns from few labels."""

import numpy as np
import pytest
from adbench_baselines.supervised import LogisticRegression

from adbench import PluginError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1000, 2))
X[990:, 0] += 4
Y = np.repeat([0, 1], [990, 10])


def test_classes_weigh_equally():
    """Though one row in a hundred is an anomaly, the limit of even odds lies halfway between the classes."""
    scores = LogisticRegression().fit(X, Y, seed=0).score(np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 0.0]]))

    assert scores[0] < -3 and scores[1] > 3
    assert abs(scores[2]) < 1


def test_scores_are_linear():
    """The log-odds change by the same amount along equal steps, and hardly along a feature that tells nothing."""
    steps = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])

    at = LogisticRegression().fit(X, Y, seed=0).score(steps)

    assert at[2] - at[1] == pytest.approx(at[1] - at[0])
    assert abs(at[3] - at[0]) < 0.3 * (at[1] - at[0])


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_refused(label):
    """Without anomalies, or without normal rows, there is nothing to tell apart, and the message says so."""
    with pytest.raises(PluginError, match=rf"\Arows of both classes are needed; all 9 labels are {label}\Z"):
        LogisticRegression().fit(X[:9], np.full(9, label), seed=0)
