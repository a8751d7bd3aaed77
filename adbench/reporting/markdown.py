"""Markdown pages: text from a leaderboard, the same input giving the same bytes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby

from adbench.reporting.boards import auroc_table, failures, many_tests, memory, name_of, one_test
from adbench.reporting.filenames import page_name, picture_name
from adbench.reporting.heatmap import heat_map
from adbench.reporting.leaderboard import Board, Leaderboard, Row, Section, Standing
from adbench.reporting.origin import command, provenance
from adbench.reporting.words import MARK, number, seconds, table, text

_LANE = {"corrected": "", "published": ", published protocols (a reference's own, with its quirks)"}

_LEGEND = textwrap.dedent("""\
    AUROC and average precision (AP) are means over repetitions with 95 % intervals. *Italic*: floors, the
    trivial lines to beat. `≈ floor`: not shown to be better than every floor on the same rows.
    `below chance`: the whole interval is under .5. Ranks are by mean AUROC; a detector with a failed
    repetition ranks last on that task. Detectors that ran on fewer datasets stand below those on all:
    their mean ranks do not compare. A task with several test sets counts once, by the mean over them, without
    adversarial ones (†): only detectors that offer a gradient meet those. A `·` before a score's name:
    a second score of the same fit, not ranked.
    Bold: the best of a line, or a failure. Mean ranks and means are over datasets. P@n: precision among
    as many rows as there are anomalies. FPR@95: false alarms when 95 % of the anomalies are caught. Decisions:
    `got` is the share of normal rows flagged, `F1 normal` takes normal rows as the positive class, and `gap` is
    what the oracle gains by knowing the test labels. Seconds are medians, memory (MB) is the highest peak
    beyond the process's start. Profile `quick` takes small random samples of large datasets.""")


def pages(board: Leaderboard) -> dict[str, str]:
    """Return file name -> text of the overall page, one page a dataset, and the pictures in them."""
    by_dataset: dict[str, list[Board]] = {}
    for each in board.boards:
        by_dataset.setdefault(each.dataset, []).append(each)
    made = {page_name(dataset): dataset_page(dataset, boards) for dataset, boards in sorted(by_dataset.items())}
    pictures = {
        picture_name(boards): heat_map(boards)
        for section in board.sections
        for boards in section.tasks.values()
        if len(boards) > 1
    }
    return {"README.md": overall_page(board), **made, **pictures}


def overall_page(board: Leaderboard) -> str:
    """Return the page with a ranking for each profile and lane."""
    parts = [MARK, "# Leaderboard"]
    if not board.sections:
        parts.append("No results yet: `adbench run --all` makes some.")
    for section in board.sections:
        parts += _section(section)
    if board.sections:
        parts += ["## How to read this", _LEGEND]
    return "\n\n".join(parts) + "\n"


def dataset_page(dataset: str, boards: Sequence[Board]) -> str:
    """Return one dataset's page: each of its tasks under each profile."""
    facts = boards[0].rows[0].cells[0].record.dataset_facts
    lines = [facts.get("summary", ""), facts.get("note", "")]
    about = [f"Source: {text(facts['source'])}." if facts.get("source") else ""]
    about += [f"Licence: {text(facts['licence'])}." if facts.get("licence") else ""]
    parts = [MARK, f"# {text(dataset)}", *(text(line) for line in lines if line), " ".join(filter(None, about))]
    for _, group in groupby(boards, key=lambda board: (board.profile, board.lane, board.uses_labels, board.task)):
        tests = list(group)
        parts += many_tests(tests) if len(tests) > 1 else one_test(tests[0])
    parts += ["[All datasets](README.md)", "## How to read this", _LEGEND]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section) -> list[str]:
    labels = ", detectors that learn from labels" if section.uses_labels else ""
    parts = [f"## Profile `{section.profile}`{_LANE[section.lane]}{labels}", provenance(section.boards)]
    parts.append(_ranking(section))
    parts += ["### AUROC by task", _matrix(section)]
    if failed := failures(section.boards):
        parts += ["### Failed, skipped or noted", failed]
    parts += ["### Reproduce", command(section.profile, section.boards)]
    return parts


def _ranking(section: Section) -> str:
    blocks = len({board.block for board in section.boards})

    def line(standing: Standing) -> list[str]:
        tasks = standing.by_task.values()
        failed = sum(any(row.failed for row in rows) for rows in tasks)
        # A trial is fitted once however many test sets it has, and its rows all tell the same seconds.
        alive = [rows[0] for rows in tasks if rows[0].evaluations]
        return [
            name_of(standing.detector, standing.is_floor),
            "" if standing.mean_rank is None else f"{standing.mean_rank:.2f}",
            number(standing.mean("auroc")),
            number(standing.mean("average_precision")),
            f"{len(standing.ranks)} of {blocks}" if standing.ranks else "",
            f"{failed} of {len(tasks)}" if failed else "",
            seconds(_total(alive, "fit_seconds")) if alive else "",
            seconds(_total(alive, "score_seconds")) if alive else "",
            memory(alive),
        ]

    head = ["detector", "mean rank", "mean AUROC", "mean AP", "datasets", "failed tasks", "fit s", "score s", "MB"]
    return table([line(standing) for standing in section.standings], head)


def _matrix(section: Section) -> str:
    """Return AUROC of declared scores, a task a line: tasks are many, a page is narrow."""
    lines = []
    for task, boards in section.tasks.items():
        rows: dict[str, list[Row]] = {}
        for board in (board for board in boards if not board.is_attack):
            for detector, row in board.headlines.items():
                rows.setdefault(detector, []).append(row)
        lines.append((f"[{text(task)}]({page_name(boards[0].dataset)})", rows))
    return auroc_table("task", lines, {standing.detector: standing.is_floor for standing in section.standings})


def _total(rows: Iterable[Row], name: str) -> float:
    return sum(row.median(name) for row in rows)
