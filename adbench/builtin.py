"""The core's own plugin: the threshold rules that are applied to every score."""

from __future__ import annotations

from math import erfc, sqrt
from typing import Any

from adbench.hookspecs import hookimpl
from adbench.specs import ThresholdSpec


@hookimpl
def adbench_thresholds() -> list[ThresholdSpec]:
    """Return the built-in rules, the usual choice first and the lines to beat last."""
    return [
        _rule("contamination", "contamination", "Quantile of the training scores at the declared rate.", "rate"),
        *(_rule(f"zscore-{k}", "zscore", f"Training mean plus {k} sd.", _tail(k), k=k) for k in (1, 2, 3)),
        *(
            _rule(
                f"zscore-two-sided-{k}",
                "zscore",
                f"Training mean plus or minus {k} sd.",
                2 * _tail(k),
                k=k,
                two_sided=True,
            )
            for k in (1, 2, 3)
        ),
        _rule(
            "zscore-per-sample-3",
            "zscore_per_sample",
            "Each score's own distance as its sd, as one publication has it: flags nothing.",
            0.0,
            k=3,
        ),
        _rule("mad", "mad", "Training median plus 3 scaled median absolute deviations.", _tail(3), k=3),
        # A normal's third quartile is at 0.6745 sd and its interquartile range 1.349 sd wide.
        _rule("iqr", "iqr", "Third quartile plus 1.5 interquartile ranges.", _tail(0.6745 + 1.5 * 1.349), k=1.5),
        _rule("fixed-0.05", "fixed", "0.05 in the score's own unit: an image's mean squared error.", None, value=0.05),
        _rule("always-normal", "always_normal", "Flags nothing: a line to beat.", 0.0),
        _rule("always-anomaly", "always_anomaly", "Flags everything: a line to beat.", 1.0),
    ]


def _rule(name: str, function: str, summary: str, promises: str | float | None, **params: Any) -> ThresholdSpec:
    target = f"adbench.thresholds:{function}"
    return ThresholdSpec(name=name, target=target, summary=summary, params=params, promises=promises)


def _tail(k: float) -> float:
    """Return the share of a normal distribution beyond ``k`` standard deviations, on one side."""
    return round(erfc(k / sqrt(2)) / 2, 6)
