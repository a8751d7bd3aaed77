"""Markdown pages: text from a leaderboard, the same input giving the same bytes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from adbench.reporting.boards import failures, mark, task_part
from adbench.reporting.charts import front_of
from adbench.reporting.decisions import section_rules
from adbench.reporting.filenames import chart_name, page_name, picture_name
from adbench.reporting.heatmap import heat_map
from adbench.reporting.leaderboard import Leaderboard, Section, Standing, boards_of
from adbench.reporting.matrix import matrix
from adbench.reporting.origin import command, provenance
from adbench.reporting.rows import Row, Task
from adbench.reporting.words import MARK, code, counted, folded, marked, megabytes, number, seconds, table, text

_LANE = {"corrected": "", "published": ", published protocols (a reference's own, with its quirks)"}
_PART = {"image": "Images", "table": "Tables"}

LEGEND = textwrap.dedent("""\
    AUROC and average precision (AP) are means over repetitions with 95 % intervals. *Italic*: floors, the trivial
    lines to beat. `≈ floor` (in matrices `≈`): not shown to be better than every floor on the same rows. `below
    chance`: the whole interval is under .5. `=` after a rank: not shown to be behind the best method on the same
    rows. Ranks are by mean AUROC; a detector with a failed repetition ranks last on that task. Mean ranks are over
    datasets, of AUROCs averaged over a dataset's tasks first; methods that share a letter under `group` are not
    told apart by Wilcoxon's test with Holm's correction. Detectors that ran on fewer datasets stand below those on
    all: their mean ranks do not compare. A task with several test sets counts once, by the mean over them, without
    adversarial ones (†): only detectors that offer a gradient meet those. A `·` before a score's name: a second
    score of the same fit, not ranked. Bold: the best method of a table, or a failure. P@n: precision among as many
    rows as there are anomalies. FPR@95: false alarms when 95 % of the anomalies are caught. Decisions: `got` is the
    share of normal rows flagged, `F1 normal` takes normal rows as the positive class, and `gap` is what the oracle
    gains by knowing the test labels. Seconds are medians, memory (MB) is the highest peak beyond the process's
    start. Profiles `quick` and `standard` take random samples of large datasets.""")


def pages(board: Leaderboard) -> dict[str, str]:
    """Return file name -> text of the pages and of the heat maps in them; charts are made elsewhere."""
    by_dataset: dict[str, list[Task]] = {}
    for section in board.sections:
        for task in section.tasks:
            by_dataset.setdefault(task.dataset, []).append(task)
    made = {page_name(dataset): dataset_page(dataset, tasks) for dataset, tasks in sorted(by_dataset.items())}
    pictures = {
        picture_name(task): heat_map(boards_of(task))
        for section in board.sections
        for task in section.tasks
        if len(task.tests) > 1
    }
    return {
        "README.md": overall_page(board),
        "thresholds.md": _thresholds_page(board),
        "cost.md": _cost_page(board),
        **made,
        **pictures,
    }


def overall_page(board: Leaderboard) -> str:
    """Return the page with a ranking for each profile and lane."""
    parts = [MARK, "# Leaderboard"]
    if not board.sections:
        parts.append("No results yet: `adbench run --all` makes some.")
    else:
        parts.append(
            "[Every trial, with plots](index.html) (one offline page: download it and open it), "
            "[thresholds](thresholds.md), [cost](cost.md)."
        )
    for section in board.sections:
        parts += _section(section)
    if board.sections:
        parts += ["## How to read this", LEGEND]
    return _joined(parts)


def dataset_page(dataset: str, tasks: Sequence[Task]) -> str:
    """Return one dataset's page: each of its tasks under each profile."""
    facts = tasks[0].dataset_facts
    lines = [facts.get("summary", ""), facts.get("note", "")]
    about = [f"Source: {text(facts['source'])}." if facts.get("source") else ""]
    about += [f"Licence: {text(facts['licence'])}." if facts.get("licence") else ""]
    parts = [MARK, f"# {text(dataset)}", *(text(line) for line in lines if line), " ".join(filter(None, about))]
    for task in tasks:
        parts += task_part(task)
    return _joined([*parts, "[All datasets](README.md)", "## How to read this", LEGEND])


def section_title(section: Section) -> str:
    """Return what a section is, as Markdown."""
    labels = ", detectors that learn from labels" if section.uses_labels else ""
    return f"Profile `{section.profile}`{_LANE[section.lane]}{labels}"


def _section(section: Section) -> list[str]:
    origins = [task.origin for task in section.tasks]
    parts = [f"## {section_title(section)}", provenance(origins), *_ranking(section, "")]
    for kind, part in section.parts.items():
        parts += [f"### {_PART[kind]}", *_ranking(part, kind)]
    parts += ["### AUROC by task", *_matrices(section)]
    if failed := failures(section.tasks):
        parts += ["### Failed, skipped or noted", failed]
    return [*parts, "### Reproduce", code(command(section.profile, origins))]


