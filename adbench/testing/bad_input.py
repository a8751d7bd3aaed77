"""Checks of what a detector does with rows that it cannot use, or hardly.

Either it gives finite scores of the right shape, or it refuses: an :class:`~adbench.errors.AdbenchError`
such as PluginError, or SkipTrial, whose text is one line. Whatever else is raised, or scored, is a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adbench.errors import AdbenchError, SkipTrial
from adbench.testing.cases import Case, Floats, Labels

_FEW = 60
"""Rows to fit where only their kind matters; they hold both labels where there are labels."""


def check_not_finite(case: Case) -> None:
    """A NaN or infinite value is refused, in training rows and in scored ones, by floors too."""
    # Floors are no exception: they stand in a table beside methods that saw the same rows.
    for value in (np.nan, np.inf, -np.inf):
        X, test = (_with_value(rows, value) for rows in (case.X, case.test))
        assert fitted_or_refused(case, f"training rows with {value}", X, case.y) is None, f"fitted rows with {value}"
        scores = _scores_or_refused(case, f"rows with {value}", case.used.detector, test)
        assert scores is None, f"scored rows with {value}"


def check_other_size(case: Case) -> None:
    """Rows of another size than those trained on are refused; images may be scored, where the method can."""
    is_table = case.X.ndim == 2
    # One column is what would be broadcast silently.
    for other in (case.test[:, :1] if is_table else case.test[:, ::2], np.hstack([case.test, case.test[:, :1]])):
        what = f"rows of shape {other.shape[1:]} after fitting {case.X.shape[1:]}"
        scores = _scores_or_refused(case, what, case.used.detector, other)
        assert scores is None or not is_table, f"scored {what}"


def check_one_training_row(case: Case) -> None:
    """A single training row is enough, or refused."""
    _fit_and_score(case, "one training row", case.X[:1], None if case.y is None else case.y[:1])


def check_constant_rows(case: Case) -> None:
    """Training rows that are all equal are fitted, or refused."""
    X = case.X[-_FEW:].copy()
    X[:] = X[0]
    _fit_and_score(case, "equal training rows", X, None if case.y is None else case.y[-_FEW:])


def check_constant_feature(case: Case) -> None:
    """A feature (of images, a line of pixels) without variance in training is no obstacle, or refused."""
    X = case.X[-_FEW:].copy()
    X[:, 0] = 1.0
    _fit_and_score(case, "a constant feature", X, None if case.y is None else case.y[-_FEW:])


def check_single_row(case: Case) -> None:
    """One row can be scored."""
    case.assert_scores(case.scores(case.used.detector, case.test[:1]), 1)


def check_no_anomalies(case: Case) -> None:
    """Labels without an anomaly are fitted, or refused, by a detector that learns from them."""
    if case.y is not None:
        _fit_and_score(case, "labels without an anomaly", case.X[:_FEW], case.y[:_FEW] * 0)


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_not_finite,
    check_other_size,
    check_one_training_row,
    check_constant_rows,
    check_constant_feature,
    check_single_row,
    check_no_anomalies,
)


def fitted_or_refused(case: Case, what: str, X: Floats, y: Labels | None) -> Any:
    """Return a detector fitted on these rows, or None where it refused them clearly."""
    return _unless_refused(f"fit on {what}", lambda: case.fitted(X, y))


def _scores_or_refused(case: Case, what: str, detector: Any, X: Floats) -> dict[str, Floats] | None:
    scores: dict[str, Floats] | None = _unless_refused(f"score of {what}", lambda: case.scores(detector, X))
    if scores is not None:
        case.assert_scores(scores, len(X))
    return scores


def _fit_and_score(case: Case, what: str, X: Floats, y: Labels | None) -> None:
    detector = fitted_or_refused(case, what, X, y)
    if detector is not None:
        _scores_or_refused(case, f"rows after {what}", detector, case.test)


def _unless_refused(what: str, act: Callable[[], Any]) -> Any:
    try:
        return act()
    except (AdbenchError, SkipTrial) as refusal:
        text = str(refusal)
        assert text.strip() and text.isprintable(), f"{what}: the refusal must be one line of text; got {text!r}"
        return None
    except Exception as error:  # whatever else is raised is what is looked for
        told = f"{type(error).__name__}: {error}"
        raise AssertionError(f"{what}: raise PluginError with what is wrong in one line; got {told}") from error


def _with_value(rows: Floats, value: float) -> Floats:
    changed = rows.copy()
    changed.reshape(len(rows), -1)[len(rows) // 2, -1] = value
    return changed
