"""Do these datasets tell these detectors apart? Friedman's test, then Wilcoxon's on each pair with Holm's correction.

The procedure for several methods over several datasets of Demšar (2006), "Statistical comparisons of
classifiers over multiple data sets", with Wilcoxon's test for the pairs as Benavoli, Corani and
Mangili (2016), "Should we really use post-hoc tests based on mean-ranks?", recommend.

Written out because scipy's statistics take longer to import than all else that a page needs, and
scikit-posthocs several times as long; the tests compare every number with theirs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05
"""What a p-value must stay below to tell detectors apart."""

_EXACT = 50  # differing blocks; beyond, the normal approximation is good to the digits that are shown
_DECIMALS = 12  # means of the same numbers in another order must not differ


@dataclass(frozen=True)
class Comparison:
    """What is known of some detectors over the same blocks.

    Parameters
    ----------
    names
        Of the detectors, by mean rank.
    mean_ranks
        Of each; 1 = best on every block, and ties share their ranks.
    n_blocks
        How many datasets the ranks are over.
    chi2, friedman
        Friedman's statistic and its p-value that all are equal, corrected for ties; None for fewer than three
        detectors or two blocks.
    p_values
        Of each pair, by Holm; shape ``(n_names, n_names)``, as tuples.
    groups
        Sets of which no two are told apart, each as large as can be, as numbers into ``names``; those of one
        are left out. Any two that are not told apart share a group.
    letters
        Of each detector: two that share a letter are not told apart, two that share none are.
    smallest_p
        What the best pair could reach at most, were it better on every block.
    sentence
        All that in plain words; holds no name.
    """

    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    n_blocks: int
    chi2: float | None
    friedman: float | None
    p_values: tuple[tuple[float, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    letters: tuple[str, ...]
    smallest_p: float
    sentence: str


def compare(values: Mapping[str, Sequence[float]]) -> Comparison:
    """Compare detectors over blocks.

    Parameters
    ----------
    values
        Detector -> its value on each block, such as AUROC, or a mean rank with a minus sign; higher is better.
        ``-inf`` is a failure: it ranks last, and failures tie. At least one detector and one block.

    Raises
    ------
    ValueError
        If detectors have unequally many values, none, or one that is not a number.

    Notes
    -----
    Pairs are told apart only if Friedman's test, where there is one, finds a difference at all. Blocks on which
    two detectors tie are left out of their Wilcoxon test, whose p-value is exact up to 50 differing blocks, also
    where differences tie.

    References
    ----------
    Friedman (1937); Wilcoxon (1945); Holm (1979); Piepho (2004) for the letters.

    Examples
    --------
    >>> made = compare({"a": [0.9, 0.8, 0.7], "b": [0.8, 0.7, 0.6]})
    >>> made.mean_ranks, made.groups, made.smallest_p
    ((1.0, 2.0), ((0, 1),), 0.25)
    """
    table = {name: [round(float(value), _DECIMALS) for value in own] for name, own in values.items()}
    n_blocks = _checked_blocks(table)
    ranks = [_ranks([-value for value in block]) for block in zip(*table.values(), strict=True)]  # (n_blocks, n_names)
    means = dict(zip(table, (sum(own) / n_blocks for own in zip(*ranks, strict=True)), strict=True))
    names = sorted(table, key=lambda name: (means[name], name))

    pairs = list(combinations(range(len(names)), 2))
    p_values = holm([wilcoxon(table[names[i]], table[names[j]]) for i, j in pairs])
    chi2, friedman = _friedman(ranks) if len(names) > 2 and n_blocks > 1 else (None, None)
    may_differ = friedman is None or friedman < ALPHA
    apart = {pair for pair, p in zip(pairs, p_values, strict=True) if may_differ and p < ALPHA}
    groups = _groups(len(names), apart)
    return Comparison(
        names=tuple(names),
        mean_ranks=tuple(means[name] for name in names),
        n_blocks=n_blocks,
        chi2=chi2,
        friedman=friedman,
        p_values=_square(len(names), dict(zip(pairs, p_values, strict=True))),
        groups=tuple(group for group in groups if len(group) > 1),
        letters=_letters(len(names), groups),
        smallest_p=_smallest_p(n_blocks, len(pairs)),
        sentence=_sentence(len(names), n_blocks, friedman, len(apart)),
    )


def wilcoxon(a: Sequence[float], b: Sequence[float]) -> float:
    """Compute the two-sided p-value of Wilcoxon's signed-rank test; 1 if the values never differ.

    Exact for up to 50 differences, of which equal ones share a rank; then by the normal approximation.

    Examples
    --------
    >>> wilcoxon([5, 6, 7, 8, 9], [4, 4, 4, 4, 4])
    0.0625
    """
    # Infinities are failures: two of them do not differ.
    differences = [round(x - y, _DECIMALS) for x, y in zip(a, b, strict=True) if x != y]
    differences = [difference for difference in differences if difference]
    doubled = [round(2 * rank) for rank in _ranks([abs(difference) for difference in differences])]
    total = sum(doubled)
    won = sum(rank for rank, difference in zip(doubled, differences, strict=True) if difference > 0)
    if len(doubled) > _EXACT:
        deviation = math.sqrt(sum(rank * rank for rank in doubled)) / 2
        return math.erfc(abs(won - total / 2) / deviation / math.sqrt(2))
    return min(1.0, 2 * float(_chances_up_to(tuple(sorted(doubled)))[min(won, total - won)]))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, so that the chance of any false finding stays below the level.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for place, number in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, (len(p_values) - place) * p_values[number])
        corrected[number] = min(1.0, largest)
    return corrected


def _checked_blocks(table: Mapping[str, Sequence[float]]) -> int:
    sizes = sorted({len(own) for own in table.values()})
    if len(sizes) != 1 or sizes == [0]:
        raise ValueError(f"each detector must have one value for each block; got {sizes} values")
    for name, own in table.items():
        if any(math.isnan(value) for value in own):
            raise ValueError(f"the values of {name!r} must be numbers or minus infinity; got NaN")
    return sizes[0]


def _ranks(values: Sequence[float]) -> list[float]:
    """Return ranks, 1 = smallest; equal values share the mean of theirs."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), start=1):
        places.setdefault(value, []).append(place)
    return [(places[value][0] + places[value][-1]) / 2 for value in values]


