import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adbench import metrics
from adbench.builtin import adbench_thresholds
from adbench.errors import PluginError, UsageError
from adbench.evaluation import Evaluation, evaluate
from adbench.metric_names import DECISION_METRICS, RANK_METRICS
from adbench.specs import ThresholdSpec

FOUR_LABELS, FOUR_SCORES = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], [30, 270])
    return evaluate(y, rng.normal(size=300) + 2 * y, rng.normal(size=500), rate=0.1)


def test_four_points_by_hand():
    """Every number of a ranking of four, and of the limit .3 on it: both anomalies and one normal row flagged."""
    made = evaluate(
        FOUR_LABELS,
        FOUR_SCORES,
        thresholds={"at-0.3": (lambda train, rate: (-math.inf, 0.3), {}, 0.25)},
        train_scores=[0.0],
    )

    assert (made.n, made.n_anomalies, made.contamination) == (4, 2, 0.5)
    assert (made.auroc, made.auroc_variance, made.precision_at_n, made.fpr_at_95_tpr) == (0.75, 0.125, 0.5, 0.5)
    assert made.average_precision == pytest.approx(5 / 6)
    assert made.decisions["at-0.3"] == pytest.approx(
        {
            "lower": -math.inf,
            "upper": 0.3,
            "promised": 0.25,
            "uses_labels": False,
            "precision": 2 / 3,
            "recall": 1,
            "f1": 0.8,
            "f1_normal": 2 / 3,
            "false_alarm_rate": 0.5,
            "balanced_accuracy": 0.75,
            "mcc": 1 / math.sqrt(3),
        }
    )


def test_all_metrics_and_rules_are_there(result):
    """An evaluation has every listed metric, and a decision for every built-in rule and the oracle."""
    assert set(RANK_METRICS) <= set(vars(result))
    assert list(result.decisions) == [spec.name for spec in adbench_thresholds()] + ["oracle"]
    for decision in result.decisions.values():
        assert set(decision) == {"lower", "upper", "promised", "uses_labels", *DECISION_METRICS}


def test_promises_stand_beside_what_was_found(result):
    """The declared rate is the promise of 'contamination', a rule may promise nothing, and the oracle never does."""
    promised = {name: decision["promised"] for name, decision in result.decisions.items()}

    assert promised["contamination"] == 0.1
    assert promised["fixed-0.05"] is None and promised["oracle"] is None
    assert [name for name, decision in result.decisions.items() if decision["uses_labels"]] == ["oracle"]


def test_trivial_rules_are_the_lines_to_beat(result):
    """Always-anomaly has full recall and precision at contamination; always-normal flags nothing."""
    everything, nothing = result.decisions["always-anomaly"], result.decisions["always-normal"]

    assert (everything["recall"], everything["precision"], everything["false_alarm_rate"]) == (1, 0.1, 1)
    assert (nothing["recall"], nothing["f1"], nothing["false_alarm_rate"]) == (0, 0, 0)
    assert everything["balanced_accuracy"] == nothing["balanced_accuracy"] == 0.5
    assert everything["mcc"] == nothing["mcc"] == 0


def test_without_training_scores_only_rules_that_need_none_apply():
    """Fixed limits, the trivial rules and the oracle remain."""
    made = evaluate(FOUR_LABELS, FOUR_SCORES)

    assert list(made.decisions) == ["fixed-0.05", "always-normal", "always-anomaly", "oracle"]


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=3, max_size=25).filter(
        lambda rows: 0 < sum(y for y, _ in rows) < len(rows)
    )
)
def test_no_limit_beats_the_oracle(rows):
    """The oracle's F1 is the best over all limits, always-anomaly included, with ties flagged together."""
    y, s = np.array(rows).T
    oracle = evaluate(y, s, thresholds=[]).decisions["oracle"]
    by_limit = [metrics.f1(metrics.confusion(y == 1, s > limit)) for limit in (-1, *s)]

    assert oracle["f1"] == max(by_limit)
    assert oracle["f1"] == metrics.f1(metrics.confusion(y == 1, s > oracle["upper"]))


