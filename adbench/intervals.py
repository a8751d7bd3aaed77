"""Uncertainty of AUROC and average precision: 95 % intervals, from one repetition or several.

Everything here is deterministic; resampling is seeded by an argument.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adbench.metrics import check_scored, ranked_counts

Floats = NDArray[np.float64]

_Z = 1.959963984540054  # normal quantile at 0.975
_MAX_RUNS = 256


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

    It is Wilson's score interval for a proportion, with the effective number of trials that makes a
    binomial variance equal to DeLong's. DeLong's variance is far too small when few pairs are out of
    order, and 0 when none is; so the effective number is drawn towards twice the rows of the smaller
    class, as 1/8 of a misplaced row would draw it, and never lies below their number.

    Parameters
    ----------
    auroc, variance
        As :func:`delong` gives them.
    n_smaller
        Rows of the smaller class, anomalies mostly.

    Notes
    -----
    Coverage found by simulation with normally distributed scores, 4000 draws each (``wide``: the
    anomalies' standard deviation is 2.5 times that of the normal rows)::

        anomalies, normals          AUROC .6   .9   .99     wide: .6   .9   .99
        10, 500                         93.8  97.1  98.0         93.9  97.1  93.8
        100, 1000                       94.8  94.8  97.9         95.3  94.5  96.7
        1000, 1000                      95.2  95.0  95.3         95.4  95.3  94.0

    So it errs on the cautious side near 1, and with fewer than ten anomalies it is too narrow for
    a middling AUROC (3 anomalies, 100 normals, AUROC .6: 90 %; wide: 82 %).

    References
    ----------
    Wilson (1927); Newcombe (1998) for its symmetry on the logit scale; Birnbaum & Klose (1957) for
    the bound on the variance, ``auroc * (1 - auroc) / n_smaller``.
    """
    if auroc == 0.5 and variance == 0:
        return Interval(0.5, 0.5, 0.5)  # a constant score: its AUROC is known
    pull = 1 / (8 * n_smaller)
    trials = max((auroc * (1 - auroc) + pull) / (variance + pull / (2 * n_smaller)), n_smaller)
    centre = (auroc + _Z**2 / (2 * trials)) / (1 + _Z**2 / trials)
    width = _Z / (1 + _Z**2 / trials) * math.sqrt(auroc * (1 - auroc) / trials + (_Z / (2 * trials)) ** 2)
    # At 0 and 1 the estimate is itself a limit; rounding must not put it outside.
    return Interval(auroc, max(0.0, min(auroc, centre - width)), min(1.0, max(auroc, centre + width)))


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
    Coverage found by simulation, as in :func:`auroc_interval`: with AUROCs of .5 and .9, 92-95 % for
    10 anomalies and 94-96 % for 100 or 1000; where both are .99, up to 100 % for 10 anomalies.
    A score no better than ``b`` has ``lower > 0`` in at most 4.5 % of the draws for 10 anomalies,
    in 3 % for 100 (nominal: 2.5 %).

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
    y_true: ArrayLike, scores: ArrayLike, *, n_replicates: int = 400, seed: int = 0
) -> Floats:
    """Draw average precision under random row weights (the Bayesian bootstrap).

    Every row has an exponential weight, so that rows need sorting once only; the normal rows between
    two anomalies matter by their sum, which is gamma distributed, so that cost depends on the
    anomalies when these are rare. Half an anomaly is added below all rows (the Jeffreys prior's half
    trial, at its worst): else a perfect ranking would look certain, however few its anomalies.

    Returns
    -------
    ndarray of shape (n_replicates,)
        Rising. Where anomalies have more than 256 distinct scores, neighbours share one point of
        the curve; this moves the replicates by far less than their spread.

    References
    ----------
    Rubin (1981), "The Bayesian bootstrap".
    """
    _, tp, fp = ranked_counts(y_true, scores)
    anomalies = np.diff(tp, prepend=0)
    stops = np.flatnonzero(anomalies)
    anomalies, normals = anomalies[stops], np.diff(fp[stops], prepend=0)  # (n_runs,)
    exact = np.sum(anomalies * tp[stops] / (tp + fp)[stops]) / tp[-1]
    first_of_run = np.unique(np.linspace(0, len(stops), _MAX_RUNS, endpoint=False).astype(int))
    anomalies, normals = np.add.reduceat(anomalies, first_of_run), np.add.reduceat(normals, first_of_run)
    shift = exact - _average_precision_of_runs(anomalies, normals)

    anomalies, normals = np.append(anomalies, 0.5), np.append(normals, fp[-1] - normals.sum())
    rng = np.random.default_rng(seed)
    size = (n_replicates, len(anomalies))
    replicates = _average_precision_of_runs(rng.standard_gamma(anomalies, size), rng.standard_gamma(normals, size))
    return np.sort(np.clip(replicates + shift, 0, 1))


