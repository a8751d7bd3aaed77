"""The long form of a trial's numbers, made from its scores: what a bundle states and ``verify`` recomputes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from adbench.evaluation import Evaluation
from adbench.metric_names import DECISION_METRICS, RANK_METRICS
from adbench.record import Label, Record
from adbench.reporting.evaluator import evaluate_scores
from adbench.specs import ThresholdSpec

COSTS = ("fit_seconds", "score_seconds", "peak_mb")
#: Other numerical libraries sum in another order.
TOLERANCE = 1e-12

Name = tuple[str, str, str, str]
"""Test set, score, threshold rule (empty for metrics of a ranking and costs), metric."""
NO_NUMBER: Name = ("", "", "", "")
"""Stands with the status of a trial that has no scores."""


def evaluations(
    record: Record, arrays: Mapping[str, NDArray[Any]], thresholds: Sequence[ThresholdSpec]
) -> dict[tuple[str, str], Evaluation]:
    """Evaluate every score on every test set; a rule that finds no limits is left out.

    Raises
    ------
    UsageError
        If scores or labels are such that they cannot be evaluated.
    """
    ordered = {name: arrays[name] for name in sorted(arrays)}
    made = evaluate_scores(record, ordered, thresholds).tests
    return {(test, score): evaluation for test, by_score in made.items() for score, evaluation in by_score.items()}


def named_numbers(record: Record, made: Mapping[tuple[str, str], Evaluation]) -> Iterator[tuple[Name, float]]:
    """Yield each number of a trial with its name; of a trial without scores, one that is NaN and has no name."""
    if not made:
        yield NO_NUMBER, math.nan
    for (test, score), evaluation in made.items():
        for metric in RANK_METRICS:
            yield (test, score, "", metric), getattr(evaluation, metric)
        for rule, decision in evaluation.decisions.items():
            for metric in DECISION_METRICS:
                yield (test, score, rule, metric), decision[metric]  # type: ignore[literal-required]
        for cost in COSTS:
            yield (test, score, "", cost), getattr(record, cost)


def trial_columns(label: Label, record: Record) -> dict[str, Any]:
    """Return what stands beside each number of a trial."""
    trial = record.trial
    return {
        "key": label.key,
        "detector": label.detector,
        "dataset": trial.dataset,
        "task": trial.task,
        "variant": trial.variant,
        "profile": label.profile,
        "setting": trial.setting,
        "lane": trial.lane,
        "seed": trial.repetition,
        "status": record.status,
    }


def same(stated: float, made: float) -> bool:
    """Tell whether two numbers are one, but for the order in which something was summed."""
    return stated == made or math.isclose(stated, made, rel_tol=TOLERANCE) or (math.isnan(stated) and math.isnan(made))
