"""Compare detectors over datasets: mean ranks, Friedman's test, then Wilcoxon's for every pair with Holm's correction.

Pure functions of a table of numbers. Written out because importing scipy's statistics costs more than the page
they are for (1.4 s, and scikit-posthocs 4 s with what it imports); the tests compare every number with theirs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.05
"""Two detectors are separated where the p-value is below this."""

_MOST_EXACT = 50  # differing blocks; beyond, the normal approximation is good to the digits that are shown
_DECIMALS = 12  # values closer than this are equal: sums of the same numbers in another order must tie
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class Friedman(NamedTuple):
    """Friedman's test, corrected for ties: whether any detector differs from the others."""

    chi2: float
    p: float


@dataclass(frozen=True)
class Comparison:
    """What the blocks say of the detectors.

    Parameters
    ----------
    names
        Best mean rank first.
    mean_ranks
        1 = best on every block; ties share their ranks.
    n_blocks
        Datasets, or groups of tasks that count as one.
    friedman
        None for fewer than three detectors, and where all tie on every block.
    p_values
        Of Wilcoxon's two-sided signed-rank test after Holm's correction, for each pair in the order of ``names``.
    groups
        Detectors of which no two are separated, each as large as can be, two at least, best first. Any two
        that are not separated share a group.
    letters
        Detector -> the letters of its groups; two detectors share one unless they are separated.
    smallest_p
        The smallest corrected p-value that these many blocks and detectors could give.
    sentence
        All of it in plain English; holds no name.
    """

    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    n_blocks: int
    friedman: Friedman | None
    p_values: Mapping[tuple[str, str], float]
    groups: tuple[tuple[str, ...], ...]
    letters: Mapping[str, str]
    smallest_p: float
    sentence: str


def compare(values: Mapping[str, Sequence[float]]) -> Comparison:
    """Compare detectors by their values on the same blocks.

    Parameters
    ----------
    values
        Detector -> one value a block, the higher the better: mean AUROCs, or mean ranks with a minus sign.
        A failure is minus infinity: it ranks last, and failures tie.

    Raises
    ------
    ValueError
        If detectors have unequally many values, none, or one that is not a number.

    Notes
    -----
    Pairs count as separated only if Friedman's test, where there is one, finds a difference at all (Demšar
    2006). Blocks on which two detectors tie are left out of their Wilcoxon test, whose p-value is exact, also
    with tied differences, up to 50 blocks.

    References
    ----------
    Friedman (1937); Wilcoxon (1945); Holm (1979); Demšar (2006), "Statistical comparisons of classifiers over
    multiple data sets"; Piepho (2004) for the letters.

    Examples
    --------
    >>> comparison = compare({"b": [0.7, 0.6, 0.9], "a": [0.8, 0.7, 0.9]})
    >>> comparison.names, [round(rank, 2) for rank in comparison.mean_ranks], comparison.smallest_p
    (('a', 'b'), [1.17, 1.83], 0.25)
    """
    table = {name: [round(float(value), _DECIMALS) for value in found] for name, found in values.items()}
    n_blocks = _checked_blocks(table)
    ranks = [_ranks([-value for value in block]) for block in zip(*table.values(), strict=True)]  # (n_blocks, k)
    means = dict(zip(table, (sum(found) / n_blocks for found in zip(*ranks, strict=True)), strict=True))
    names = sorted(table, key=lambda name: (means[name], name))
    pairs = list(combinations(names, 2))

    friedman = _friedman(ranks) if len(names) > 2 else None
    p_values = dict(zip(pairs, holm([wilcoxon(table[a], table[b]) for a, b in pairs]), strict=True))
    may_differ = friedman.p < LEVEL if friedman else len(names) == 2
    apart = {pair for pair, p in p_values.items() if may_differ and p < LEVEL}
    groups = _groups(names, apart)
    smallest = _smallest_p(n_blocks, len(pairs))
    return Comparison(
        names=tuple(names),
        mean_ranks=tuple(means[name] for name in names),
        n_blocks=n_blocks,
        friedman=friedman,
        p_values=p_values,
        groups=groups,
        letters=_letters(names, groups),
        smallest_p=smallest,
        sentence=_sentence(len(names), n_blocks, friedman, p_values, len(apart), smallest),
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
    if len(doubled) > _MOST_EXACT:
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
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, (len(p_values) - place) * p_values[index])
        corrected[index] = min(1.0, largest)
    return corrected


