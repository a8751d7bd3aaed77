"""Comparison over datasets, checked against scipy and scikit-posthocs."""

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adbench.reporting.ranking import ALPHA, compare, holm, wilcoxon

FAILED = -math.inf


def table_of(rows):
    """Detectors named a, b, c ... with these values."""
    return {chr(97 + place): [float(value) for value in row] for place, row in enumerate(rows)}


def drawn(seed, k=8, n=15, step=0.05, decimals=17):
    """Values of k detectors on n blocks that differ by steps in the mean, with ties if rounded."""
    rng = np.random.default_rng(seed)
    return table_of((rng.normal(step * np.arange(k)[:, None], 0.1, (k, n)) + rng.normal(0, 0.3, n)).round(decimals))


def share_a_group(comparison, i, j):
    return any({i, j} <= set(group) for group in comparison.groups)


def pairs(comparison):
    return itertools.combinations(range(len(comparison.names)), 2)


@pytest.mark.parametrize("decimals", [17, 1])
@pytest.mark.parametrize("k", [3, 4, 5, 14, 101])
def test_friedman_is_scipys(k, decimals):
    """The statistic, corrected for ties, and its p-value, for even and odd degrees of freedom."""
    from scipy.stats import friedmanchisquare

    values = drawn(k, k=k, step=0.01, decimals=decimals)

    made = compare(values)

    assert (made.chi2, made.friedman) == pytest.approx(friedmanchisquare(*values.values()))


@pytest.mark.parametrize("n", [1, 2, 5, 10, 25, 50, 51, 200])
def test_wilcoxon_is_scipys(n):
    """Without ties: exact up to 50 differences, then the normal approximation."""
    from scipy.stats import wilcoxon as scipys

    a, b = np.random.default_rng(n).normal([[0.3], [0]], 1, (2, n))

    assert wilcoxon(a, b) == pytest.approx(scipys(a, b, method="exact" if n <= 50 else "approx").pvalue)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9))
def test_wilcoxon_is_exact_with_ties(pairs):
    """The p-value counts the signs of the differences, among all that are equally likely, that say as much or more."""
    from scipy.stats import rankdata

    differences = np.array([a - b for a, b in pairs if a != b])
    ranks = rankdata(abs(differences))
    signs = np.array(list(itertools.product([0, 1], repeat=len(ranks))))
    away = abs(signs @ ranks - ranks.sum() / 2)
    expected = np.mean(away >= abs(ranks[differences > 0].sum() - ranks.sum() / 2) - 1e-9)

    assert wilcoxon(*zip(*pairs, strict=True)) == pytest.approx(expected)