def test_json_is_strict_and_brings_everything_back(result):
    """An evaluation passes through strict JSON unchanged, infinite limits included."""
    text = json.dumps(result.to_dict(), allow_nan=False)

    assert Evaluation.from_dict(json.loads(text)) == result
    assert Evaluation.from_dict(result.to_dict()) == result


def test_the_same_input_gives_the_same_bytes(result):
    """Nothing depends on what ran before, nor on the global random state."""
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], [30, 270])
    again = evaluate(y, rng.normal(size=300) + 2 * y, rng.normal(size=500), rate=0.1)

    assert json.dumps(again.to_dict()) == json.dumps(result.to_dict())


def test_intervals_hold_their_estimates(result):
    """Both intervals are ordered around the estimate; the replicates are a hundred rising numbers."""
    assert result.auroc_interval[0] < result.auroc < result.auroc_interval[1]
    assert result.average_precision_interval[0] < result.average_precision < result.average_precision_interval[1]
    assert len(result.average_precision_replicates) == 100
    assert list(result.average_precision_replicates) == sorted(result.average_precision_replicates)


@pytest.mark.parametrize("kind", [bool, np.uint8, float])
def test_labels_may_be_of_any_number_type(kind):
    """Booleans, bytes and floats of 0 and 1 give the same evaluation."""
    assert evaluate(np.array(FOUR_LABELS, dtype=kind), FOUR_SCORES) == evaluate(FOUR_LABELS, FOUR_SCORES)


def test_a_rule_cannot_change_the_training_scores():
    """A rule that sorts in place fails under its own name instead of changing what the next rule sees."""
    train = np.array([3.0, 1.0, 2.0])

    with pytest.raises(PluginError, match="threshold 'rude' failed: ValueError"):
        evaluate(FOUR_LABELS, FOUR_SCORES, train, thresholds={"rude": (lambda s, rate: s.sort(), {}, None)})
    assert train.tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda train, rate: 1 / 0, "threshold 'bad' failed: ZeroDivisionError"),
        (lambda train, rate: (0.0, math.nan), "threshold 'bad' must return two limits"),
        (lambda train, rate: 0.5, "threshold 'bad' failed: TypeError"),
        (lambda train: (0.0, 1.0), "threshold 'bad' failed: TypeError"),
    ],
)
def test_a_broken_rule_is_named(rule, message):
    """A rule that fails, or returns no pair of limits, is an error that names it."""
    with pytest.raises(PluginError, match=message):
        evaluate(FOUR_LABELS, FOUR_SCORES, FOUR_SCORES, thresholds={"bad": (rule, {}, None)})


@pytest.mark.parametrize("target", ["adbench.thresholds:nowhere", "adbench.nowhere:rule"])
def test_a_rule_that_cannot_be_imported_is_named(target):
    """A spec's target is imported late; a wrong one is an error that names rule and target."""
    spec = ThresholdSpec(name="lost", target=target, summary="")

    with pytest.raises(PluginError, match=f"threshold 'lost': cannot import '{target}'"):
        evaluate(FOUR_LABELS, FOUR_SCORES, thresholds=[spec])


def test_the_oracles_name_is_reserved():
    """No rule may take the name that marks the use of test labels."""
    with pytest.raises(UsageError, match="must not be named 'oracle'"):
        evaluate(FOUR_LABELS, FOUR_SCORES, thresholds={"oracle": (lambda train, rate: (0, 1), {}, None)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_test": [0, 0, 0, 0]}, "both classes"),
        ({"y_test": [0, 1]}, "one shape"),
        ({"scores": [0.1, 0.2, math.nan, 0.3]}, "scores must be finite; 1 of 4"),
        ({"train_scores": [0.1, math.inf]}, "training scores must be finite; 1 of 2"),
        ({"train_scores": []}, "training scores must have shape"),
        ({"rate": 0}, r"'rate' must be in \(0, 1\); got 0"),
        ({"rate": math.nan}, "'rate' must be"),
    ],
)
def test_malformed_arguments_are_refused_in_one_line(arguments, message):
    """A malformed argument is an error that names it, never a number."""
    with pytest.raises(UsageError, match=message) as error:
        evaluate(**{"y_test": FOUR_LABELS, "scores": FOUR_SCORES, **arguments})

    assert "\n" not in str(error.value)
