"""Uncertainty of AUROC and average precision: 95 % intervals, from one repetition or several.

Everything here is deterministic; resampling is seeded by an argument.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adbench.metrics import check_scored, ranked_counts

Floats = NDArray[np.float64]

_Z = 1.959963984540054  # normal quantile at 0.975
_MAX_RUNS = 100
_ABOVE_ALL, _BELOW_ALL = 0.35, 1.0  # anomalies added by average_precision_replicates


class Interval(NamedTuple):
    """An estimate with its 95 % limits, ``lower <= estimate <= upper``."""

    estimate: float
    lower: float
    upper: float


def delong(y_true: ArrayLike, *scores: ArrayLike) -> tuple[Floats, Floats]:
    """Compute the AUROCs of one or more scores of the same rows, and their covariance.

    Parameters
    ----------
    y_true : array_like of shape (n_samples,)
        1 = anomaly, 0 = normal.
    *scores : array_like of shape (n_samples,)
        One or more, say k.

    Returns
    -------
    aurocs : ndarray of shape (k,)
    covariance : ndarray of shape (k, k)
        DeLong's estimate. A class of a single row has no estimate; there, the greatest variance
        the AUROC allows is taken.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988); sorting makes it O(n log n), as Sun & Xu (2014).
    """
    rows = [_placements(*check_scored(y_true, s)) for s in scores]
    anomalies = np.stack([of_anomalies for of_anomalies, _ in rows])  # (k, n_anomalies)
    normals = np.stack([of_normals for _, of_normals in rows])  # (k, n_normals)
    return anomalies.mean(axis=1), _covariance_of_mean(anomalies) + _covariance_of_mean(normals)


def auroc_interval(auroc: float, variance: float, n_smaller: int) -> Interval:
    """Compute the 95 % interval of an AUROC, symmetric on the logit scale and never empty at 0 or 1.

    DeLong's variance is far too small when few pairs are out of order, and 0 when none is; so a little is
    added to it, and to ``auroc * (1 - auroc)``, which turns it into the variance on the logit scale. Where
    that is large, it is itself uncertain and the estimate skewed: the interval is widened, and moved towards
    the nearer end of the scale.

    Parameters
    ----------
    auroc, variance
        As :func:`delong` gives them.
    n_smaller
        Rows of the smaller class, anomalies mostly.

    Notes
    -----
    The constants were chosen for coverage, and so that a perfect ranking of ``n`` anomalies has a lower limit
    of about ``1 - 2.7 / n`` for ten of them and ``1 - 3.6 / n`` for many (the "rule of three"). Coverage
    found by simulation with normally distributed scores, 10,000 draws each (``wide``: the anomalies' standard
    deviation is 2.5 times that of the normal rows)::

        anomalies, normals          AUROC .6   .9   .99     wide: .6   .9   .99
        3, 100                          88.7  96.7  94.8         90.4  98.1  95.0
        10, 500                         94.4  94.5  95.0         96.1  96.4  96.4
        100, 1000                       94.9  95.1  96.0         95.0  95.5  95.7
        1000, 1000                      94.8  94.9  94.9         94.9  94.8  95.1

    Near 1 the misses lie mostly on one side: with ten anomalies at .99 even a perfect ranking, whose interval
    reaches down to .73, does not exclude the truth. Where anomalies vary half as much as the normal rows it
    is 94-95 %, but 91 % at .99 for 10 or 30 of them (6000 draws).

    References
    ----------
    Wilson (1927) and Newcombe (1998) for the width on the logit scale; Birnbaum & Klose (1957) for the bound
    on the variance, ``auroc * (1 - auroc) / n_smaller``; Hanley & Lippman-Hand (1983) for the rule of three.
    """
    if auroc == 0.5 and variance == 0:
        return Interval(0.5, 0.5, 0.5)  # a constant score: its AUROC is known
    binomial = auroc * (1 - auroc)
    spread = min(variance, binomial / n_smaller) + 0.004 / n_smaller**2
    squared = spread / (binomial + 0.0125 / n_smaller) ** 2  # variance on the logit scale
    centre = math.log((auroc * n_smaller + 0.15) / ((1 - auroc) * n_smaller + 0.15)) + (2 * auroc - 1) * squared / 6
    # Wilson's score interval for a proportion has this width on the logit scale, but for the factor.
    width = 2 * math.asinh(_Z / 2 * math.sqrt(squared * (1 + 2 / 3 * squared)))
    return Interval(auroc, min(auroc, _logistic(centre - width)), max(auroc, _logistic(centre + width)))


def delong_difference(y_true: ArrayLike, a: ArrayLike, b: ArrayLike) -> Interval:
    """Compute AUROC of ``a`` minus AUROC of ``b``, scores of the same rows, with its 95 % interval.

    The limits are recovered from the two single intervals and DeLong's correlation, so that two
    perfect scores do not differ by exactly 0 with certainty.

    Returns
    -------
    Interval
        Of the difference, in [-1, 1]. ``a`` is better than ``b`` if ``lower > 0``.

    Notes
    -----
    Coverage found by simulation, as in :func:`auroc_interval`, 3000 draws each of AUROCs from .5 to .99: 92-95 %
    for 10 anomalies, 94-97 % for 100 or 1000; where both are .99, 100 % for 10 anomalies. A score as good as
    ``b`` has ``lower > 0`` in at most 3.4 % of the draws for 10 anomalies, in 2.5 % for 100 or 1000 (nominal:
    2.5 %), but in up to 7 % for 3.

    References
    ----------
    Zou & Donner (2008), "Construction of confidence limits about effect measures", equation 11.
    """
    y, a = check_scored(y_true, a)
    (auroc_a, auroc_b), covariance = delong(y, a, b)
    n_smaller = _smaller(y)
    _, lower_a, upper_a = auroc_interval(float(auroc_a), float(covariance[0, 0]), n_smaller)
    _, lower_b, upper_b = auroc_interval(float(auroc_b), float(covariance[1, 1]), n_smaller)
    spread = math.sqrt(covariance[0, 0] * covariance[1, 1])
    correlation = float(np.clip(covariance[0, 1] / spread, -1, 1)) if spread else 0.0
    return Interval(
        float(auroc_a - auroc_b),
        float(auroc_a - auroc_b - _hypot(auroc_a - lower_a, upper_b - auroc_b, correlation)),
        float(auroc_a - auroc_b + _hypot(upper_a - auroc_a, auroc_b - lower_b, correlation)),
    )


def average_precision_replicates(
    y_true: ArrayLike, scores: ArrayLike, *, n_replicates: int = 1000, seed: int = 0
) -> Floats:
    """Draw average precision under random row weights (the Bayesian bootstrap).

    Rows need sorting once only; the normal rows between two anomalies matter by their sum, which is gamma
    distributed, so that cost depends on the anomalies when these are rare. Each class keeps its total weight:
    the share of anomalies is a given of the test set, not a draw.

    Three things are put right that make the plain bootstrap of few anomalies too sure of itself. Weights vary
    somewhat more than exponential ones, as a sample's variance does by ``n - 1``. An anomaly does not count
    towards its own precision; that it does makes average precision too high at random ranking. And one more
    anomaly is placed below all rows, a third of one above them: else a perfect ranking would look certain,
    however few its anomalies.

    Returns
    -------
    ndarray of shape (n_replicates,)
        Rising. Where anomalies have more than 100 distinct scores, neighbours share one point of
        the curve; this moves the replicates by far less than their spread. A constant score's average
        precision is known: each replicate is the share of anomalies.

    References
    ----------
    Rubin (1981), "The Bayesian bootstrap".
    """
    _, tp, fp = ranked_counts(y_true, scores)
    if len(tp) == 1:
        return np.full(n_replicates, tp[0] / (tp[0] + fp[0]))
    n_anomalies, n_normals = int(tp[-1]), int(fp[-1])
    anomalies = np.diff(tp, prepend=0)
    stops = np.flatnonzero(anomalies)
    anomalies, normals = anomalies[stops], np.diff(fp[stops], prepend=0)  # (n_runs,)
    exact = np.sum(anomalies * tp[stops] / (tp + fp)[stops]) / n_anomalies
    first_of_run = _first_of_runs(tp[stops], fp[stops])
    anomalies, normals = np.add.reduceat(anomalies, first_of_run), np.add.reduceat(normals, first_of_run)
    above = np.cumsum(anomalies)
    shift = exact - np.sum(anomalies * above / (above + np.cumsum(normals))) / n_anomalies

    rng = np.random.default_rng(seed)
    shape = max(1 - 1.5 / n_anomalies, 0.25)
    shapes = shape * np.concatenate(([_ABOVE_ALL], anomalies, [_BELOW_ALL]))
    weights = _weights(rng, shapes, n_replicates, n_anomalies)  # (n_replicates, n_runs + 2)
    others = np.concatenate(([0], normals, [n_normals - normals.sum()]))
    above = np.cumsum(weights, axis=1)
    false = np.cumsum(_weights(rng, others, n_replicates, n_normals), axis=1)
    # A row's own weight counts in so far as other anomalies score no higher: fully at the end, and in a constant score.
    own = weights / np.concatenate(([np.inf], anomalies, [1]))
    above -= own * (1 - above / n_anomalies)
    replicates = np.sum(weights * above / (above + false), axis=1) / n_anomalies + shift
    return np.sort(np.clip(replicates, 0, 1))


def thin(replicates: Floats, n_kept: int = 100) -> Floats:
    """Return ``n_kept`` quantiles that stand for the replicates, each for an equal share.

    With 100, two of them are the limits of the 95 % interval.
    """
    return np.quantile(replicates, (np.arange(n_kept) + 0.5) / n_kept, method="hazen")


def percentile_interval(estimate: float, replicates: ArrayLike) -> Interval:
    """Compute the 95 % interval from replicates, thinned or not.

    Notes
    -----
    Coverage found by simulation for :func:`average_precision_replicates`, 4000 draws each, at the
    AUROCs of :func:`auroc_interval`::

        anomalies, normals          AUROC .6   .9   .99     wide: .6   .9   .99
        3, 100                          97.8 100.0  99.0        100.0  97.3  98.8
        10, 500                         95.7  95.8  96.5         93.2  95.7  96.0
        100, 1000                       94.8  95.1  96.0         94.4  94.8  95.4
        1000, 1000                      94.2  94.8  95.1         94.9  93.9  95.5
    """
    ordered = np.sort(np.asarray(replicates, dtype=np.float64))
    lower, upper = _hazen(ordered, 0.025), _hazen(ordered, 0.975)
    return Interval(estimate, min(lower, estimate), max(upper, estimate))


def combine_auroc(aurocs: Sequence[float], variances: Sequence[float], n_smaller: int) -> Interval:
    """Compute the mean AUROC over repetitions with its 95 % interval.

    The variance is what resampling repetitions first and rows within them gives. Repetitions mostly
    share their test rows (all anomalies, at least), so the rows' part does not shrink with their
    number; only the part between repetitions does. One repetition gives its own interval.

    Parameters
    ----------
    aurocs, variances
        One of each per repetition, as :func:`delong` gives them.
    n_smaller
        Rows of the smaller class in the smallest test set.
    """
    mean, between = _mean_and_variance(aurocs)
    return auroc_interval(mean, sum(variances) / len(variances) + between, n_smaller)


def combine_replicates(replicates: Sequence[ArrayLike], *, n_draws: int = 1000, seed: int = 0) -> Floats:
    """Draw the mean over repetitions: repetitions are resampled first, then rows.

    The rows' part is drawn at one level for all resampled repetitions, because these mostly share
    their test rows (see :func:`combine_auroc`).

    Parameters
    ----------
    replicates
        Of each repetition, equally many; thinned or not.

    Returns
    -------
    ndarray of shape (n_draws,), or (n_replicates,) for a single repetition
        Rising.
    """
    levels: Floats = np.sort(np.asarray(replicates, dtype=np.float64), axis=1)  # (n_repetitions, n_levels)
    if len(levels) == 1:
        return levels.ravel()
    means: Floats = levels.take(_drawn(*levels.shape, n_draws, seed)).mean(axis=0)
    means.sort()
    return means


def combine_differences(differences: Sequence[Interval]) -> Interval:
    """Compute the mean of paired differences over repetitions with its 95 % interval.

    As :func:`combine_auroc`: the rows' part does not shrink, the part between repetitions does.
    """
    mean, between = _mean_and_variance([d.estimate for d in differences])
    below = sum((d.estimate - d.lower) ** 2 for d in differences) / len(differences)
    above = sum((d.upper - d.estimate) ** 2 for d in differences) / len(differences)
    between *= _Z**2
    return Interval(mean, mean - math.sqrt(below + between), mean + math.sqrt(above + between))


def _placements(y: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return, for each row, the share of the other class it is ranked rightly against (ties one half).

    Returns
    -------
    of_anomalies : ndarray of shape (n_anomalies,)
    of_normals : ndarray of shape (n_normals,)
    """
    anomalies, normals = scores[y], scores[~y]
    return _share_below(anomalies, normals), 1 - _share_below(normals, anomalies)


