from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from adbench import intervals
from adbench.intervals import (
    Interval,
    auroc_interval,
    average_precision_replicates,
    combine_auroc,
    combine_differences,
    combine_replicates,
    delong,
    delong_difference,
    percentile_interval,
    thin,
)
from adbench.metrics import average_precision

FOUR_LABELS, FOUR_SCORES = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]


def binormal(rng, n_anomalies, n_normals, auroc=0.9, spread=1.0):
    """Labels and scores: normal rows are N(0, 1), anomalies N(mean, spread^2) with this true AUROC."""
    mean = NormalDist().inv_cdf(auroc) * np.hypot(1, spread)
    y = np.repeat([1, 0], [n_anomalies, n_normals])
    return y, np.concatenate([rng.normal(mean, spread, n_anomalies), rng.normal(0, 1, n_normals)])


def one_interval(y, scores):
    (auroc,), ((variance,),) = delong(y, scores)
    return auroc_interval(float(auroc), float(variance), min(y.sum(), len(y) - y.sum()))


def test_delong_of_four_points_by_hand():
    """Placements 1/2 and 1 of the anomalies, 1 and 1/2 of the normal rows: variance 1/8 each, halved and added."""
    (auroc,), ((variance,),) = delong(FOUR_LABELS, FOUR_SCORES)

    assert (auroc, variance) == (0.75, 0.125)


def test_delong_equals_the_definition_over_all_pairs():
    """The sorted computation gives what the O(n^2) definition gives, ties and covariances included."""
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], [12, 30])
    both = rng.integers(0, 6, (2, 42)) + y
    pairs = both[:, y == 1][:, :, None] - both[:, y == 0][:, None, :]
    right = (pairs > 0) + 0.5 * (pairs == 0)  # (2, n_anomalies, n_normals)

    aurocs, covariance = delong(y, *both)

    assert aurocs == pytest.approx([roc_auc_score(y, s) for s in both])
    assert covariance == pytest.approx(np.cov(right.mean(axis=2)) / 12 + np.cov(right.mean(axis=1)) / 30)


@given(st.floats(0, 1), st.floats(0, 0.25), st.integers(1, 10_000))
def test_an_auroc_interval_holds_its_estimate_within_bounds(auroc, variance, n_smaller):
    """Limits are ordered, within [0, 1], and mirrored when the score's sign is."""
    estimate, lower, upper = auroc_interval(auroc, variance, n_smaller)
    mirrored = auroc_interval(1 - auroc, variance, n_smaller)

    assert 0 <= lower <= estimate <= upper <= 1
    assert (mirrored.lower, mirrored.upper) == pytest.approx((1 - upper, 1 - lower), abs=1e-9)


@pytest.mark.parametrize("n_anomalies", [1, 2, 10, 1000])
def test_a_perfect_ranking_is_not_certain(n_anomalies):
    """At AUROC 1 and average precision 1 the interval is not empty, and narrows with the anomalies."""
    y = np.repeat([1, 0], [n_anomalies, 1000])
    ap = percentile_interval(1.0, average_precision_replicates(y, y))

    for interval in (one_interval(y, y), ap):
        assert interval.upper == 1
        assert 1 - 4 / n_anomalies < interval.lower < 1 - 1 / (2 * n_anomalies)


def test_a_constant_score_is_known_to_be_at_chance():
    """A score that never varies has AUROC .5 without error."""
    y = np.repeat([1, 0], [10, 50])

    assert one_interval(y, np.ones(60)) == (0.5, 0.5, 0.5)


def test_few_anomalies_widen_the_interval():
    """A single anomaly says little; a thousand say much, at the same AUROC."""
    widths = [np.subtract(*auroc_interval(0.9, 0.09 / n, n)[:0:-1]) for n in (1, 10, 1000)]

    assert widths[0] > 0.7 > 0.5 > widths[1] > 10 * widths[2]


def test_the_same_score_twice_does_not_differ():
    """The difference of a score and a rising map of it is 0, and the interval says so on both sides."""
    y, s = binormal(np.random.default_rng(1), 20, 200)

    difference, lower, upper = delong_difference(y, s, np.exp(s))

    assert difference == 0
    assert -0.04 < lower < 0 < upper < 0.04


def test_pairing_narrows_the_difference():
    """Scores that agree on which rows are hard are told apart where independent ones are not."""
    rng = np.random.default_rng(2)
    y, s = binormal(rng, 100, 500, auroc=0.85)
    _, other = binormal(rng, 100, 500, auroc=0.8)
    worse = s + rng.normal(0, 0.7, len(s))

    paired, unpaired = delong_difference(y, s, worse), delong_difference(y, s, other)

    assert paired.lower > 0
    assert paired.upper - paired.lower < 0.6 * (unpaired.upper - unpaired.lower)


def test_the_difference_to_a_constant_is_the_interval_itself():
    """Against a floor that never varies only the score's own error counts."""
    y, s = binormal(np.random.default_rng(3), 15, 300)

    assert delong_difference(y, s, np.zeros(len(y))) == pytest.approx([v - 0.5 for v in one_interval(y, s)])


