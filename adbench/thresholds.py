"""Threshold rules: ``(train_scores, rate, **params) -> (lower, upper)``; a score outside is flagged.

A rule sees training scores (float64, finite, at least one) and a declared rate in (0, 1), never a
label and never a test score. A one-sided rule returns minus infinity as lower limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Limits = tuple[float, float]
Rule = Callable[..., Limits]

_MAD_TO_SD = 1.482602218505602  # 1 / the normal quantile at 3/4: makes the MAD estimate a normal sd


def contamination(train_scores: Floats, rate: float) -> Limits:
    """Flag what scores above the training scores' ``1 - rate`` quantile.

    At most a share ``rate`` of the training rows is flagged; fewer when scores tie at the limit.
    """
    return -math.inf, float(np.quantile(train_scores, 1 - rate))


def zscore(train_scores: Floats, rate: float, *, k: float, two_sided: bool = False) -> Limits:
    """Flag what lies more than ``k`` standard deviations from the training mean.

    Two-sided finds anomalies that score *low* too, such as images simpler than the training images,
    which an autoencoder rebuilds better than those it learned from.
    """
    return _around(float(np.mean(train_scores)), k * float(np.std(train_scores)), two_sided)


def zscore_per_sample(train_scores: Floats, rate: float, *, k: float) -> Limits:
    """Flag what :func:`exceeds_own_deviation` flags: nothing for ``k >= 1``, else all but the training mean itself."""
    mean = float(np.mean(train_scores))
    return (-math.inf, math.inf) if k >= 1 else (mean, mean)


def exceeds_own_deviation(scores: Floats, mean: float, k: float) -> NDArray[np.bool_]:
    """Flag scores beyond ``mean + k * sd`` or ``mean - k * sd``, where ``sd`` is each score's own ``|score - mean|``.

    The formula as a published system states it, kept for the record: its deviation is not that of a set
    of scores, so no score can lie further from the mean than ``k >= 1`` times its own distance.

    References
    ----------
    sohamk10/Image-reconstruction-and-Anomaly-detection: the README's formula, with ``k = 3``. The
    notebooks take the standard deviation of all errors instead: :func:`zscore`, two-sided.
    """
    deviation = np.abs(scores - mean)
    # Both comparisons in one, with the mean taken off either side: adding it would round.
    return deviation > k * deviation


def mad(train_scores: Floats, rate: float, *, k: float = 3.0, two_sided: bool = False) -> Limits:
    """Flag what lies more than ``k`` normal-consistent median absolute deviations from the training median.

    Up to half the training rows may be anomalies without moving the limit far. When more than half
    the training scores are equal, the deviation is 0 and every other score beyond them is flagged.

    References
    ----------
    Leys et al. (2013), "Detecting outliers: do not use standard deviation around the mean".
    """
    median = float(np.median(train_scores))
    deviation = _MAD_TO_SD * float(np.median(np.abs(train_scores - median)))
    return _around(median, k * deviation, two_sided)


def iqr(train_scores: Floats, rate: float, *, k: float = 1.5) -> Limits:
    """Flag what lies more than ``k`` interquartile ranges above the third quartile.

    References
    ----------
    Tukey (1977), "Exploratory Data Analysis", the upper inner fence.
    """
    first, third = np.quantile(train_scores, (0.25, 0.75))
    return -math.inf, float(third + k * (third - first))


def fixed(train_scores: Floats, rate: float, *, value: float) -> Limits:
    """Flag what scores above ``value``, in the score's own unit."""
    return -math.inf, value


def always_normal(train_scores: Floats, rate: float) -> Limits:
    """Flag nothing."""
    return -math.inf, math.inf


def always_anomaly(train_scores: Floats, rate: float) -> Limits:
    """Flag everything: no score lies between these limits."""
    return math.inf, -math.inf


NEEDS_NO_TRAINING: frozenset[Rule] = frozenset({fixed, always_normal, always_anomaly})
"""The rules that can be applied where there are no training scores."""


def _around(centre: float, width: float, two_sided: bool) -> Limits:
    return centre - width if two_sided else -math.inf, centre + width