def _ranking(section: Section, part: str) -> list[str]:
    blocks = len(set(section.blocks.values()))
    standings = section.standings
    means = [mean for s in standings if not s.is_floor and (mean := s.mean("auroc")) is not None]

    def line(standing: Standing) -> list[str]:
        rows = [row for found in standing.tasks.values() for row in found]
        like_floor = sum(mark(row) != "" for row in rows)
        mean = standing.mean("auroc")
        return [
            marked(standing.detector, standing.is_floor),
            number(standing.mean_rank, 2),
            text(standing.group),
            f"**{number(mean)}**" if mean in means and mean == max(means) else number(mean),
            number(standing.mean("average_precision")),
            f"{like_floor} of {len(rows)}" if like_floor else "",
            f"{len(standing.ranked_blocks)} of {blocks}" if not standing.is_floor and standing.ranked_blocks else "",
            f"{standing.failed_tasks} of {len(standing.tasks)}" if standing.failed_tasks else "",
            seconds(standing.total("fit_seconds")),
            seconds(standing.total("score_seconds")),
            megabytes(standing.greatest("peak_mb")),
        ]

    head = [
        "detector",
        "mean rank",
        "group",
        "mean AUROC",
        "mean AP",
        "≈ floor",
        "datasets",
        "failed",
        "fit s",
        "score s",
        "MB",
    ]
    parts = [table([line(standing) for standing in standings], head)]
    if section.comparison:
        parts.append(text(section.comparison.sentence))
        if has_diagram(section):
            parts.append(f"![Critical differences of mean ranks]({chart_name(section, part, 'ranks')})")
    return parts


def has_diagram(section: Section) -> bool:
    """Tell whether there are methods and datasets enough for a diagram of critical differences."""
    return section.comparison is not None and len(section.comparison.names) > 1 and section.comparison.n_blocks > 1


def _matrices(section: Section) -> list[str]:
    detectors = [standing.detector for standing in section.standings]
    by_kind: dict[str, list[tuple[str, Mapping[str, Sequence[Row]]]]] = {}
    for task in section.tasks:
        rows: dict[str, list[Row]] = {}
        for board in (board for board in boards_of(task) if not board.is_attack):
            for detector, row in board.headlines.items():
                rows.setdefault(detector, []).append(row)
        name = text(task.name).replace("/", "/<br>", 1)  # a narrow column
        by_kind.setdefault(task.modality, []).append((f"[{name}]({page_name(task.dataset)})", rows))
    return [made for _, columns in sorted(by_kind.items()) for made in matrix(columns, detectors)]


def _thresholds_page(board: Leaderboard) -> str:
    parts = [
        MARK,
        "# Thresholds",
        "A threshold rule turns scores into decisions. All but `oracle` see training scores alone; `oracle` takes the "
        "limit of best F1 on the test labels, which nobody has, and `gap` is how much F1 a rule falls short of it. "
        "`always-normal` and `always-anomaly` are the lines to beat.",
    ]
    for section in board.sections:
        parts += [f"## {section_title(section)}", *(section_rules(section) or ["No scores to decide on."])]
    return _joined([*parts, "[Leaderboard](README.md)"])


def _cost_page(board: Leaderboard) -> str:
    parts = [
        MARK,
        "# Cost",
        "Seconds and memory beside accuracy. On the front: no method is both cheaper and more accurate. Seconds are "
        "sums over tasks of medians over repetitions, MB the highest peak of memory; parameters are what the detector "
        "says it trained. Fronts are over the methods that ran on all tasks.",
    ]
    for section in board.sections:
        parts += [f"## {section_title(section)}", *_costs(section, "")]
        for kind, part in section.parts.items():
            parts.append(folded(_PART[kind], *_costs(part, kind)))
    return _joined([*parts, "[Leaderboard](README.md)"])


def _costs(section: Section, part: str) -> list[str]:
    fronts = {kind: front(section, kind) for kind in ("seconds", "memory")}

    def line(standing: Standing) -> list[str]:
        fits = len(standing.fits)
        parameters = standing.greatest("parameters")
        return [
            marked(standing.detector, standing.is_floor),
            number(standing.mean("auroc")),
            f"{fits} of {len(section.tasks)}",
            seconds(standing.total("fit_seconds")),
            seconds(standing.total("score_seconds")),
            megabytes(standing.greatest("peak_mb")),
            "" if parameters is None else f"{parameters:,.0f}",
            ", ".join(kind for kind, names in fronts.items() if standing.detector in names),
        ]

    head = ["detector", "mean AUROC", "tasks", "fit s", "score s", "MB", "parameters", "on the front"]
    parts = [table([line(standing) for standing in section.standings], head)]
    if has_front(section):
        parts += [
            f"![AUROC against seconds]({chart_name(section, part, 'seconds')})",
            f"![AUROC against memory]({chart_name(section, part, 'memory')})",
        ]
    machines = sorted({machine for task in section.tasks for machine in task.origin.machines})
    return [*parts, f"Measured on {counted(len(machines), 'machine')}: {'; '.join(map(text, machines))}."]


def points(section: Section, kind: str) -> list[dict[str, Any]]:
    """Return cost and AUROC of each detector that ran on all tasks: sums and means over fewer do not compare."""
    found = []
    for standing in section.standings:
        mean = standing.mean("auroc")
        if mean is None or len(standing.tasks) < len(section.tasks):
            continue
        seconds = (standing.total("fit_seconds") or 0) + (standing.total("score_seconds") or 0)
        x = seconds if kind == "seconds" else standing.greatest("peak_mb") or 0
        family = standing.facts.get("family", "")
        point = {"name": standing.detector, "family": family, "floor": standing.is_floor, "x": x, "auroc": mean}
        found.append(point)
    return found


def front(section: Section, kind: str) -> list[str]:
    """Return the methods on the front of ``seconds`` or ``memory``."""
    return front_of([point for point in points(section, kind) if not point["floor"]])


def has_front(section: Section) -> bool:
    """Tell whether there is anything to draw against cost."""
    return bool(front(section, "seconds"))


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
