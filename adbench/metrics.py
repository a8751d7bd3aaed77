"""Metrics: of a ranking ``(y_true, scores)``, and of a decision (one confusion count).

Written in numpy because scikit-learn takes most of a second to import and its functions, called one
by one, sort anew each time; the tests compare every value with scikit-learn's.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adbench.errors import UsageError

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class RankedCounts(NamedTuple):
    """What is flagged when the limit is lowered to each distinct score in turn.

    Rows of equal score are flagged together, so that nothing depends on their order.

    Parameters
    ----------
    scores : ndarray of shape (n_distinct,)
        The distinct scores, falling.
    true_positives, false_positives : ndarray of shape (n_distinct,)
        Anomalies and normal rows that score at least so high; the last entries are their totals.
    """

    scores: Floats
    true_positives: Ints
    false_positives: Ints


def ranked_counts(y_true: ArrayLike, scores: ArrayLike) -> RankedCounts:
    """Count anomalies and normal rows from the highest score down.

    Raises
    ------
    UsageError
        As :func:`check_scored`.
    """
    y, s = check_scored(y_true, scores)
    order = np.argsort(s)[::-1]
    s = s[order]
    last_of_ties = np.flatnonzero(np.append(s[1:] != s[:-1], True))
    true_positives = np.cumsum(y[order], dtype=np.int64)[last_of_ties]
    return RankedCounts(s[last_of_ties], true_positives, last_of_ties + 1 - true_positives)


def auroc(y_true: ArrayLike, scores: ArrayLike) -> float:
    """Compute the area under the ROC curve: the chance that an anomaly scores above a normal row.

    Parameters
    ----------
    y_true : array_like of shape (n_samples,)
        1 = anomaly, 0 = normal; both must occur.
    scores : array_like of shape (n_samples,)
        Higher = more anomalous; finite.

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance. A tie counts one half.

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    _, tp, fp = ranked_counts(y_true, scores)
    return float(np.trapezoid(np.append(0, tp), np.append(0, fp)) / (tp[-1] * fp[-1]))


