"""Evaluate one score of one test set: metrics, their intervals, and a decision per threshold rule.

A pure function of stored scores and labels; nothing here reads a file or knows a detector.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adbench import intervals, metrics
from adbench.errors import PluginError, UsageError
from adbench.metric_names import ORACLE
from adbench.specs import ThresholdSpec
from adbench.thresholds import NEEDS_NO_TRAINING, Floats, Limits, Rule

EVALUATION_VERSION = 2
"""Kept with cached evaluations; raised whenever a number computed here may change."""

Thresholds = Iterable[ThresholdSpec] | Mapping[str, tuple[Rule, Mapping[str, Any], str | float | None]]


class Decision(TypedDict):
    """One threshold rule applied to the test scores; a score outside ``[lower, upper]`` is flagged.

    ``promised`` is the false-alarm rate the rule promises, if any; ``uses_labels`` marks the oracle.
    """

    lower: float
    upper: float
    promised: float | None
    uses_labels: bool
    precision: float
    recall: float
    f1: float
    f1_normal: float
    false_alarm_rate: float
    balanced_accuracy: float
    mcc: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All numbers of one score on one test set, as plain values.

    Parameters
    ----------
    n, n_anomalies
        Rows and anomalies of the test set.
    contamination
        Share of anomalies: the chance level of average precision.
    auroc, auroc_variance, auroc_interval
        With DeLong's variance; the interval is at 95 %.
    average_precision, average_precision_interval
        The interval is at 95 %.
    average_precision_replicates
        100 quantiles of the bootstrap replicates, for combining repetitions.
    precision_at_n, fpr_at_95_tpr
        See :mod:`adbench.metrics`.
    decisions
        Threshold rule -> its limits and what they achieve; ``oracle`` comes last and uses the labels.
    """

    n: int
    n_anomalies: int
    contamination: float
    auroc: float
    auroc_variance: float
    auroc_interval: tuple[float, float]
    average_precision: float
    average_precision_interval: tuple[float, float]
    average_precision_replicates: tuple[float, ...]
    precision_at_n: float
    fpr_at_95_tpr: float
    decisions: Mapping[str, Decision]

    def to_dict(self) -> dict[str, Any]:
        """Return strict JSON values; infinite limits become the strings ``inf`` and ``-inf``."""
        values = asdict(self)
        for decision in values["decisions"].values():
            for side in ("lower", "upper"):
                if math.isinf(decision[side]):
                    decision[side] = str(decision[side])
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Evaluation:
        """Return what :meth:`to_dict` was made from, also after a passage through JSON."""
        decisions = {
            name: {**decision, "lower": float(decision["lower"]), "upper": float(decision["upper"])}
            for name, decision in values["decisions"].items()
        }
        sequences = {key: tuple(value) for key, value in values.items() if isinstance(value, list | tuple)}
        return cls(**{**values, **sequences, "decisions": decisions})


