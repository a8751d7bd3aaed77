"""Do these datasets tell these detectors apart? Friedman's test, then Wilcoxon's on each pair with Holm's correction.

The procedure for several methods over several datasets of Demšar (2006), "Statistical comparisons of
classifiers over multiple data sets", with Wilcoxon's test for the pairs as Benavoli, Corani and
Mangili (2016), "Should we really use post-hoc tests based on mean-ranks?", recommend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from adbench.reporting.caching import remembered
from adbench.reporting.words import counted

ALPHA = 0.05
"""What a p-value must stay below to tell detectors apart."""

RANKING_VERSION = 1
"""Kept with what is remembered; raised whenever what is made here changes."""

_EXACT = 50
"""Blocks up to which Wilcoxon's distribution is enumerated."""


@dataclass(frozen=True)
class Comparison:
    """What is known of some detectors over the same blocks.

    Parameters
    ----------
    names
        Of the detectors, by mean rank.
    mean_ranks
        Of each; 1 = best.
    n_blocks
        How many datasets the ranks are over.
    friedman
        p-value that all are equal, corrected for ties; None for fewer than three detectors or two blocks.
    p_values
        Of each pair, by Holm; shape ``(n_names, n_names)``, as tuples.
    groups
        The largest sets of which no two are told apart, as numbers into ``names``; those of one are left out.
    letters
        Of each detector: two that share a letter are not told apart, two that share none are.
    smallest_p
        What the best pair could reach at most, were it better on every block.
    sentence
        All that in plain words.
    """

    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    n_blocks: int
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
        Detector -> its value on each block, such as AUROC; higher is better. ``-inf`` is a failure, and
        ranks last. At least one detector and one block; equally many values for each.

    Examples
    --------
    >>> made = compare({"a": [0.9, 0.8, 0.7], "b": [0.8, 0.7, 0.6]})
    >>> made.mean_ranks, made.groups, made.smallest_p
    ((1.0, 2.0), ((0, 1),), 0.25)
    """
    ordered = {name: list(values[name]) for name in sorted(values)}
    # What makes the p-values takes longer to import than all else that a page needs.
    return remembered(
        "rankings", f"{RANKING_VERSION} {version('scipy')} {ordered}", Comparison, lambda: _compared(ordered)
    )


def _compared(values: Mapping[str, Sequence[float]]) -> Comparison:
    table = np.array([list(own) for own in values.values()], dtype=np.float64)  # (n_names, n_blocks)
    ranks = _mean_ranks(table)
    order = sorted(range(len(table)), key=lambda number: (ranks[number], list(values)[number]))
    names = tuple(list(values)[number] for number in order)
    table = table[order]
    n_names, n_blocks = table.shape
    p_values = _holm(_wilcoxon(_finite(table)))
    friedman = _friedman(table) if n_names > 2 and n_blocks > 1 else None
    # Where Friedman's test finds nothing, there is nothing for the pairs to find.
    apart = p_values < ALPHA if friedman is None or friedman < ALPHA else np.zeros_like(p_values, dtype=bool)
    cliques = _cliques(~apart)
    smallest = min(1.0, math.comb(n_names, 2) * 2.0 ** (1 - n_blocks)) if n_names > 1 else 1.0
    return Comparison(
        names=names,
        mean_ranks=tuple(float(ranks[number]) for number in order),
        n_blocks=n_blocks,
        friedman=friedman,
        p_values=tuple(tuple(map(float, line)) for line in p_values),
        groups=tuple(clique for clique in cliques if len(clique) > 1),
        letters=_letters(n_names, cliques),
        smallest_p=smallest,
        sentence=_sentence(n_names, n_blocks, friedman, apart, smallest),
    )


def _mean_ranks(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean ranks over blocks, 1 for the greatest value; equal ones share the mean of their ranks."""
    above = (table[None, :, :] > table[:, None, :]).sum(axis=1)
    equal = (table[None, :, :] == table[:, None, :]).sum(axis=1)
    means: NDArray[np.float64] = (above + (equal + 1) / 2).mean(axis=1)
    return means