def average_precision(y_true: ArrayLike, scores: ArrayLike) -> float:
    """Compute average precision: the precision at each anomaly's score, averaged over the anomalies.

    Parameters and errors as :func:`auroc`.

    Returns
    -------
    float
        In (0, 1]; chance level is the contamination. No interpolation between points of the curve.

    References
    ----------
    Davis & Goadrich (2006): linear interpolation of a precision-recall curve is too optimistic.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    _, tp, fp = ranked_counts(y_true, scores)
    return float(np.sum(np.diff(tp, prepend=0) * tp / (tp + fp)) / tp[-1])


def precision_at_n(y_true: ArrayLike, scores: ArrayLike) -> float:
    """Compute the share of anomalies among the ``n`` highest scores, ``n`` being their number.

    Parameters and errors as :func:`auroc`.

    Returns
    -------
    float
        In [0, 1]. Where rows tie for the last places, the expected value over all orders of them.

    Examples
    --------
    >>> precision_at_n([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.5
    """
    _, tp, fp = ranked_counts(y_true, scores)
    n = tp[-1]
    # Linear between the ends of a tie group, which is the expectation over its orders.
    return float(np.interp(n, np.append(0, tp + fp), np.append(0, tp)) / n)


def fpr_at_95_tpr(y_true: ArrayLike, scores: ArrayLike) -> float:
    """Compute the false-alarm rate at the highest limit that flags at least 95 % of the anomalies.

    Parameters and errors as :func:`auroc`.

    Returns
    -------
    float
        In [0, 1]; lower is better. Ties are flagged together.

    Examples
    --------
    >>> fpr_at_95_tpr([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.5
    """
    _, tp, fp = ranked_counts(y_true, scores)
    first = np.argmax(100 * tp >= 95 * tp[-1])  # in integers: .95 * 20 need not be 19
    return float(fp[first] / fp[-1])


class Confusion(NamedTuple):
    """Counts of a decision, anomalies being the positive class."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def confusion(y_true: Bools, flagged: Bools) -> Confusion:
    """Count a decision's hits and misses.

    Parameters
    ----------
    y_true, flagged : ndarray of bool, shape (n_samples,)
        True = anomaly; True = called an anomaly.
    """
    hits = int(np.count_nonzero(y_true & flagged))
    n_flagged, n_anomalies = int(np.count_nonzero(flagged)), int(np.count_nonzero(y_true))
    return Confusion(hits, n_flagged - hits, n_anomalies - hits, len(y_true) - n_flagged - n_anomalies + hits)


def precision(counts: Confusion) -> float:
    """Compute the share of anomalies among the flagged rows; 0 if none is flagged."""
    tp, fp, _, _ = counts
    return _ratio(tp, tp + fp)


def recall(counts: Confusion) -> float:
    """Compute the share of flagged rows among the anomalies; 0 if there are none."""
    tp, _, fn, _ = counts
    return _ratio(tp, tp + fn)


def f1(counts: Confusion) -> float:
    """Compute the harmonic mean of precision and recall of the anomalies; 0 if none is flagged and none exists."""
    tp, fp, fn, _ = counts
    return _ratio(2 * tp, 2 * tp + fp + fn)


def f1_normal(counts: Confusion) -> float:
    """Compute F1 with the normal rows as positive class: what flagging nothing maximises cheaply."""
    _, fp, fn, tn = counts
    return _ratio(2 * tn, 2 * tn + fn + fp)


def false_alarm_rate(counts: Confusion) -> float:
    """Compute the share of flagged rows among the normal rows; 0 if there are none."""
    _, fp, _, tn = counts
    return _ratio(fp, fp + tn)


def balanced_accuracy(counts: Confusion) -> float:
    """Compute the mean of recall and of the share of normal rows left alone; both classes must occur."""
    return (recall(counts) + 1 - false_alarm_rate(counts)) / 2


def mcc(counts: Confusion) -> float:
    """Compute the Matthews correlation coefficient, in [-1, 1]; 0 if all rows are decided alike."""
    tp, fp, fn, tn = counts
    return _ratio(tp * tn - fp * fn, math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def check_scored(y_true: ArrayLike, scores: ArrayLike) -> tuple[Bools, Floats]:
    """Return labels as booleans and scores as float64, both of shape (n_samples,).

    Raises
    ------
    UsageError
        If lengths differ, a score is not finite, a label is not 0 or 1, or one class is missing.
    """
    s = check_finite("scores", scores)
    y: NDArray[Any] = np.asarray(y_true)
    if y.shape != s.shape:
        raise UsageError(f"labels and scores must have one shape (n_samples,); got {y.shape} and {s.shape}.")
    if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
        raise UsageError("labels must be 1 (anomaly) or 0 (normal); got other values.")
    anomalous = y.astype(bool)
    if anomalous.all() or not anomalous.any():
        raise UsageError(f"labels must hold both classes, 0 and 1; all {len(y)} are {int(anomalous.all())}.")
    return anomalous, s


def check_finite(what: str, scores: ArrayLike) -> Floats:
    """Return scores as float64, shape (n_samples,), or raise a :class:`UsageError` that names ``what``."""
    try:
        s = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what} must be numbers; {error}.") from error
    if s.ndim != 1 or not s.size:
        raise UsageError(f"{what} must have shape (n_samples,), one or more; got {s.shape}.")
    if not np.isfinite(s).all():
        raise UsageError(f"{what} must be finite; {np.count_nonzero(~np.isfinite(s))} of {len(s)} are not.")
    return s


def _ratio(part: float, whole: float) -> float:
    """Divide; nothing of nothing is 0, as scikit-learn's ``zero_division=0``."""
    return part / whole if whole else 0.0
