"""What threshold rules achieve, side by side: those that see no label, and the oracle, which does."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from adbench.metric_names import ORACLE
from adbench.reporting.leaderboard import Board, Section, boards_of
from adbench.reporting.rows import Decided, Row
from adbench.reporting.words import folded, marked, number, table, text

_DECLARED = "contamination"
_SHOWN = ("false_alarm_rate", "precision", "recall", "f1", "f1_normal", "balanced_accuracy", "mcc")
_HEAD = [
    "false alarms promised",
    "got",
    "precision",
    "recall",
    "F1",
    "F1 normal",
    "bal. acc.",
    "MCC",
    "oracle F1",
    "gap",
]


def decisions_told(board: Board) -> list[str]:
    """Return what the rule with the declared rate achieves for each detector, beside the best the labels allow."""
    # In the outlier setting the rule promises a share of all rows, and nothing about false alarms.
    promises = board.of.setting != "outlier"
    lines = []
    for row in (row for row in board.rows if row.declared and not row.failed and ORACLE in row.decisions):
        oracle = row.decisions[ORACLE]
        rule = row.decisions.get(_DECLARED)
        cells = _cells(rule, oracle, promises=promises) if rule else [*[""] * 8, number(oracle.f1), ""]
        lines.append([marked(row.detector, row.is_floor), *cells])
    if not any(line[2] for line in lines):  # the rule was not asked for
        return []
    told = f"Decisions by the `{_DECLARED}` rule (a quantile of training scores"
    if not promises:
        told += " at the stated share of anomalies, which a user seldom knows"
    return [f"{told}); `oracle` uses the test labels:", table(lines, ["detector", *_HEAD])]


def rules_table(rows: Sequence[tuple[Row, str]]) -> str:
    """Return a line for each rule: means over rows; each comes with its task's setting.

    Rules that only some of the rows have are left out: their means would be over other rows.
    """
    oracles = [row.decisions[ORACLE] for row, _ in rows]
    common = [rule for rule in rows[0][0].decisions if all(rule in row.decisions for row, _ in rows)]
    lines = []
    for rule in common:
        found = [row.decisions[rule] for row, _ in rows]
        # The rule for a declared rate promises a false-alarm rate in the novelty setting alone.
        promises = rule != _DECLARED or not any(setting == "outlier" for _, setting in rows)
        cells = _cells(_mean(found), _mean(oracles), promises=promises)
        lines.append([f"*{text(rule)}* (uses labels)" if rule == ORACLE else text(rule), *cells])
    return table(lines, ["rule", *_HEAD])


def section_rules(section: Section) -> list[str]:
    """Return the rules' means over all methods and tasks of a section, and those of each task folded away."""
    by_task = [
        (task, [row for board in boards_of(task) if not board.is_attack for row in board.rows if _counts(row)])
        for task in section.tasks
    ]
    by_task = [(task, rows) for task, rows in by_task if rows]
    all_rows = [(row, task.setting) for task, rows in by_task for row in rows]
    if not all_rows:
        return []
    parts = [f"Means over {len(all_rows)} results (methods' declared scores, {len(by_task)} tasks):"]
    parts.append(rules_table(all_rows))
    for task, rows in by_task:
        table_of_task = rules_table([(row, task.setting) for row in rows])
        parts.append(folded(task.name, f"Means over {len(rows)} results.", table_of_task))
    return parts


def _counts(row: Row) -> bool:
    return row.declared and not row.is_floor and not row.failed and ORACLE in row.decisions


def _cells(rule: Decided, oracle: Decided, *, promises: bool) -> list[str]:
    shown = [getattr(rule, name) for name in _SHOWN]
    return [
        number(rule.promised if promises else None),
        *map(number, shown),
        number(oracle.f1),
        number(oracle.f1 - rule.f1),
    ]


def _mean(found: Sequence[Decided]) -> Decided:
    promised = [each.promised for each in found if each.promised is not None]
    return Decided(
        promised=statistics.fmean(promised) if len(promised) == len(found) else None,
        **{name: sum(getattr(each, name) for each in found) / len(found) for name in _SHOWN},
    )