def thin(replicates: Floats, n_kept: int = 100) -> Floats:
    """Return ``n_kept`` quantiles that stand for the replicates, each for an equal share.

    With 100, two of them are the limits of the 95 % interval.
    """
    return np.quantile(replicates, (np.arange(n_kept) + 0.5) / n_kept, method="hazen")


def percentile_interval(estimate: float, replicates: Floats) -> Interval:
    """Compute the 95 % interval from replicates, thinned or not.

    Notes
    -----
    Coverage found by simulation for :func:`average_precision_replicates`, 1000 draws each, at the
    AUROCs of :func:`auroc_interval`::

        anomalies, normals          AUROC .6   .9   .99     wide: .6   .9   .99
        10, 500                         95.0  93.8  97.3         91.5  93.7  96.0
        100, 1000                       96.2  96.9  97.0         97.1  95.9  95.6
        1000, 1000                      98.3  96.8  96.9         96.7  95.6  94.7
    """
    lower, upper = np.quantile(replicates, (0.025, 0.975), method="hazen")
    return Interval(estimate, min(float(lower), estimate), max(float(upper), estimate))


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
    variance = float(np.mean(variances)) + _variance_of_mean(aurocs)
    return auroc_interval(float(np.mean(aurocs)), variance, n_smaller)


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
    n_repetitions, n_levels = levels.shape
    if n_repetitions == 1:
        return levels.ravel()
    drawn = np.random.default_rng(seed).integers(n_repetitions, size=(n_draws, n_repetitions))
    level = np.arange(n_draws) % n_levels
    means: Floats = levels[drawn, level[:, None]].mean(axis=1)
    return np.sort(means)


def combine_differences(differences: Sequence[Interval]) -> Interval:
    """Compute the mean of paired differences over repetitions with its 95 % interval.

    As :func:`combine_auroc`: the rows' part does not shrink, the part between repetitions does.
    """
    estimates, lowers, uppers = np.asarray(differences, dtype=np.float64).T
    mean, between = float(estimates.mean()), _Z**2 * _variance_of_mean(estimates)
    below, above = float(np.mean((estimates - lowers) ** 2)), float(np.mean((uppers - estimates) ** 2))
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


def _average_precision_of_runs(anomalies: NDArray[np.number], normals: NDArray[np.number]) -> Floats:
    """Average precision of weighted runs, each normal rows and the anomalies next below; shape (..., n_runs)."""
    tp, fp = np.cumsum(anomalies, axis=-1), np.cumsum(normals, axis=-1)
    weighted: Floats = np.sum(anomalies * tp / (tp + fp), axis=-1) / tp[..., -1]
    return weighted


def _variance_of_mean(values: ArrayLike) -> float:
    values = np.asarray(values, dtype=np.float64)
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0


def _hypot(a: float, b: float, correlation: float) -> float:
    """Return the length of the difference of two deviations with this correlation."""
    return math.sqrt(max(0.0, a * a + b * b - 2 * correlation * a * b))


def _smaller(y: NDArray[np.bool_]) -> int:
    n_anomalies = int(np.count_nonzero(y))
    return min(n_anomalies, len(y) - n_anomalies)
