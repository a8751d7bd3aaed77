"""What a dataset's page shows of a task: scores, decisions, failures; a heat map where test sets are many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adbench.intervals import Interval
from adbench.record import MISSING
from adbench.reporting.decisions import decisions_told, rules_table
from adbench.reporting.filenames import picture_name
from adbench.reporting.leaderboard import Board, boards_of, by_mean
from adbench.reporting.matrix import matrix
from adbench.reporting.origin import command, provenance
from adbench.reporting.rows import NO_SCORES, Row, Task
from adbench.reporting.words import code, folded, marked, megabytes, number, rows_of, seconds, table, text, with_limits

_REASON_LENGTH = 300
_MOST_FOLDED = 30
"""Test sets whose own tables a page can carry: 95 corruptions would be thousands of lines."""


def task_part(task: Task) -> list[str]:
    """Return a task's part of its dataset's page."""
    boards = boards_of(task)
    return _many_tests(task, boards) if len(boards) > 1 else _one_test(boards[0])


def _one_test(board: Board) -> list[str]:
    task = board.of
    parts = [_head(task), _rows_told(board), provenance([task.origin]), _scores(board), *decisions_told(board)]
    if best := next((row for row in board.rows if row.rank == 1 and row.decisions), None):
        parts.append(folded(f"Every rule on the scores of {best.detector}", rules_table([(best, task.setting)])))
    if failed := failures([task]):
        parts += ["Failed, skipped or noted:", failed]
    return [*parts, code(command(task.profile, [task.origin]))]


def _many_tests(task: Task, boards: Sequence[Board]) -> list[str]:
    """Return a task with several test sets: one fit, a heat map, and each test set's own tables folded away."""
    parts = [
        _head(task),
        f"{len(boards)} test sets, one fit on {task.rows['train_rows']:,} training rows. AUROC:",
        f"![AUROC of each detector on each test set]({picture_name(task)})",
        *matrix(
            [(test_name(board), {name: [row] for name, row in board.headlines.items()}) for board in boards],
            by_mean(boards),
        ),
        provenance([task.origin]),
    ]
    if failed := failures([task]):
        parts += ["Failed, skipped or noted:", failed]
    parts.append(code(command(task.profile, [task.origin])))
    if len(boards) > _MOST_FOLDED:
        return [*parts, "Intervals, decisions and costs of each test set: `adbench export`."]
    return [
        *parts,
        *(
            folded(
                board.name.removeprefix(f"{task.name}: ") + " †" * board.is_attack,
                _rows_told(board),
                _scores(board),
                *decisions_told(board),
            )
            for board in boards
        ),
    ]


def test_name(board: Board) -> str:
    """Return a test set's name, adversarial ones with their mark."""
    return text(board.test) + " †" * board.is_attack


def _head(task: Task) -> str:
    lane = "" if task.lane == "corrected" else f", {task.lane} protocol"
    labels = ", detectors that learn from labels" if task.uses_labels else ""
    return f"## {text(task.name)}: profile `{task.profile}`{lane}{labels}"


def _rows_told(board: Board) -> str:
    rows, test = board.of.rows, board.tested.facts
    if "rows" not in test:
        return ""
    told = [f"Setting `{text(board.of.setting)}`: {rows_of(rows['train_rows'], 'training')}"]
    if rows["contamination"] is not None:
        told[0] += f" (stated contamination {rows['contamination']:.2%})"
    told.append(rows_of(test["rows"], "test"))
    if board.contamination is not None:
        told.append(f"{board.contamination:.2%} of them anomalies (the chance level of AP)")
    if test["is_train"]:
        told.append("the training rows themselves are scored")
    elif test["repeated_share"]:
        told.append(f"{test['repeated_share']:.1%} of test rows repeat a training row")
    return ", ".join(told) + "."


def _scores(board: Board) -> str:
    best = {name: _best(board.rows, name) for name in ("auroc", "average_precision")}

    def line(row: Row) -> list[str]:
        name = marked(row.detector, row.is_floor)
        if not row.declared:
            name += f" · {text(row.score)}"
        rank = "" if row.rank is None else f"{row.rank:g}" + "=" * row.ties_with_best
        if row.failed or row.auroc is None or row.average_precision is None:
            return [rank, name, status(row), *[""] * 7]
        intervals = {"auroc": row.auroc, "average_precision": row.average_precision}
        shown = [f"**{with_limits(i)}**" if i == best[n] else with_limits(i) for n, i in intervals.items()]
        return [
            rank,
            name,
            *shown,
            number(row.precision_at_n),
            number(row.fpr_at_95_tpr),
            mark(row),
            seconds(row.fit_seconds),
            seconds(row.score_seconds),
            megabytes(row.peak_mb),
        ]

    head = ["rank", "detector", "AUROC", "AP", "P@n", "FPR@95", "", "fit s", "score s", "MB"]
    return table([line(row) for row in board.rows], head)


def _best(rows: Iterable[Row], name: str) -> Interval | None:
    """Return the best interval of the methods' declared scores."""
    found = [getattr(row, name) for row in rows if row.rank is not None and not row.failed]
    return max((interval for interval in found if interval), key=lambda interval: interval.estimate, default=None)


def mark(row: Row) -> str:
    """Return what a reader must be warned of, in words."""
    if row.is_floor or row.auroc is None:
        return ""
    if row.auroc.upper < 0.5:
        return "below chance"
    return "≈ floor" if row.beats_floors is False else ""


def status(row: Row) -> str:
    """Return the statuses of a row's repetitions, ok ones left out."""
    total = sum(row.statuses.values())
    told = [
        f"{text(s)}" if count == total else f"{text(s)} {count}/{total}"
        for s, count in row.statuses.items()
        if s != "ok"
    ]
    words = ", ".join(told) or NO_SCORES
    return f"**{words}**" if row.failed else words


def failures(tasks: Iterable[Task]) -> str:
    """Return a line for each way in which a detector, or what is made of its scores, failed, with the repetitions."""
    found: dict[tuple[str, str, str, str], list[int]] = {}
    for task in tasks:
        for detector, outcomes in task.outcomes.items():
            for outcome in outcomes:
                ways = [("note", note) for note in outcome.notes]
                if outcome.status not in ("ok", MISSING):
                    ways.append((outcome.status, outcome.reason))
                for way in ways:
                    found.setdefault((detector, task.name, *way), []).append(outcome.repetition)
    return "\n".join(
        f"- {text(detector)} on {text(task)} {' '.join(f'#{number}' for number in repetitions)}: "
        f"**{text(status)}**. {text(reason, _REASON_LENGTH)}"
        for (detector, task, status, reason), repetitions in found.items()
    )
