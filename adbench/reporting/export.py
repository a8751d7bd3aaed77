"""The long form: one row a metric, for people who make their own tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adbench.metric_names import DECISION_METRICS, RANK_METRICS
from adbench.reporting.cells import Cell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "key",
    "detector",
    "score",
    "dataset",
    "task",
    "test",
    "variant",
    "profile",
    "setting",
    "lane",
    "seed",
    "status",
    "threshold",
    "metric",
    "value",
)
_COSTS = ("fit_seconds", "score_seconds", "peak_mb")


def to_frame(cells: Sequence[Cell]) -> pd.DataFrame:
    """Return one row a metric.

    ``threshold`` is empty for rank metrics and costs; ``seed`` is the repetition. A trial that is not
    ``ok`` has one row with empty metric.
    """
    import pandas as pd

    return pd.DataFrame(list(_rows(cells)), columns=list(COLUMNS)).astype({"value": "float64"})


def write(frame: pd.DataFrame, path: Path, form: str) -> None:
    """Write the long form as ``csv`` or ``parquet``, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        if form == "parquet":
            frame.to_parquet(partial, index=False)
        else:
            frame.to_csv(partial, index=False, lineterminator="\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _rows(cells: Iterable[Cell]) -> Iterator[dict[str, Any]]:
    for cell in cells:
        trial = cell.record.trial
        common = {
            "key": trial.key,
            "detector": cell.label.detector,
            "dataset": trial.dataset,
            "task": trial.task,
            "variant": trial.variant,
            "profile": cell.label.profile,
            "setting": trial.setting,
            "lane": trial.lane,
            "seed": trial.repetition,
            "status": cell.record.status,
            "threshold": "",
        }
        if not cell.evaluations:
            yield {**common, "score": "", "test": "", "metric": "", "value": None}
        for test, by_score in cell.evaluations.items():
            for score, evaluation in by_score.items():
                here = {**common, "test": test, "score": score}
                for metric in RANK_METRICS:
                    yield {**here, "metric": metric, "value": getattr(evaluation, metric)}
                for rule, decision in evaluation.decisions.items():
                    for metric in DECISION_METRICS:
                        yield {**here, "threshold": rule, "metric": metric, "value": decision[metric]}  # type: ignore[literal-required]
                for cost in _COSTS:
                    yield {**here, "metric": cost, "value": getattr(cell.record, cost)}