def test_differences_are_antisymmetric():
    """Exchanging the scores exchanges and negates the limits."""
    rng = np.random.default_rng(4)
    y, a = binormal(rng, 8, 40)
    b = rng.normal(size=48)

    difference, lower, upper = delong_difference(y, a, b)

    assert delong_difference(y, b, a) == pytest.approx((-difference, -upper, -lower))


def test_replicates_repeat_and_follow_the_seed():
    """The same arguments give the same replicates; the order of the rows does not matter."""
    y, s = binormal(np.random.default_rng(5), 30, 300)
    first = average_precision_replicates(y, s)

    assert np.array_equal(first, average_precision_replicates(y[::-1], s[::-1]))
    assert not np.array_equal(first, average_precision_replicates(y, s, seed=1))


def test_replicates_equal_a_plain_weighted_bootstrap():
    """Weights drawn per run have the distribution of weights drawn per row, ties included."""
    rng = np.random.default_rng(6)
    y, s = binormal(rng, 40, 400)
    s = s.round(1)
    score = np.append(s[y == 1], [99, -99])  # a part of an anomaly above all rows, a whole one below
    shape = (1 - 1.5 / 40) * np.append(np.ones(40), [0.35, 1])
    of_anomalies, of_normals = rng.standard_gamma(shape, (800, 42)), rng.standard_exponential((800, 400))
    of_anomalies *= 40 / of_anomalies.sum(axis=1, keepdims=True)
    of_normals *= 400 / of_normals.sum(axis=1, keepdims=True)
    above = of_anomalies @ (score[:, None] >= score)
    above -= of_anomalies * (1 - above / 40)  # an anomaly does not count towards its own precision
    above[:, 40] = 1
    false = of_normals @ (s[y == 0][:, None] >= score)
    plain = (of_anomalies * above / (above + false)).sum(axis=1) / 40

    made = average_precision_replicates(y, s, n_replicates=800)

    assert made.mean() == pytest.approx(np.mean(plain), abs=0.012)
    assert made.std() == pytest.approx(np.std(plain), rel=0.12)


def test_a_constant_score_has_the_average_precision_of_chance():
    """If all rows tie, average precision is the share of anomalies without error."""
    replicates = average_precision_replicates([1, 0, 0, 0], np.ones(4))

    assert percentile_interval(0.25, replicates) == (0.25, 0.25, 0.25)


def test_sharing_points_of_the_curve_hardly_moves_the_replicates(monkeypatch):
    """With many anomalies, 100 points of the curve give the mean and spread that all points give."""
    y, s = binormal(np.random.default_rng(7), 2000, 2000)
    shared = average_precision_replicates(y, s, n_replicates=1000)
    monkeypatch.setattr(intervals, "_MAX_RUNS", 10**6)

    every = average_precision_replicates(y, s, n_replicates=1000)

    assert abs(shared.mean() - every.mean()) < 0.2 * every.std()
    assert shared.std() == pytest.approx(every.std(), rel=0.12)


def test_thinned_replicates_keep_the_interval():
    """A hundred quantiles give the limits that all replicates give."""
    replicates = np.random.default_rng(8).random(5000)

    assert percentile_interval(0.5, thin(replicates)) == pytest.approx(percentile_interval(0.5, replicates))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0, 1))
def test_percentiles_are_hazens(replicates, estimate):
    """The limits are numpy's quantiles by Hazen's rule, moved to hold the estimate; order does not matter."""
    lower, upper = np.quantile(replicates, (0.025, 0.975), method="hazen")

    made = percentile_interval(estimate, replicates)

    assert made == pytest.approx((estimate, min(lower, estimate), max(upper, estimate)), abs=1e-12)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.1), st.floats(0, 0.1)), min_size=2, max_size=6))
def test_combining_adds_the_variance_between_repetitions(rows):
    """Mean of the variances within, plus the variance of the mean between: as numpy computes them."""
    values, below, above = np.array(rows).T
    between = values.var(ddof=1) / len(values)
    mean = values.mean()
    differences = [Interval(v, v - b, v + a) for v, b, a in rows]
    reach = [np.sqrt(np.mean(side**2) + 1.959963984540054**2 * between) for side in (below, above)]

    assert combine_auroc(values, below, 20) == pytest.approx(auroc_interval(mean, below.mean() + between, 20), abs=1e-9)
    assert combine_differences(differences) == pytest.approx((mean, mean - reach[0], mean + reach[1]), abs=1e-7)


def test_one_repetition_gives_its_own_interval():
    """Combining a single repetition changes nothing, for each of the three combinations."""
    y, s = binormal(np.random.default_rng(9), 12, 100)
    replicates = thin(average_precision_replicates(y, s))
    (auroc,), ((variance,),) = delong(y, s)
    difference = delong_difference(y, s, np.roll(s, 1))

    assert combine_auroc([auroc], [variance], 12) == one_interval(y, s)
    assert np.array_equal(combine_replicates([replicates]), replicates)
    assert combine_differences([difference]) == pytest.approx(difference)


