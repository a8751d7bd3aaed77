"""What a dataset's page shows of a task: scores, decisions, failures; a heat map where test sets are many."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adbench.metric_names import ORACLE
from adbench.record import MISSING
from adbench.reporting.filenames import picture_name
from adbench.reporting.leaderboard import Board, Row, by_mean
from adbench.reporting.origin import command, provenance
from adbench.reporting.words import number, seconds, table, text, with_limits

_REASON_LENGTH = 300
_MOST_FOLDED = 30
"""Test sets whose own tables a page can carry: 95 corruptions would be thousands of lines."""


def many_tests(boards: Sequence[Board]) -> list[str]:
    """Return a task with several test sets: one fit, a heat map, and each test set's own tables folded away."""
    first = boards[0]
    parts = [
        _head(first),
        f"{len(boards)} test sets, one fit on {_facts(first)['train_rows']:,} training rows. AUROC:",
        f"![AUROC of each detector on each test set]({picture_name(boards)})",
        _by_test(boards),
        provenance(boards),
    ]
    if failed := failures(boards):
        parts += ["Failed, skipped or noted:", failed]
    parts.append(command(first.profile, boards))
    if len(boards) > _MOST_FOLDED:
        return [*parts, "Intervals, decisions and costs of each test set: `adbench export`."]
    for board in boards:
        parts += [f"<details><summary>{test_name(board)}</summary>", _rows_told(board), _scores(board)]
        parts += [_decisions(board), "</details>"]
    return parts


def _by_test(boards: Sequence[Board]) -> str:
    """Return AUROC of declared scores, a test set a line."""
    floors = {row.detector for board in boards for row in board.rows if row.is_floor}
    lines = [(test_name(board), {detector: [row] for detector, row in board.headlines.items()}) for board in boards]
    return auroc_table("test", lines, {name: name in floors for name in by_mean(boards)})


def test_name(board: Board) -> str:
    """Return a test set's name, adversarial ones with their mark."""
    return text(board.test) + " †" * board.is_attack


def auroc_table(
    what: str, lines: Iterable[tuple[str, Mapping[str, Sequence[Row]]]], is_floor: Mapping[str, bool]
) -> str:
    """Return mean AUROCs as a table, the best method of a line in bold, floors in italics.

    Parameters
    ----------
    what
        Head of the first column.
    lines
        Label, as Markdown, and the rows of each detector that the mean is over.
    is_floor
        The detectors in the columns' order.
    """
    made = []
    for label, rows in lines:
        found = {name: _short(rows.get(name, ())) for name in is_floor}
        best = max((value for name, (_, value) in found.items() if value is not None and not is_floor[name]), default=2)
        made.append([label])
        for name, (words, value) in found.items():
            mark = "" if value is None else "*" if is_floor[name] else "**" if value == best else ""
            made[-1].append(f"{mark}{words}{mark}")
    return table(made, [what, *(name_of(name, floor) for name, floor in is_floor.items())])


def one_test(board: Board) -> list[str]:
    """Return a task with one test set: its scores, decisions and failures."""
    parts = [_head(board), _rows_told(board), provenance([board]), _scores(board), _decisions(board)]
    if failed := failures([board]):
        parts += ["Failed, skipped or noted:", failed]
    return [*parts, command(board.profile, [board])]


def _head(board: Board) -> str:
    lane = "" if board.lane == "corrected" else f", {board.lane} protocol"
    labels = ", detectors that learn from labels" if board.uses_labels else ""
    return f"## {text(board.task)}: profile `{board.profile}`{lane}{labels}"


def _facts(board: Board) -> Mapping[str, Any]:
    """Return what is known of the rows: trials that did not run know nothing of them."""
    found = (cell.record.rows for row in board.rows for cell in row.cells)
    return next((facts for facts in found if facts), {"tests": []})


def _rows_told(board: Board) -> str:
    facts = _facts(board)
    test = next((test for test in facts["tests"] if test["name"] == board.test), None)
    if test is None:
        return ""
    setting = board.rows[0].cells[0].record.trial.setting
    told = [f"Setting `{text(setting)}`: {facts['train_rows']:,} training rows, {test['rows']:,} test rows"]
    if facts["contamination"] is not None:
        told[0] = told[0].replace(
            " training rows", f" training rows (stated contamination {facts['contamination']:.2%})"
        )
    if board.contamination is not None:
        told.append(f"{board.contamination:.2%} of them anomalies (the chance level of AP)")
    if test["is_train"]:
        told.append("the training rows themselves are scored")
    elif test["repeated_share"]:
        told.append(f"{test['repeated_share']:.1%} of test rows repeat a training row")
    return ", ".join(told) + "."