def test_equal_values_are_equal_whatever_their_last_bit():
    """Means of the same numbers added in another order tie, and so do their differences."""
    a, b = [0.1 + 0.2, 0.9, 0.4], [0.3, 0.8, 0.3]

    assert wilcoxon(a, b) == wilcoxon([0.3, 2, 2], [0.3, 1, 1]) == 0.5
    assert compare({"a": a[:1], "b": b[:1]}).mean_ranks == (1.5, 1.5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_statsmodels(p_values):
    """The corrected values are those of the library that scikit-posthocs uses."""
    from statsmodels.stats.multitest import multipletests

    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


@pytest.mark.parametrize(("seed", "k", "n"), [(7, 3, 16), (1, 8, 15), (2, 14, 20), (3, 20, 49), (4, 6, 60)])
def test_pairs_and_groups_are_scikit_posthocs(seed, k, n):
    """Corrected p-values, and the groups under its bars, are those of an independent implementation."""
    import pandas as pd
    from scikit_posthocs import posthoc_wilcoxon
    from scikit_posthocs._plotting import _find_maximal_cliques

    values = drawn(seed, k, n)
    theirs = posthoc_wilcoxon(pd.DataFrame(values).melt(), "value", "variable", p_adjust="holm")
    together = ((theirs >= ALPHA) & ~np.eye(k, dtype=bool)).astype(int)

    ours = compare(values)

    assert ours.friedman < ALPHA
    for i, j in pairs(ours):
        a, b = ours.names[i], ours.names[j]
        assert ours.p_values[i][j] == ours.p_values[j][i] == pytest.approx(theirs.loc[a, b])
        assert share_a_group(ours, i, j) == bool(together.loc[a, b])
    cliques = {frozenset(clique) for clique in _find_maximal_cliques(together) if len(clique) > 1}
    assert {frozenset(ours.names[i] for i in group) for group in ours.groups} <= cliques


@given(st.integers(2, 9), st.integers(0, 10**6), st.integers(4, 40))
def test_groups_and_letters_say_what_is_separated(k, seed, n):
    """Two detectors share a group and a letter exactly if they are not separated; no group can take one more."""
    made = compare(drawn(seed, k, n, decimals=1))
    letters = [set(re.findall(r"[a-z]|\[\d+\]", shown)) for shown in made.letters]

    def apart(i, j):
        return (made.friedman is None or made.friedman < ALPHA) and made.p_values[i][j] < ALPHA

    for i, j in pairs(made):
        assert share_a_group(made, i, j) == bool(letters[i] & letters[j]) == (not apart(i, j))
    for group in made.groups:
        for other in set(range(k)) - set(group):
            assert any(apart(other, member) for member in group)


def test_letters_go_on_after_z():
    """Thirty detectors, each better than the next on every block, have thirty different marks."""
    values = {f"d{place:02}": [-place + block / 100 for block in range(20)] for place in range(30)}

    letters = compare(values).letters

    assert [letters[0], letters[25], letters[26]] == ["a", "z", "[26]"]
    assert len(set(letters)) == 30


def test_names_stand_in_the_order_of_their_mean_ranks():
    """Best first; equal mean ranks in the order of the alphabet."""
    comparison = compare({"b": [0.9, 0.5], "c": [0.8, 0.7], "a": [0.7, 0.6]})

    assert comparison.names == ("c", "b", "a")
    assert comparison.mean_ranks == (1.5, 2.0, 2.5)


def test_failures_rank_last_and_tie():
    """A detector that failed on a block is behind all that did not; two failures share their rank."""
    comparison = compare({"fine": [0.4, 0.3], "once": [0.9, FAILED], "twice": [FAILED, FAILED]})

    assert dict(zip(comparison.names, comparison.mean_ranks, strict=True)) == {"fine": 1.5, "once": 1.75, "twice": 2.75}


def test_a_failure_counts_as_the_greatest_difference():
    """In Wilcoxon's test a failure outweighs any difference of values, and two failures do not differ."""
    assert wilcoxon([0.6, 0.6, 0.6, FAILED], [0.5, 0.4, 0.3, 0.2]) == wilcoxon([1, 2, 3, -4], [0] * 4)
    assert wilcoxon([FAILED, FAILED], [FAILED, FAILED]) == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (table_of([[0.5]]), "One detector stands on all of 1 dataset: there is nothing to compare it with."),
        (
            table_of([[0.5], [0.6]]),
            "1 dataset cannot tell any two of 2 detectors apart, whatever the results: the smallest p-value that "
            "Wilcoxon's test with Holm's correction for 1 pair could reach is 1, and 0.05 is needed. At least 6 "
            "datasets would be.",
        ),
        (
            drawn(0, k=14, n=5),
            "5 datasets cannot tell any two of 14 detectors apart, whatever the results: the smallest p-value that "
            "Wilcoxon's test with Holm's correction for 91 pairs could reach is 1, and 0.05 is needed. At least 12 "
            "datasets would be.",
        ),
        (
            table_of([range(8), range(1, 9)]),
            "Wilcoxon's test with Holm's correction tells 1 of 1 pair of detectors apart (smallest p-value it could "
            "reach here: 0.0078).",
        ),
        (
            table_of([[0.5] * 9] * 3),
            "Friedman's test over 9 datasets: p = 1; these results do not tell 3 detectors apart.",
        ),
        (
            table_of([[FAILED] * 9] * 3),
            "Friedman's test over 9 datasets: p = 1; these results do not tell 3 detectors apart.",
        ),
        (
            drawn(1, k=3, n=20, step=0),
            "Friedman's test over 20 datasets: p = 0.95; these results do not tell 3 detectors apart.",
        ),
        (
            drawn(2, k=4, n=20, step=0.1),
            "Friedman's test over 20 datasets: p = 1.1e-07; Wilcoxon's test with Holm's correction tells 5 of 6 pairs "
            "of detectors apart (smallest p-value it could reach here: 1.1e-05).",
        ),
    ],
)
def test_the_sentence_says_what_was_found(values, sentence):
    """One plain line for each outcome, also where there is nothing to test."""
    assert compare(values).sentence == sentence


def test_friedman_guards_the_pairs():
    """If no difference is found at all, no pair is separated, whatever its own p-value."""
    rng = np.random.default_rng(0)
    noise = {f"noise-{place}": rng.normal(0, 1, 16).tolist() for place in range(12)}
    better = rng.normal(0, 1, 16)
    pair = {"better": better.tolist(), "worse": (better - 0.001 - 0.001 * rng.random(16)).tolist()}

    made = compare(noise | pair)
    p = made.p_values[made.names.index("better")][made.names.index("worse")]

    assert p < ALPHA < made.friedman
    assert made.groups == (tuple(range(14)),)


@given(st.integers(2, 20), st.integers(1, 25))
def test_the_smallest_p_value_is_reached_by_winning_always(k, n):
    """No outcome has a smaller corrected p-value than a detector that is better everywhere, and that one reaches it."""
    values = {"best": [1.0 + block / 100 for block in range(n)]} | {f"d{place}": [0.0] * n for place in range(k - 1)}
    made, other = compare(values), compare(drawn(n, k, n))

    assert min(map(min, made.p_values)) == pytest.approx(made.smallest_p)
    assert min(map(min, other.p_values)) >= made.smallest_p * (1 - 1e-9)


@pytest.mark.parametrize("values", [{}, {"a": [0.5, 0.6], "b": [0.5]}, {"a": []}, {"a": [math.nan]}])
def test_what_cannot_be_ranked_is_refused(values):
    """Unequal lengths, no blocks and NaN are errors of one line."""
    with pytest.raises(ValueError, match=r"^[^\n]+; got [^\n]+$"):
        compare(values)
