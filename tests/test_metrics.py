import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from adbench import metrics
from adbench.errors import UsageError
from adbench.metric_names import DECISION_METRICS, METRICS, RANK_METRICS

RANKS = [getattr(metrics, name) for name in RANK_METRICS]
DECISIONS = [getattr(metrics, name) for name in DECISION_METRICS]

FOUR_LABELS, FOUR_SCORES = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]


@st.composite
def scored(draw):
    """Labels of both classes, and small whole scores with many ties."""
    n = draw(st.integers(2, 40))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda y: 0 < sum(y) < n))
    return np.array(y), np.array(draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n)), dtype=float)


def test_four_points_by_hand():
    """Ranked anomaly, normal, anomaly, normal: 3 of 4 pairs right; precisions 1 and 2/3; one of the top two right."""
    made = {metric.__name__: metric(FOUR_LABELS, FOUR_SCORES) for metric in RANKS}

    assert made == pytest.approx(
        {"auroc": 0.75, "average_precision": (1 + 2 / 3) / 2, "precision_at_n": 0.5, "fpr_at_95_tpr": 0.5}
    )


def test_a_constant_score_is_at_chance_in_every_metric():
    """With all rows tied nothing can be told apart: AUROC .5, precision = contamination, all flagged at once."""
    y = [0, 0, 0, 1]

    assert [metric(y, [2.0] * 4) for metric in RANKS] == [0.5, 0.25, 0.25, 1.0]


def test_precision_at_n_with_ties_is_the_mean_over_all_orders():
    """Two places, one sure anomaly, then one anomaly and two normal rows tied for one place: (1 + 1/3) / 2."""
    assert metrics.precision_at_n([1, 1, 0, 0, 0], [9, 5, 5, 5, 1]) == pytest.approx(2 / 3)


def test_fpr_at_95_tpr_counts_anomalies_in_integers():
    """19 of 20 anomalies are 95 %, although .95 * 20 is a rounded product; the last may be missed."""
    y = [1] * 19 + [0] * 4 + [1]

    assert metrics.fpr_at_95_tpr(y, np.arange(24)[::-1]) == 0
    assert metrics.fpr_at_95_tpr([1] * 18 + [0] * 4 + [1] * 2, np.arange(24)[::-1]) == 1


@given(scored())
def test_rank_metrics_equal_scikit_learns(case):
    """AUROC, average precision and the false-alarm rate at 95 % recall are scikit-learn's, ties included."""
    y, s = case
    fpr, tpr, _ = reference.roc_curve(y, s, drop_intermediate=False)

    assert metrics.auroc(y, s) == pytest.approx(reference.roc_auc_score(y, s))
    assert metrics.average_precision(y, s) == pytest.approx(reference.average_precision_score(y, s))
    assert metrics.fpr_at_95_tpr(y, s) == fpr[tpr >= 0.95 - 1e-12][0]


@given(scored(), st.randoms())
def test_rank_metrics_depend_on_ranks_only(case, random):
    """A rising map of the scores and another order of the rows change nothing."""
    y, s = case
    order = random.sample(range(len(y)), len(y))

    for metric in RANKS:
        assert metric(y, s) == metric(y, np.exp(s / 3)) == metric(y[order], s[order])


@given(scored())
def test_a_flipped_sign_mirrors_auroc(case):
    """Negated scores give one minus AUROC, and so do exchanged labels."""
    y, s = case

    assert metrics.auroc(y, -s) == pytest.approx(1 - metrics.auroc(y, s))
    assert metrics.auroc(1 - y, s) == pytest.approx(1 - metrics.auroc(y, s))


@given(scored())
def test_decision_metrics_equal_scikit_learns(case):
    """All decision metrics are scikit-learn's; with nothing to divide they are 0."""
    y, s = case
    flagged = s > 0
    counts = metrics.confusion(y.astype(bool), flagged)
    kwargs = {"zero_division": 0}
    expected = {
        "precision": reference.precision_score(y, flagged, **kwargs),
        "recall": reference.recall_score(y, flagged, **kwargs),
        "f1": reference.f1_score(y, flagged, **kwargs),
        "f1_normal": reference.f1_score(y, flagged, pos_label=0, **kwargs),
        "false_alarm_rate": 1 - reference.recall_score(y, flagged, pos_label=0, **kwargs),
        "balanced_accuracy": reference.balanced_accuracy_score(y, flagged),
        "mcc": reference.matthews_corrcoef(y, flagged),
    }

    assert {metric.__name__: metric(counts) for metric in DECISIONS} == pytest.approx(expected)


def test_empty_counts_give_zero():
    """Nothing of nothing is 0 in every ratio, never NaN and never an error."""
    nothing = metrics.Confusion(0, 0, 0, 0)

    assert [m(nothing) for m in DECISIONS if m is not metrics.balanced_accuracy] == [0.0] * 6


def test_mcc_of_large_counts_is_exact():
    """The product of four counts of a million rows does not overflow."""
    assert metrics.mcc(metrics.Confusion(10**6, 0, 0, 10**6)) == 1


@pytest.mark.parametrize("metric", RANKS)
@pytest.mark.parametrize(
    ("y", "s", "message"),
    [
        ([0, 1], [0.1, np.nan], "scores must be finite; 1 of 2"),
        ([0, 1], [0.1, np.inf], "scores must be finite"),
        ([0, 1], [[0.1], [0.2]], r"shape \(n_samples,\)"),
        ([], [], "one or more"),
        ([0, 1, 1], [0.1, 0.2], "one shape"),
        ([0, 2], [0.1, 0.2], "1 .anomaly. or 0"),
        (["no", "yes"], [0.1, 0.2], "1 .anomaly. or 0"),
        ([0, 0], [0.1, 0.2], "both classes, 0 and 1; all 2 are 0"),
        ([1, 1], [0.1, 0.2], "all 2 are 1"),
        ([0, 1], ["a", "b"], "scores must be numbers"),
    ],
)
def test_malformed_input_is_refused_in_one_line(metric, y, s, message):
    """A metric of malformed labels or scores is an error that says what is wrong, never a number."""
    with pytest.raises(UsageError, match=message) as error:
        metric(y, s)

    assert "\n" not in str(error.value)


def test_every_listed_metric_is_a_function():
    """The table of names, which listing shows, and the functions agree."""
    public = {
        name
        for name, value in vars(metrics).items()
        if inspect.isfunction(value) and not name.startswith(("_", "check_")) and value.__module__ == metrics.__name__
    }

    assert public - {"ranked_counts", "confusion"} == set(METRICS)
