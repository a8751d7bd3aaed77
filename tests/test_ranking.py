"""Comparisons over datasets: against scikit-posthocs and scipy, and at the edges."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from adbench.reporting.ranking import compare


def table(n_detectors, n_blocks, *, step=0.0, seed=0):
    draw = np.random.default_rng(seed).normal(size=(n_detectors, n_blocks))
    return {f"d{number:02}": (line - step * number).tolist() for number, line in enumerate(draw)}


@pytest.mark.parametrize(("n_detectors", "n_blocks"), [(3, 8), (6, 12), (14, 16), (5, 60)])
def test_p_values_are_those_of_scikit_posthocs(n_detectors, n_blocks):
    """Pairwise p-values with Holm's correction, and Friedman's, are those of two independent libraries."""
    posthocs = pytest.importorskip("scikit_posthocs")
    values = table(n_detectors, n_blocks, step=0.4)

    made = compare(values)

    ordered = np.array([values[name] for name in made.names])
    expected = posthocs.posthoc_wilcoxon(ordered, p_adjust="holm").to_numpy()
    assert np.array(made.p_values) == pytest.approx(expected, abs=1e-12)
    assert made.friedman == pytest.approx(stats.friedmanchisquare(*ordered).pvalue, rel=1e-9)
    assert made.mean_ranks == pytest.approx(np.mean([stats.rankdata(-block) for block in ordered.T], axis=0))


@given(st.integers(2, 9), st.integers(1, 30), st.floats(0, 1), st.integers(0, 99))
def test_letters_are_shared_by_who_is_not_apart(n_detectors, n_blocks, step, seed):
    """Two detectors share a letter if and only if no test tells them apart; no group fits into another."""
    made = compare(table(n_detectors, n_blocks, step=step, seed=seed))

    found_any = made.friedman is None or made.friedman < 0.05
    for a, b in combinations(range(n_detectors), 2):
        apart = found_any and made.p_values[a][b] < 0.05
        assert set(made.letters[a]).isdisjoint(made.letters[b]) == apart
    for one, other in combinations(made.groups, 2):
        assert not set(one) <= set(other) and not set(other) <= set(one)


def test_failures_rank_last_and_tie():
    """A failure is behind the worst value, and two failures are equal."""
    made = compare({"a": [0.1, 0.2], "b": [-math.inf, 0.9], "c": [-math.inf, -math.inf]})
    assert dict(zip(made.names, made.mean_ranks, strict=True)) == {"a": 1.5, "b": 1.75, "c": 2.75}


def test_failing_everywhere_is_worse_than_anything():
    """Who fails on each of many blocks is told apart from who does not."""
    made = compare({"good": [0.5 + 0.01 * n for n in range(10)], "broken": [-math.inf] * 10})
    assert made.p_values[0][1] == pytest.approx(2 / 2**10)
    assert made.groups == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"a": [0.5, 0.6]}, "nothing to compare"),
        (table(14, 5), "5 datasets cannot tell any two of 14 detectors apart, whatever the results"),
        (table(3, 1), "1 dataset cannot tell"),
        (table(2, 12, step=5), "tells 1 of 1 pair of detectors apart"),
        (table(4, 20, step=2), "Friedman's test over 20 datasets: p = "),
        ({name: [0.5] * 12 for name in "abc"}, "do not tell 3 detectors apart"),
        ({name: [-math.inf] * 12 for name in "abc"}, "do not tell 3 detectors apart"),
    ],
    ids=["one", "few datasets", "one dataset", "two", "several", "all equal", "all failed"],
)
def test_sentences(values, words):
    """The verdict is said in plain words, and that data cannot tell detectors apart is said as such."""
    assert words in compare(values).sentence


@pytest.mark.parametrize("n_detectors", [2, 5, 14])
def test_datasets_that_would_do(n_detectors):
    """With as many datasets as the sentence asks for, and no fewer, a pair could be told apart."""
    sentence = compare(table(n_detectors, 2)).sentence
    needed = int(sentence.rpartition("At least ")[2].split()[0])

    assert compare(table(n_detectors, needed)).smallest_p < 0.05
    assert compare(table(n_detectors, needed - 1)).smallest_p >= 0.05


def test_the_smallest_p_is_reached_by_who_wins_everywhere():
    """The smallest attainable p-value is that of a pair of which one is better on every block, by Holm."""
    made = compare({"a": [0.9 + n / 1000 for n in range(12)], "b": [0.5 + n / 500 for n in range(12)], "c": [0.4] * 12})
    assert made.p_values[0][2] == pytest.approx(made.smallest_p)
