import math
import subprocess
import sys
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adbench import thresholds
from adbench.builtin import adbench_thresholds

SPECS = {spec.name: spec for spec in adbench_thresholds()}
scores = arrays(float, st.integers(1, 50), elements=st.floats(-1e6, 1e6))


def apply(spec, train_scores, rate=0.05):
    rule = getattr(thresholds, spec.target.partition(":")[2])
    return rule(np.asarray(train_scores, dtype=float), rate, **spec.params)


def share_flagged(values, limits):
    lower, upper = limits
    return np.mean((values < lower) | (values > upper))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contamination", (-math.inf, 4.8)),  # 5 % below the greatest of five, a quarter of a step each: 5 - .2
        ("zscore-1", (-math.inf, 3 + math.sqrt(2))),
        ("zscore-two-sided-2", (3 - 2 * math.sqrt(2), 3 + 2 * math.sqrt(2))),
        ("zscore-per-sample-3", (-math.inf, math.inf)),
        ("mad", (-math.inf, 3 + 3 * 1.4826022)),  # deviations 2 1 0 1 2: their median is 1
        ("iqr", (-math.inf, 4 + 1.5 * 2)),
        ("fixed-0.05", (-math.inf, 0.05)),
        ("always-normal", (-math.inf, math.inf)),
        ("always-anomaly", (math.inf, -math.inf)),
    ],
)
def test_limits_by_hand(name, expected):
    """Training scores 1 to 5: mean and median 3, variance 2, quartiles 2 and 4."""
    assert apply(SPECS[name], [4, 1, 5, 2, 3]) == pytest.approx(expected)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_promised_false_alarm_rate_is_kept_on_normal_scores(spec):
    """Where scores are normally distributed, each rule flags the share that it promises."""
    values = np.array([NormalDist().inv_cdf((i + 0.5) / 100_000) for i in range(100_000)])
    promised = 0.05 if spec.promises == "rate" else spec.promises

    if promised is not None:
        assert share_flagged(values, apply(spec, values)) == pytest.approx(promised, abs=2e-5)


def test_two_sided_promises_are_the_textbook_rates():
    """One, two and three standard deviations leave 31.7, 4.55 and 0.27 % outside."""
    promised = [SPECS[f"zscore-two-sided-{k}"].promises for k in (1, 2, 3)]

    assert promised == pytest.approx([0.3173, 0.0455, 0.0027], abs=5e-5)


@given(scores, st.floats(0.01, 0.5))
def test_contamination_flags_at_most_the_declared_share(train_scores, rate):
    """Of the training rows no more than the declared rate is flagged, whatever ties; at most one row by rounding up."""
    flagged = share_flagged(train_scores, thresholds.contamination(train_scores, rate)) * len(train_scores)

    assert flagged <= math.ceil(rate * len(train_scores))


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@given(value=st.integers(-(10**6), 10**6).map(lambda v: v / 7), n=st.integers(1, 9))
def test_equal_training_scores_are_not_flagged_by_a_scaled_rule(spec, value, n):
    """A detector that scores constantly is not flagged by rounding error; only fixed limits may flag it."""
    train_scores = np.full(n, value)

    if spec.name not in ("fixed-0.05", "always-anomaly"):
        assert share_flagged(train_scores, apply(spec, train_scores)) == 0


def test_a_two_sided_rule_finds_anomalies_that_score_low():
    """Images simpler than the training images are rebuilt better: only the lower limit finds them."""
    train_scores = np.random.default_rng(0).normal(0.27, 0.01, 1000)
    low = np.full(10, 0.1)

    assert share_flagged(low, apply(SPECS["zscore-3"], train_scores)) == 0
    assert share_flagged(low, apply(SPECS["zscore-two-sided-3"], train_scores)) == 1


anywhere = st.one_of(st.floats(-1e300, 1e300), st.floats(-1e-300, 1e-300), st.sampled_from([0.0, 1.0, 1e300]))
any_scores = arrays(float, st.integers(1, 50), elements=anywhere)  # extreme, subnormal, tied


@given(any_scores, any_scores, st.floats(1, 1e6))
def test_each_scores_own_deviation_can_never_flag(train_scores, test_scores, k):
    """A published formula takes |e - mean| of the row itself as its deviation: no row exceeds its own by k >= 1."""
    for values in (train_scores, test_scores):
        assert not thresholds.exceeds_own_deviation(values, train_scores.mean(), k).any()


@given(any_scores, any_scores, st.sampled_from([0.25, 0.5, 1, 1.5, 2, 3, 100]))
def test_the_rule_flags_exactly_what_the_literal_formula_flags(train_scores, test_scores, k):
    """Its limits are the formula's for any k: below 1 all but the mean is flagged, from 1 on nothing."""
    lower, upper = thresholds.zscore_per_sample(train_scores, 0.05, k=k)

    for values in (train_scores, test_scores, train_scores.mean(keepdims=True)):
        literally = thresholds.exceeds_own_deviation(values, train_scores.mean(), k)
        assert (((values < lower) | (values > upper)) == literally).all()


@pytest.mark.parametrize(("k", "flagged"), [(0.5, [True, False, True]), (1, [False] * 3), (3, [False] * 3)])
def test_the_literal_formula_by_hand(k, flagged):
    """Errors 1, 2 and 6 lie 1, 0 and 4 from a mean of 2: beyond half their own distance, never beyond all of it."""
    assert thresholds.exceeds_own_deviation(np.array([1.0, 2.0, 6.0]), 2.0, k).tolist() == flagged


def test_listing_the_rules_imports_no_array_library():
    """The built-in plugin is read by every 'adbench list', so it must stay light."""
    code = "import sys, adbench.builtin, adbench.metric_names as m; print('numpy' in sys.modules, len(m.METRICS))"

    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert made.stdout.split() == ["False", "11"]
