"""Adversarial test sets: made inside the trial, from the detector's own gradient, and never ranked."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from adbench import Attack, PluginError, Split, TestSet
from adbench.execution.jobs import attacks, contract, data, trial
from adbench.execution.jobs.arrays import read_facts
from adbench.execution.jobs.judging import InvalidScores
from adbench.reporting.leaderboard import Leaderboard

X_TRAIN = np.zeros((4, 2, 2, 1), np.float32)
X_TEST = np.linspace(0.1, 0.9, 16, dtype=np.float32).reshape(4, 2, 2, 1)
Y = np.array([0, 1, 0, 1])


class Brightness:
    """Scores by the sum of the pixels, whose gradient is 1 everywhere; notes where it was asked."""

    gradient = 1.0

    def fit(self, X, *, seed):
        return self

    def score(self, X):
        return X.sum(axis=(1, 2, 3))

    def input_gradient(self, X):
        Brightness.asked = X.copy()
        X[:] = 7  # what a detector does to its input must not reach the rows
        return np.full(X.shape, self.gradient, np.float32)


class Blind:
    """The same without a gradient."""

    fit, score = Brightness.fit, Brightness.score


def made(**attack):
    tests = {
        "clean": TestSet(X_TEST, Y, np.arange(4, 8)),
        "fgsm": TestSet(X_TEST, Y, np.arange(4, 8), attack=Attack(**{"epsilon": 0.3, **attack})),
    }
    return Split(X_TRAIN, np.arange(4), tests)


def run(split, tmp_path, monkeypatch, detector="Brightness"):
    """Run a trial as a host's child does, in this process."""
    monkeypatch.setitem(sys.modules, "attacked", SimpleNamespace(Brightness=Brightness, Blind=Blind))
    contract.check_split(split, "novelty")
    data._write(split, tmp_path / "rows")
    data.take_labels(tmp_path / "rows", read_facts(tmp_path / "rows"))
    spec = {"target": f"attacked:{detector}", "params": {}, "accepts": ("image",), "scores": ("score",)}
    spec |= {"supervision": "none", "role": "method", "needs": ""}
    (tmp_path / "work").mkdir(parents=True)
    outcome = trial.run(spec, str(tmp_path / "rows"), 1, tmp_path / "work", None)
    return outcome, trial.read_arrays(tmp_path / "work")


@pytest.mark.parametrize(
    ("attack", "moved"),
    [
        ({"direction": -1, "clip": False}, X_TEST - np.float32(0.3)),
        ({"direction": +1, "clip": False}, X_TEST + np.float32(0.3)),
        ({"direction": -1, "clip": True}, np.clip(X_TEST - np.float32(0.3), 0, 1)),
        ({"direction": +1, "clip": True, "epsilon": 0.5}, np.clip(X_TEST + np.float32(0.5), 0, 1)),
    ],
)
def test_only_the_attacked_rows_move_by_one_step(attack, moved, tmp_path, monkeypatch):
    """Anomalies are moved by epsilon along the gradient's sign, normal rows and other test sets are left alone."""
    outcome, arrays = run(made(**attack), tmp_path, monkeypatch)
    assert outcome["status"] == "ok"
    expected = np.where(Y == 1, moved.sum(axis=(1, 2, 3)), X_TEST.sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(arrays["scores/fgsm/score"], expected, rtol=1e-6)
    np.testing.assert_allclose(arrays["scores/clean/score"], X_TEST.sum(axis=(1, 2, 3)), rtol=1e-6)
    kept = arrays["extreme/fgsm/X"][np.argsort(arrays["extreme/fgsm/index"])]
    np.testing.assert_allclose(kept, np.where(Y[:, None, None, None] == 1, moved, X_TEST), rtol=1e-6)


def test_the_gradient_is_taken_at_the_row_itself_or_where_it_is_said(tmp_path, monkeypatch):
    """Without ``at`` the gradient is taken at the attacked rows, with it at other rows (as rich_latent does)."""
    at = np.full((2, 2, 2, 1), 0.25, np.float32)
    run(made(at=at), tmp_path, monkeypatch)
    np.testing.assert_array_equal(Brightness.asked, at)
    run(made(), tmp_path / "again", monkeypatch)
    np.testing.assert_array_equal(Brightness.asked, X_TEST[Y == 1])


def test_a_detector_without_a_gradient_is_not_attacked(tmp_path, monkeypatch):
    """It is scored on every other test set, and is ok."""
    outcome, arrays = run(made(), tmp_path, monkeypatch, detector="Blind")
    assert outcome["status"] == "ok"
    assert [name for name in arrays if name.startswith("scores/")] == ["scores/clean/score"]


@pytest.mark.parametrize(
    ("gradient", "words"),
    [
        (lambda X: np.ones(len(X)), r"rows' shape \(2, 2, 2, 1\); got \(2,\)"),
        (lambda X: np.full(X.shape, np.nan), "finite"),
        (lambda X: np.ones(X.shape, int), "floating point"),
    ],
)
def test_a_gradient_that_is_none_is_invalid(gradient, words):
    """A wrong shape, type or NaN is told, never taken as a step of size 0."""
    detector = Brightness()
    detector.input_gradient = gradient
    with pytest.raises(InvalidScores, match=words):
        attacks.apply(detector, X_TEST, Y == 1, None, epsilon=0.3, direction=1, clip=True)


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        ({"epsilon": 0.0}, "epsilon > 0"),
        ({"epsilon": float("nan")}, "epsilon > 0"),
        ({"direction": 0}, "direction -1 or 1"),
        ({"at": X_TEST}, "a row for each attacked row; got 4"),
        ({"at": X_TEST[:2, :1]}, "expected rows of shape"),
    ],
)
def test_a_wrong_attack_is_refused_with_the_split(attack, words):
    """What cannot be carried out is the dataset's mistake, told before any detector runs."""
    with pytest.raises(PluginError, match=words):
        contract.check_split(made(**attack), "novelty")


def test_attacks_are_shown_and_not_ranked(synthetic, tmp_path):
    """Who offers no gradient has no row there; who does gets no rank, and nothing changes in the means."""
    records = [
        synthetic.record("open", separation=2, attacks={"fgsm": True}),
        synthetic.record("shut", separation=1, attacks={"fgsm": False}),
        synthetic.record("mean", separation=0, role="floor", attacks={"fgsm": False}),
    ]
    section = Leaderboard.of(synthetic.tasks(tmp_path / "store", *records)).sections[0]
    boards = {board.test: board for board in section.boards}
    assert [row.detector for row in boards["fgsm"].rows] == ["open"]
    assert boards["fgsm"].is_attack and boards["fgsm"].rows[0].rank is None
    assert {s.detector: (s.mean_rank, len(s.tasks["moons/novelty"])) for s in section.standings} == {
        "open": (1.0, 1),
        "shut": (2.0, 1),
        "mean": (None, 1),
    }