def evaluate(
    y_test: ArrayLike,
    scores: ArrayLike,
    train_scores: ArrayLike | None = None,
    *,
    rate: float = 0.05,
    thresholds: Thresholds | None = None,
) -> Evaluation:
    """Evaluate anomaly scores against labels.

    Parameters
    ----------
    y_test : array_like of shape (n_samples,)
        1 = anomaly, 0 = normal; both must occur.
    scores : array_like of shape (n_samples,)
        Higher = more anomalous; finite.
    train_scores : array_like of shape (n_train,), optional
        Scores of the training rows. Without them, only rules that need none are applied.
    rate : float, default 0.05
        The declared rate, in (0, 1): the stated contamination of the training rows, or the
        false-alarm rate to aim at. Never the test set's own share of anomalies.
    thresholds
        Rules: specs, or a mapping from name to ``(function, params, promises)``. Default: the built-in ones.

    Returns
    -------
    Evaluation
        The same for the same arguments, whatever ran before.

    Raises
    ------
    UsageError
        One line, if an argument is malformed.
    PluginError
        One line, if a threshold rule fails or returns no limits.

    Examples
    --------
    >>> result = evaluate([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], train_scores=[0.1, 0.2, 0.3])
    >>> result.auroc, result.decisions["contamination"]["recall"], result.decisions["oracle"]["f1"]
    (0.75, 1.0, 0.8)
    """
    y, s = metrics.check_scored(y_test, scores)
    train = None if train_scores is None else _read_only(metrics.check_finite("training scores", train_scores))
    if not 0 < rate < 1:
        raise UsageError(f"'rate' must be in (0, 1); got {rate!r}.")

    decisions = {}
    for rule in _rules(thresholds):
        if train is not None or rule.function in NEEDS_NO_TRAINING:
            promised = rate if rule.promises == "rate" else rule.promises
            limits = _limits(rule, np.empty(0) if train is None else train, rate)
            decisions[rule.name] = _decide(y, s, limits, promised=None if promised is None else float(promised))
    decisions[ORACLE] = _decide(y, s, _oracle_limits(y, s), uses_labels=True)

    (auroc,), ((variance,),) = (values.tolist() for values in intervals.delong(y, s))
    n, n_anomalies = len(y), int(np.count_nonzero(y))
    average_precision = metrics.average_precision(y, s)
    replicates = intervals.thin(intervals.average_precision_replicates(y, s)).round(6)
    return Evaluation(
        n=n,
        n_anomalies=n_anomalies,
        contamination=n_anomalies / n,
        auroc=auroc,
        auroc_variance=variance,
        auroc_interval=intervals.auroc_interval(auroc, variance, min(n_anomalies, n - n_anomalies))[1:],
        average_precision=average_precision,
        average_precision_interval=intervals.percentile_interval(average_precision, replicates)[1:],
        average_precision_replicates=tuple(replicates.tolist()),
        precision_at_n=metrics.precision_at_n(y, s),
        fpr_at_95_tpr=metrics.fpr_at_95_tpr(y, s),
        decisions=decisions,
    )


class _NamedRule(NamedTuple):
    name: str
    function: Rule
    params: Mapping[str, Any]
    promises: str | float | None


def _rules(thresholds: Thresholds | None) -> list[_NamedRule]:
    if thresholds is None:
        from adbench.builtin import adbench_thresholds

        thresholds = adbench_thresholds()
    if isinstance(thresholds, Mapping):
        rules = [_NamedRule(name, *rule) for name, rule in thresholds.items()]
    else:
        rules = [_NamedRule(spec.name, _load(spec), spec.params, spec.promises) for spec in thresholds]
    if any(rule.name == ORACLE for rule in rules):
        raise UsageError(f"a threshold rule must not be named {ORACLE!r}: that name marks the use of test labels.")
    return rules


def _load(spec: ThresholdSpec) -> Rule:
    module, _, name = spec.target.partition(":")
    try:
        rule: Rule = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"threshold {spec.name!r}: cannot import {spec.target!r}: {error}") from error
    return rule


def _limits(rule: _NamedRule, train_scores: Floats, rate: float) -> Limits:
    try:
        lower, upper = map(float, rule.function(train_scores, rate, **rule.params))
    except Exception as error:  # a plugin's code: any failure must name the rule
        raise PluginError(f"threshold {rule.name!r} failed: {type(error).__name__}: {error}") from error
    if math.isnan(lower) or math.isnan(upper):
        raise PluginError(f"threshold {rule.name!r} must return two limits, not NaN; got {(lower, upper)}")
    return lower, upper


def _decide(
    y: NDArray[np.bool_], scores: Floats, limits: Limits, *, promised: float | None = None, uses_labels: bool = False
) -> Decision:
    lower, upper = limits
    counts = metrics.confusion(y, (scores < lower) | (scores > upper))
    return Decision(
        lower=lower,
        upper=upper,
        promised=promised,
        uses_labels=uses_labels,
        precision=metrics.precision(counts),
        recall=metrics.recall(counts),
        f1=metrics.f1(counts),
        f1_normal=metrics.f1_normal(counts),
        false_alarm_rate=metrics.false_alarm_rate(counts),
        balanced_accuracy=metrics.balanced_accuracy(counts),
        mcc=metrics.mcc(counts),
    )


def _oracle_limits(y: NDArray[np.bool_], scores: Floats) -> Limits:
    """Return the upper limit of best F1; of equal ones, the highest."""
    ranked, tp, fp = metrics.ranked_counts(y, scores)
    best = int(np.argmax(2 * tp / (tp + fp + tp[-1])))
    # The limit is the first score that is not flagged.
    return -math.inf, float(ranked[best + 1]) if best + 1 < len(ranked) else -math.inf


def _read_only(values: Floats) -> Floats:
    view = values.view()
    view.flags.writeable = False
    return view