def test_equal_repetitions_do_not_narrow_the_interval():
    """Repetitions share their test rows: repeating one result five times adds no knowledge."""
    replicates = np.linspace(0.4, 0.6, 100)
    difference = Interval(0.2, 0.1, 0.25)

    assert combine_auroc([0.9] * 5, [0.001] * 5, 20) == pytest.approx(combine_auroc([0.9], [0.001], 20))
    assert combine_differences([difference] * 5) == pytest.approx(difference)
    assert percentile_interval(0.5, combine_replicates([replicates] * 5)) == pytest.approx(
        percentile_interval(0.5, replicates), abs=1e-3
    )


def test_disagreeing_repetitions_widen_the_interval():
    """A detector whose result depends on its seed has a wider interval than one whose does not."""
    steady, erratic = [0.8, 0.8, 0.8], [0.7, 0.8, 0.9]
    differences = [[Interval(v, v - 0.01, v + 0.01) for v in values] for values in (steady, erratic)]
    replicates = [combine_replicates([np.linspace(v - 0.01, v + 0.01, 100) for v in v3]) for v3 in (steady, erratic)]

    made = [
        [combine_auroc(values, [1e-5] * 3, 1000) for values in (steady, erratic)],
        [combine_differences(values) for values in differences],
        [percentile_interval(0.8, values) for values in replicates],
    ]

    for narrow, wide in made:
        assert narrow.estimate == pytest.approx(wide.estimate)
        assert wide.upper - wide.lower > 3 * (narrow.upper - narrow.lower)


def assert_covers(n_covered, n_draws):
    """The share is in 93 to 97 %, give or take 2.5 standard errors of the simulation."""
    error = 2.5 * np.sqrt(0.05 * 0.95 / n_draws)

    assert 0.93 - error < n_covered / n_draws < 0.97 + error


@pytest.mark.slow
@pytest.mark.parametrize("spread", [1.0, 2.5])
@pytest.mark.parametrize("auroc", [0.6, 0.9, 0.99])
@pytest.mark.parametrize(("n_anomalies", "n_normals"), [(10, 500), (100, 1000), (1000, 1000)])
def test_auroc_intervals_cover_the_truth(n_anomalies, n_normals, auroc, spread):
    """95 % intervals hold the true AUROC in 93 to 97 % of 4000 draws."""
    rng = np.random.default_rng(10)
    made = [one_interval(*binormal(rng, n_anomalies, n_normals, auroc, spread)) for _ in range(4000)]

    assert_covers(sum(lower <= auroc <= upper for _, lower, upper in made), 4000)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [1.0, 2.5])
@pytest.mark.parametrize("auroc", [0.6, 0.9, 0.99])
@pytest.mark.parametrize(
    ("n_anomalies", "n_normals", "n_draws"), [(10, 500, 4000), (100, 1000, 1000), (1000, 1000, 500)]
)
def test_average_precision_intervals_cover_the_truth(n_anomalies, n_normals, n_draws, auroc, spread):
    """95 % intervals hold the true average precision in 93 to 97 % of the draws."""
    mean = NormalDist().inv_cdf(auroc) * np.hypot(1, spread)
    limits = np.linspace(-6, mean + 6 * spread, 2001)
    tpr = np.array([1 - NormalDist(mean, spread).cdf(t) for t in limits])
    fpr = np.array([1 - NormalDist().cdf(t) for t in limits])
    truth = -np.trapezoid(n_anomalies * tpr / (n_anomalies * tpr + n_normals * fpr), tpr)
    rng = np.random.default_rng(11)

    covered = 0
    for _ in range(n_draws):
        y, s = binormal(rng, n_anomalies, n_normals, auroc, spread)
        _, lower, upper = percentile_interval(average_precision(y, s), average_precision_replicates(y, s))
        covered += lower <= truth <= upper

    assert_covers(covered, n_draws)


@pytest.mark.slow
@pytest.mark.parametrize(("n_anomalies", "n_normals"), [(10, 500), (100, 1000)])
@pytest.mark.parametrize(("first", "second"), [(0.9, 0.9), (0.9, 0.5), (0.99, 0.99)])
def test_difference_intervals_cover_the_truth(n_anomalies, n_normals, first, second):
    """Paired 95 % intervals hold the true difference in 92 % of the draws or more, less sampling error."""
    rng = np.random.default_rng(12)
    covered = 0
    for _ in range(2000):
        y, s = binormal(rng, n_anomalies, n_normals, 0.5)
        _, t = binormal(rng, n_anomalies, n_normals, 0.5)
        mean_a, mean_b = (NormalDist().inv_cdf(auroc) * np.sqrt(2) for auroc in (first, second))
        _, lower, upper = delong_difference(y, s + mean_a * y, 0.8 * s + 0.6 * t + mean_b * y)
        covered += lower <= first - second <= upper

    assert covered / 2000 > 0.91