def _friedman(ranks: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the statistic and its p-value for ranks of shape (n_blocks, n_names)."""
    n, k = len(ranks), len(ranks[0])
    within = sum(rank * rank for block in ranks for rank in block) - n * k * (k + 1) ** 2 / 4
    if within <= 0:
        return 0.0, 1.0  # all tie on all blocks
    chi2 = (k - 1) * sum((sum(own) - n * (k + 1) / 2) ** 2 for own in zip(*ranks, strict=True)) / within
    return chi2, _chi2_above(chi2, k - 1)


def _chi2_above(value: float, degrees: int) -> float:
    """Return the chance that a chi-squared variable exceeds a value, by its finite series."""
    half = value / 2
    if half <= 0:
        return 1.0
    odd = degrees % 2
    powers = [place + odd / 2 for place in range(degrees // 2)]
    terms = [math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers]
    return min(1.0, math.fsum(terms) + (math.erfc(math.sqrt(half)) if odd else 0.0))


@lru_cache(maxsize=256)
def _chances_up_to(doubled_ranks: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the chance that ranks with random signs have a positive part of at most 0, 1, 2 ..."""
    chances = np.zeros(sum(doubled_ranks) + 1)
    chances[0] = 1
    for rank in doubled_ranks:
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    return np.cumsum(chances)


def _square(k: int, p_values: Mapping[tuple[int, int], float]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(p_values.get((min(i, j), max(i, j)), 1.0) for j in range(k)) for i in range(k))


def _groups(k: int, apart: set[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return groups of which no two are apart, such that any two which are not share one.

    Each is grown, best first, from a pair that no group holds yet. Where a gap in rank decides what is apart,
    these are all the maximal groups there are; in general all could be too many to find or to show.
    """
    near = [{j for j in range(k) if (min(i, j), max(i, j)) not in apart} for i in range(k)]
    together: set[tuple[int, int]] = set()
    groups: list[tuple[int, ...]] = [(i,) for i in range(k) if near[i] == {i}]
    for i, j in combinations(range(k), 2):
        if j not in near[i] or (i, j) in together:
            continue
        group, candidates = [i, j], near[i] & near[j] - {i, j}
        while candidates:
            group.append(min(candidates))
            candidates &= near[group[-1]] - {group[-1]}
        groups.append(tuple(sorted(group)))
        together.update(combinations(groups[-1], 2))
    return sorted(groups)


def _letters(k: int, groups: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """Return each detector's letters: one for each group it is in."""
    shown = [chr(ord("a") + number) if number < 26 else f"[{number}]" for number in range(len(groups))]
    return tuple(
        "".join(letter for letter, group in zip(shown, groups, strict=True) if number in group) for number in range(k)
    )


def _smallest_p(n_blocks: int, n_pairs: int) -> float:
    """Return the p-value of a pair of which one wins on every block, times the number of pairs."""
    return min(1.0, 2.0 ** (1 - n_blocks) * n_pairs) if n_pairs else 1.0


def _sentence(k: int, n_blocks: int, friedman: float | None, n_apart: int) -> str:
    datasets, n_pairs = f"{n_blocks} dataset{'s' * (n_blocks > 1)}", math.comb(k, 2)
    if k < 2:
        return f"One detector stands on all of {datasets}: there is nothing to compare it with."
    pairs, smallest = f"{n_pairs} pair{'s' * (n_pairs > 1)}", _smallest_p(n_blocks, n_pairs)
    if smallest >= ALPHA:
        needed = next(n for n in range(n_blocks, 64) if _smallest_p(n, n_pairs) < ALPHA)
        return (
            f"{datasets} cannot tell any two of {k} detectors apart, whatever the results: the smallest p-value that "
            f"Wilcoxon's test with Holm's correction for {pairs} could reach is {smallest:.2g}, and "
            f"{ALPHA:g} is needed. At least {needed} datasets would be."
        )
    told = [] if friedman is None else [f"Friedman's test over {datasets}: p {_p(friedman)}"]
    if friedman is not None and friedman >= ALPHA:
        told.append(f"these results do not tell {k} detectors apart")
    else:
        told.append(
            f"Wilcoxon's test with Holm's correction tells {n_apart} of {pairs} of detectors apart "
            f"(smallest p-value it could reach here: {smallest:.2g})"
        )
    return "; ".join(told) + "."


def _p(value: float) -> str:
    return "< 1e-15" if value < 1e-15 else f"= {value:.2g}"