def _scores(board: Board) -> str:
    def line(row: Row) -> list[str]:
        name = name_of(row.detector, row.is_floor)
        if not row.declared:
            name += f" · {text(row.score)}"
        rank = "" if row.rank is None else f"{row.rank:g}"
        if row.failed or not row.evaluations:
            return [rank, name, _status(row), *[""] * 7]
        return [
            rank,
            name,
            with_limits(row.auroc),
            with_limits(row.average_precision),
            f"{row.mean('precision_at_n'):.3f}",
            f"{row.mean('fpr_at_95_tpr'):.3f}",
            _mark(row),
            seconds(row.median("fit_seconds")),
            seconds(row.median("score_seconds")),
            memory([row]),
        ]

    head = ["rank", "detector", "AUROC", "AP", "P@n", "FPR@95", "", "fit s", "score s", "MB"]
    return table([line(row) for row in board.rows], head)


def _decisions(board: Board) -> str:
    """Return what the label-free rule achieves beside the best that the test labels allow."""
    lines = []
    # In the outlier setting the rule promises a share of all rows, and nothing about false alarms.
    promises = board.rows[0].cells[0].record.trial.setting != "outlier"
    for row in board.rows:
        rule, oracle = row.decision("contamination"), row.decision(ORACLE)
        if row.declared and not row.failed and oracle and not rule:
            lines.append([name_of(row.detector, row.is_floor), *[""] * 6, number(oracle["f1"]), ""])
        elif row.declared and not row.failed and rule and oracle:
            promised = rule.get("promised") if promises else None
            shown = [rule[name] for name in ("false_alarm_rate", "precision", "recall", "f1", "f1_normal")]
            numbers = [promised, *shown, oracle["f1"], oracle["f1"] - rule["f1"]]
            lines.append([name_of(row.detector, row.is_floor), *map(number, numbers)])
    if not any(line[2] for line in lines):  # the rule was not asked for
        return ""
    head = ["detector", "false alarms promised", "got", "precision", "recall", "F1", "F1 normal", "oracle F1", "gap"]
    told = "Decisions by the `contamination` rule (a quantile of training scores"
    if not promises:
        told += " at the stated share of anomalies, which a user seldom knows"
    told += "); `oracle` uses the test labels:"
    return f"{told}\n\n{table(lines, head)}"


def failures(boards: Iterable[Board]) -> str:
    """Return a line for each way in which a detector, or what is made of its scores, failed, with the repetitions."""
    found: dict[tuple[str, str, str, str], dict[int, None]] = {}
    for board in boards:
        for cell in (cell for row in board.rows if row.declared for cell in row.cells):
            record = cell.record
            ways = [("note", note) for note in record.notes]
            if record.status not in ("ok", MISSING):
                ways.append((record.status, record.reason))
            for way in ways:
                place = (cell.label.detector, cell.label.task, *way)
                found.setdefault(place, {})[record.trial.repetition] = None
    return "\n".join(
        f"- {text(detector)} on {text(task)} {' '.join(f'#{number}' for number in repetitions)}: "
        f"**{text(status)}**. {text(reason, _REASON_LENGTH)}"
        for (detector, task, status, reason), repetitions in found.items()
    )


def _short(rows: Sequence[Row]) -> tuple[str, float | None]:
    """Return the mean AUROC of rows as text and number, or what became of them."""
    if not rows:
        return "", None
    if wrong := [row for row in rows if row.failed or row.absent]:
        return _status(wrong[0]), None
    value = statistics.fmean(row.auroc.estimate for row in rows)
    return f"{value:.3f}", value


def _mark(row: Row) -> str:
    if row.is_floor:
        return ""
    if row.auroc.upper < 0.5:
        return "below chance"
    return "≈ floor" if row.beats_floors is False else ""


def _status(row: Row) -> str:
    """Return the statuses of a row's repetitions, ok ones left out."""
    total = len(row.cells)
    failed = [(status, count) for status, count in sorted(row.statuses.items()) if status != "ok"]
    told = [text(status) if count == total else f"{text(status)} {count}/{total}" for status, count in failed]
    words = ", ".join(told)
    return f"**{words}**" if row.failed else words


def name_of(detector: str, is_floor: bool) -> str:
    """Return a detector's name, a floor's in italics."""
    return f"*{text(detector)}*" if is_floor else text(detector)


def memory(rows: Sequence[Row]) -> str:
    """Return the highest peak of some rows, in MB."""
    peaks = [c.record.peak_mb for row in rows for c in row.cells if c.record.status == "ok"]
    return f"{max(peaks):,.0f}" if peaks else ""