def _share_below(values: Floats, others: Floats) -> Floats:
    others = np.sort(others)
    below_or_tied = np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")
    return below_or_tied / (2 * len(others))


def _covariance_of_mean(placements: Floats) -> Floats:
    """Return the covariance of the row means, shape (k, k), of placements of shape (k, n)."""
    _, n = placements.shape
    if n == 1:
        share = placements[:, 0]
        return np.diag(share * (1 - share))
    covariance: Floats = np.atleast_2d(np.cov(placements)) / n
    return covariance


def _first_of_runs(tp: NDArray[np.int64], fp: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return where runs of neighbouring points of the curve begin, close together where either class gathers."""
    if len(tp) <= _MAX_RUNS:
        return np.arange(len(tp))
    passed = tp / tp[-1] + fp / max(fp[-1], 1)
    return np.unique(np.searchsorted(passed, np.linspace(0, passed[-1], _MAX_RUNS, endpoint=False)))


def _weights(rng: np.random.Generator, shapes: Floats, n_replicates: int, total: int) -> Floats:
    """Draw gamma weights of these shapes, scaled to a total; shape (n_replicates, n_runs)."""
    weights: Floats = rng.standard_gamma(shapes, (n_replicates, len(shapes)))
    weights *= total / weights.sum(axis=1, keepdims=True)
    return weights


@lru_cache(maxsize=32)
def _drawn(n_repetitions: int, n_levels: int, n_draws: int, seed: int) -> NDArray[np.intp]:
    """Return places in a flat array of levels: a resampled repetition down, a draw across."""
    repetition = np.random.default_rng(seed).integers(n_repetitions, size=(n_draws, n_repetitions))
    places = np.ascontiguousarray((repetition * n_levels + np.arange(n_draws)[:, None] % n_levels).T)
    places.flags.writeable = False  # shared by all callers
    return places


def _hazen(ordered: Floats, share: float) -> float:
    """Return a quantile of rising values; numpy's own function takes longer than all the rest of an interval."""
    place = min(max(share * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (place - below) * (high - low)


def _mean_and_variance(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its estimated variance, 0 for one value; numpy would be slow for three of them."""
    n = len(values)
    mean = sum(values) / n
    return mean, sum((value - mean) ** 2 for value in values) / (n * (n - 1)) if n > 1 else 0.0


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _hypot(a: float, b: float, correlation: float) -> float:
    """Return the length of the difference of two deviations with this correlation."""
    return math.sqrt(max(0.0, a * a + b * b - 2 * correlation * a * b))


def _smaller(y: NDArray[np.bool_]) -> int:
    n_anomalies = int(np.count_nonzero(y))
    return min(n_anomalies, len(y) - n_anomalies)
