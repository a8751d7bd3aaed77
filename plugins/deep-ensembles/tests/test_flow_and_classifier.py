"""The flow over rows, and the supervised network."""

import numpy as np
import pytest
import torch
from adbench_deep_ensembles import adbench_detectors
from adbench_deep_ensembles.classifier import SupervisedNetwork, layers
from adbench_deep_ensembles.flow_detector import Flow
from adbench_deep_ensembles.names import STATISTICS as NAMES
from adbench_deep_ensembles.statistics import STATISTICS
from adbench_torch_training.training import count_parameters
from torch import nn

from adbench import PluginError, SkipTrial

RNG = np.random.default_rng(0)


def test_the_flow_finds_a_known_density():
    """On a correlated Gaussian the score comes near the true negative log-density."""
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    X = RNG.multivariate_normal([0, 0], covariance, size=3_000)

    found = Flow(steps=600, hidden=32, flows=3, learning_rate=5e-3).fit(X, seed=0).score(X)

    truth = 0.5 * np.einsum("ij,jk,ik->i", X, np.linalg.inv(covariance), X)
    assert np.corrcoef(found, truth)[0, 1] > 0.95


def test_one_feature_and_constant_features_are_no_trouble():
    """A single column, and a column without variance, give finite scores."""
    for X in (RNG.normal(size=(50, 1)), np.c_[RNG.normal(size=50), np.full(50, 0.1)]):
        detector = Flow(steps=5, hidden=8).fit(X, seed=0)
        assert np.isfinite(detector.score(X * 3)).all() and np.isfinite(detector.score(X + 1e6)).all()


def test_many_features_are_skipped():
    """Beyond the limit the pairing is skipped, with the reason."""
    with pytest.raises(SkipTrial, match="784 features, above the feature_limit of 300"):
        Flow().fit(np.zeros((3, 784), np.float32), seed=0)


def test_the_classifier_has_the_published_size():
    """30 -> 512 -> 512 -> 1 has 279,041 weights."""
    assert count_parameters(layers(30, (512, 512), "none")) == 279_041


def test_without_activations_it_is_linear():
    """As published: the logit of a mean of two rows is the mean of their logits; with activations it is not."""
    X = RNG.normal(size=(200, 4))
    y = (np.abs(X).sum(1) > 4.5).astype(np.int64)
    pairs = (X[:100] + X[100:]) / 2

    def bend(activation):
        network = SupervisedNetwork(activation=activation, learning_rate=1e-2, epochs=20).fit(X, y, seed=0)
        return np.abs(network.score(pairs) - (network.score(X[:100]) + network.score(X[100:])) / 2).max()

    assert bend("none") < 1e-4 < 0.1 < bend("relu")


def test_anomalies_weigh_as_published():
    """The weight is 1 + normal rows by anomalies: 25 here, and near the published 581 on the whole credit card data."""
    assert 1 + 284_315 / 492 == pytest.approx(581, rel=0.01)
    heard = []
    network = SupervisedNetwork(epochs=1, batch_size=1000, learning_rate=1e-12)
    X = RNG.normal(size=(100, 3)).astype(np.float32)
    y = np.r_[np.ones(4), np.zeros(96)].astype(np.int64)

    class Hearing:
        def log(self, step, values):
            heard.append(values["loss"])

        def progress(self, *told):
            pass

    from adbench import tracking

    tracking.set_listener(Hearing())
    try:
        network.fit(X, y, seed=0)
    finally:
        tracking.set_listener(None)
    logits = torch.from_numpy(network.score(X))
    each = nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(y).double(), reduction="none")
    assert heard == [pytest.approx((each * torch.from_numpy(np.where(y == 1, 25.0, 1.0))).mean().item(), rel=1e-4)]


@pytest.mark.parametrize("y", [np.zeros(5, np.int64), np.ones(5, np.int64)])
def test_one_class_is_refused(y):
    """There is nothing to tell apart."""
    with pytest.raises(PluginError, match="needs normal rows and anomalies"):
        SupervisedNetwork().fit(np.zeros((5, 2)), y, seed=0)


def test_classifiers_are_marked_as_using_labels():
    """They stand in a section of their own."""
    marked = {spec.name for spec in adbench_detectors() if spec.supervision == "labels"}

    assert marked == {"supervised-dnn", "supervised-dnn-linear"}


def test_names_and_functions_of_the_statistics_agree():
    """The names that listing shows are those that are computed."""
    assert tuple(STATISTICS) == NAMES