def _checked_blocks(table: Mapping[str, Sequence[float]]) -> int:
    sizes = {len(found) for found in table.values()}
    if len(sizes) > 1 or 0 in sizes:
        raise ValueError(f"each detector must have one value for each block; got {sorted(sizes)} values")
    for name, found in table.items():
        if any(math.isnan(value) for value in found):
            raise ValueError(f"the values of {name!r} must be numbers or minus infinity; got NaN")
    return sizes.pop() if sizes else 0


def _ranks(values: Sequence[float]) -> list[float]:
    """Return ranks, 1 = smallest; equal values share the mean of theirs."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), start=1):
        places.setdefault(value, []).append(place)
    return [(places[value][0] + places[value][-1]) / 2 for value in values]


def _friedman(ranks: Sequence[Sequence[float]]) -> Friedman | None:
    """Test ranks of shape (n_blocks, n_detectors)."""
    n, k = len(ranks), len(ranks[0])
    sums = [sum(found) for found in zip(*ranks, strict=True)]
    within = sum(rank * rank for block in ranks for rank in block) - n * k * (k + 1) ** 2 / 4
    if within <= 0:
        return None  # all tie everywhere
    chi2 = (k - 1) * sum((found - n * (k + 1) / 2) ** 2 for found in sums) / within
    return Friedman(chi2, _chi2_above(chi2, k - 1))


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
        chances[: min(rank, len(chances))] *= 1
    return np.cumsum(chances)


def _groups(names: Sequence[str], apart: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return groups of which no two are apart, such that any two which are not share one.

    Each is grown, in the order of the names, from a pair that no group holds yet. Where what is apart depends
    on the distance in rank alone, these are all the groups there are; in general all could be too many.
    """
    separated = set(apart)
    together: set[tuple[str, str]] = set()
    groups = []
    for pair in combinations(names, 2):
        if pair in separated or pair in together:
            continue
        group = set(pair)
        for name in names:
            if name not in group and not any((name, n) in separated or (n, name) in separated for n in group):
                group.add(name)
        ordered = tuple(name for name in names if name in group)
        groups.append(ordered)
        together.update(combinations(ordered, 2))
    place = {name: index for index, name in enumerate(names)}
    return tuple(sorted(groups, key=lambda group: [place[name] for name in group]))


def _letters(names: Sequence[str], groups: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the compact letter display; who is apart from all has a letter of its own."""
    grouped = {name for group in groups for name in group}
    alone = [[name] for name in names if name not in grouped]
    place = {name: index for index, name in enumerate(names)}
    letters = dict.fromkeys(names, "")
    for number, group in enumerate(sorted([*groups, *alone], key=lambda group: place[group[0]])):
        turn, letter = divmod(number, len(_ALPHABET))
        for name in group:
            letters[name] += _ALPHABET[letter] + (str(turn + 1) if turn else "")
    return letters


def _smallest_p(n_blocks: int, n_pairs: int) -> float:
    """Return the p-value of a pair of which one wins on every block, times the number of pairs."""
    return min(1.0, 2.0 ** (1 - n_blocks) * n_pairs) if n_pairs else 1.0


def _sentence(
    k: int, n_blocks: int, friedman: Friedman | None, p_values: Mapping[tuple[str, str], float], n_apart: int, least: float
) -> str:
    if k < 2:
        return f"{'A single' if k else 'No'} detector ran on every dataset: there is nothing to compare."
    datasets, pairs = f"{n_blocks} dataset{'s' * (n_blocks > 1)}", len(p_values)
    test = "Wilcoxon's test with Holm's correction" if pairs > 1 else "Wilcoxon's test"
    any_two, both = (f"any two of {k} detectors", f"{k} detectors") if k > 2 else ("two detectors", "the two detectors")
    if least >= LEVEL:
        needed = next(n for n in range(2, 64) if _smallest_p(n, pairs) < LEVEL)
        return (
            f"{datasets} cannot separate {any_two}: the smallest p-value that {test} could reach here is {least:.2g}, "
            f"and it must be below {LEVEL}; at least {needed} datasets would be needed."
        )
    if friedman is None and k > 2:
        return f"All {k} detectors tie on each of {datasets}."
    smallest = min(p_values.values())
    if friedman is None:
        found = "separates" if n_apart else "does not separate"
        return f"{test} {found} {both} on {datasets} ({_p(smallest)})."
    if friedman.p >= LEVEL:
        return f"Friedman's test finds no difference between {both} on {datasets} ({_p(friedman.p)}): none are separated."
    start = f"Friedman's test finds a difference between {both} on {datasets} ({_p(friedman.p)})"
    if not n_apart:
        return f"{start}, but {test} separates no two of them (smallest {_p(smallest)})."
    return (
        f"{start}; {test} separates {n_apart} of {pairs} pairs (smallest {_p(smallest)}). "
        "Detectors that share a letter are not separated."
    )


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