def _finite(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put failures further below than any two values are apart: two failures are equal, one is the greatest loss."""
    found = table[np.isfinite(table)]
    last = found.min() - 2 * (found.max() - found.min()) - 1 if len(found) else 0.0
    return np.where(np.isfinite(table), table, last)


def _friedman(table: NDArray[np.float64]) -> float:
    from scipy.stats import friedmanchisquare

    # It ranks within blocks, and divides by 0 where all are equal on all of them.
    if (table == table[0]).all():
        return 1.0
    return float(friedmanchisquare(*_finite(table)).pvalue)


def _wilcoxon(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two-sided p-value of each pair, shape ``(n_names, n_names)``."""
    from scipy.stats import wilcoxon

    n_names = len(table)
    pairs = np.array(list(combinations(range(n_names), 2)), dtype=np.intp).reshape(-1, 2)
    # To 12 digits: means of the same numbers in another order must not differ.
    differences = (table[pairs[:, 0]] - table[pairs[:, 1]]).round(12)
    n_differing = (differences != 0).sum(axis=1)
    p = np.ones(len(pairs))
    # A block on which two are equal says nothing of which is better: it is left out, and n is smaller there.
    for n in np.unique(n_differing[n_differing > 0]):
        chosen = n_differing == n
        kept = differences[chosen]
        kept = kept[kept != 0].reshape(-1, n)
        p[chosen] = wilcoxon(kept, axis=1, method="exact" if n <= _EXACT else "asymptotic").pvalue
    made = np.ones((n_names, n_names))
    made[pairs[:, 0], pairs[:, 1]] = made[pairs[:, 1], pairs[:, 0]] = p
    return made


def _holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values of pairs by Holm (1979): the smallest times their number, the next one times one less ..."""
    upper = np.triu_indices(len(p_values), 1)
    p = p_values[upper]
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    made = np.ones_like(p_values)
    made[upper] = adjusted
    made.T[upper] = adjusted
    return made


def _cliques(joined_pairs: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Return the maximal sets in which all pairs are joined, by their first members (Bron and Kerbosch, 1973)."""
    near = [set(np.flatnonzero(line).tolist()) - {number} for number, line in enumerate(joined_pairs)]
    found: list[tuple[int, ...]] = []

    def grow(clique: set[int], candidates: set[int], done: set[int]) -> None:
        if not candidates and not done:
            found.append(tuple(sorted(clique)))
            return
        pivot = max(candidates | done, key=lambda number: len(near[number] & candidates))
        for number in sorted(candidates - near[pivot]):
            grow(clique | {number}, candidates & near[number], done & near[number])
            candidates, done = candidates - {number}, done | {number}

    grow(set(), set(range(len(near))), set())
    return sorted(found)


def _letters(n_names: int, cliques: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """Return each detector's letters: one for each clique it is in."""
    shown = [chr(ord("a") + number) if number < 26 else f"[{number}]" for number in range(len(cliques))]
    return tuple(
        "".join(letter for letter, clique in zip(shown, cliques, strict=True) if number in clique)
        for number in range(n_names)
    )


def _p(value: float) -> str:
    return "< 1e-15" if value < 1e-15 else f"= {value:.2g}"


def _sentence(n_names: int, n_blocks: int, friedman: float | None, apart: NDArray[np.bool_], smallest: float) -> str:
    datasets, detectors = counted(n_blocks, "dataset"), counted(n_names, "detector")
    if n_names < 2:
        return f"One detector stands on all of {datasets}: there is nothing to compare it with."
    pairs = math.comb(n_names, 2)
    if smallest >= ALPHA:
        needed = math.ceil(math.log2(pairs / ALPHA) + 1)
        return (
            f"{datasets} cannot tell any two of {detectors} apart, whatever the results: the smallest p-value that "
            f"Wilcoxon's test with Holm's correction for {counted(pairs, 'pair')} could reach is {smallest:.2g}, and "
            f"{ALPHA:g} is needed. At least {needed} datasets would be."
        )
    told = [] if friedman is None else [f"Friedman's test over {datasets}: p {_p(friedman)}"]
    n_apart = int(apart.sum()) // 2
    if friedman is not None and friedman >= ALPHA:
        told.append(f"these results do not tell {detectors} apart")
    else:
        told.append(
            f"Wilcoxon's test with Holm's correction tells {n_apart} of {counted(pairs, 'pair')} of detectors apart "
            f"(smallest p-value it could reach here: {smallest:.2g})"
        )
    return "; ".join(told) + "."
