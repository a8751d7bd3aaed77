"""Markdown pages: text from a leaderboard, the same input giving the same bytes."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adbench.metric_names import ORACLE
from adbench.planning.trial import digest
from adbench.record import MISSING, Record
from adbench.reporting.leaderboard import Board, Leaderboard, Row, Section, Standing
from adbench.reporting.words import counted, number, printable, seconds, table, text, with_limits

MARK = "<!-- made by adbench leaderboard -->"
_REASON_LENGTH = 300
_LANE = {"corrected": "", "published": ", published protocols (a reference's own, with its quirks)"}

_LEGEND = textwrap.dedent("""\
    AUROC and average precision (AP) are means over repetitions with 95 % intervals. *Italic*: floors, the
    trivial lines to beat. `≈ floor`: not shown to be better than every floor on the same rows.
    `below chance`: the whole interval is under .5. Ranks are by mean AUROC; a detector with a failed
    repetition ranks last on that task. Detectors that ran on fewer datasets stand below those on all:
    their mean ranks do not compare. A `·` before a score's name: a second score of the same fit, not ranked.
    Bold: the best of a line, or a failure. Mean ranks are over datasets, means over tasks. P@n: precision among
    as many rows as there are anomalies. FPR@95: false alarms when 95 % of the anomalies are caught. Decisions:
    `got` is the share of normal rows flagged, `F1 normal` takes normal rows as the positive class, and `gap` is
    what the oracle gains by knowing the test labels. Seconds are medians, memory (MB) is the highest peak
    beyond the process's start. Profile `quick` takes small random samples of large datasets.""")


def pages(board: Leaderboard) -> dict[str, str]:
    """Return file name -> text of the overall page and one page a dataset."""
    by_dataset: dict[str, list[Board]] = {}
    for each in board.boards:
        by_dataset.setdefault(each.dataset, []).append(each)
    made = {page_name(dataset): dataset_page(dataset, boards) for dataset, boards in sorted(by_dataset.items())}
    return {"README.md": overall_page(board), **made}


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
    for board in boards:
        parts += _board(board)
    parts += ["[All datasets](README.md)", "## How to read this", _LEGEND]
    return "\n\n".join(part for part in parts if part) + "\n"


def page_name(dataset: str) -> str:
    """Return the file name of a dataset's page."""
    plain = re.sub(r"[^A-Za-z0-9._@-]", "_", dataset)
    # Two names may become alike; what was replaced is told apart by a digest.
    return f"{plain}.md" if plain == dataset else f"{plain}-{digest(dataset)[:8]}.md"


def _section(section: Section) -> list[str]:
    labels = ", detectors that learn from labels" if section.uses_labels else ""
    parts = [f"## Profile `{section.profile}`{_LANE[section.lane]}{labels}", _provenance(section.boards)]
    parts.append(_ranking(section))
    parts += ["### AUROC by task", _matrix(section)]
    if failures := _failures(section.boards):
        parts += ["### Failed or skipped", failures]
    parts += ["### Reproduce", _command(section.profile, section.boards)]
    return parts


def _ranking(section: Section) -> str:
    blocks = len({board.block for board in section.boards})

    def line(standing: Standing) -> list[str]:
        failed = sum(row.failed for row in standing.rows)
        alive = [row for row in standing.rows if row.evaluations]
        return [
            _name(standing.detector, standing.is_floor),
            "" if standing.mean_rank is None else f"{standing.mean_rank:.2f}",
            number(standing.mean("auroc")),
            number(standing.mean("average_precision")),
            f"{len(standing.ranks)} of {blocks}" if standing.ranks else "",
            f"{failed} of {len(standing.rows)}" if failed else "",
            seconds(_total(alive, "fit_seconds")) if alive else "",
            seconds(_total(alive, "score_seconds")) if alive else "",
            _memory(alive),
        ]

    head = ["detector", "mean rank", "mean AUROC", "mean AP", "datasets", "failed tasks", "fit s", "score s", "MB"]
    return table([line(standing) for standing in section.standings], head)


def _matrix(section: Section) -> str:
    """Return AUROC of declared scores, a task a line: tasks are many, a page is narrow."""
    names = [standing.detector for standing in section.standings]
    lines = []
    for board in section.boards:
        rows = {row.detector: row for row in board.rows if row.declared}
        best = board.ranked[0].detector if board.ranked and not board.ranked[0].failed else ""
        lines.append([f"[{text(board.name)}]({page_name(board.dataset)})"])
        for name in names:
            lines[-1].append(_short(rows.get(name), bold=name == best))
    return table(lines, ["task", *(_name(s.detector, s.is_floor) for s in section.standings)])


def _short(row: Row | None, *, bold: bool) -> str:
    if row is None:
        return ""
    if row.failed or row.absent:
        return _status(row)
    value = f"{row.auroc.estimate:.3f}"
    return f"**{value}**" if bold else f"*{value}*" if row.is_floor else value


def _board(board: Board) -> list[str]:
    first = board.rows[0].cells[0].record
    lane = "" if board.lane == "corrected" else f", {board.lane} protocol"
    labels = ", detectors that learn from labels" if board.uses_labels else ""
    head = f"## {text(board.name)}: profile `{board.profile}`{lane}{labels}"
    parts = [head, _rows_told(board, first.rows), _provenance([board]), _scores(board), _decisions(board)]
    if failures := _failures([board]):
        parts += ["Failed or skipped:", failures]
    return [*parts, _command(board.profile, [board])]


def _rows_told(board: Board, facts: Mapping[str, Any]) -> str:
    test = next((test for test in facts.get("tests", []) if test["name"] == board.test), None)
    if test is None:
        return ""
    setting = board.rows[0].cells[0].record.trial.setting
    told = [f"Setting `{text(setting)}`: {facts['train_rows']:,} training rows, {test['rows']:,} test rows"]
    if board.contamination is not None:
        told.append(f"{board.contamination:.2%} of them anomalies (the chance level of AP)")
    if test["is_train"]:
        told.append("the training rows themselves are scored")
    elif test["repeated_share"]:
        told.append(f"{test['repeated_share']:.1%} of test rows repeat a training row")
    return ", ".join(told) + "."


def _scores(board: Board) -> str:
    def line(row: Row) -> list[str]:
        name = _name(row.detector, row.is_floor)
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
            _memory([row]),
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
            lines.append([_name(row.detector, row.is_floor), *[""] * 6, number(oracle["f1"]), ""])
        elif row.declared and not row.failed and rule and oracle:
            promised = rule.get("promised") if promises else None
            shown = [rule[name] for name in ("false_alarm_rate", "precision", "recall", "f1", "f1_normal")]
            numbers = [promised, *shown, oracle["f1"], oracle["f1"] - rule["f1"]]
            lines.append([_name(row.detector, row.is_floor), *map(number, numbers)])
    if not any(line[2] for line in lines):  # the rule was not asked for
        return ""
    head = ["detector", "false alarms promised", "got", "precision", "recall", "F1", "F1 normal", "oracle F1", "gap"]
    told = "Decisions by the `contamination` rule (a quantile of training scores"
    if not promises:
        told += " at the stated share of anomalies, which a user seldom knows"
    told += "); `oracle` uses the test labels:"
    return f"{told}\n\n{table(lines, head)}"


def _failures(boards: Iterable[Board]) -> str:
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


def _provenance(boards: Iterable[Board]) -> str:
    """Return variants, seeds, machine and dates of what stands in a table."""
    cells = [cell for board in boards for row in board.rows for cell in row.cells]
    variants = sorted({cell.record.trial.dataset_label for cell in cells if cell.record.trial.variant})
    repetitions = {cell.record.trial.repetition for cell in cells}
    roots = sorted({cell.record.trial.root for cell in cells})
    days = sorted({text(cell.record.finished[:10]) for cell in cells if cell.record.finished}) or ["not run yet"]
    machines = sorted({_machine(cell.machine) for cell in cells if cell.machine})
    missing = len({cell.record.key for cell in cells if cell.record.status == MISSING})
    told = [f"{counted(len(repetitions), 'repetition')} from root seed {', '.join(map(str, roots))}"]
    told.append(days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}")
    told += machines
    if missing:
        told.append(f"**{counted(missing, 'trial')} not run yet: ranks are provisional**")
    if variants:
        told.append("not the official data: " + ", ".join(map(text, variants)))
    return "; ".join(told) + "."


def _machine(facts: Mapping[str, Any]) -> str:
    commit = (
        f", commit {facts['commit'][:12]}{' with changes' if facts.get('dirty') else ''}" if "commit" in facts else ""
    )
    return text(
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB, {facts['jobs']} x "
        f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}, Python {facts['python']}, "
        f"adbench {facts['adbench']}{commit}"
    )


def _command(profile: str, boards: Sequence[Board]) -> str:
    """Return a block with the command that runs boards again: one for each root of random seeds."""
    records: dict[int, list[Record]] = {}
    for record in (cell.record for board in boards for row in board.rows for cell in row.cells):
        records.setdefault(record.trial.root, []).append(record)
    lines = [_command_of(profile, records[root], named=len(boards) == 1) for root in sorted(records)]
    return "```sh\n" + "\n".join(lines) + "\n```"


def _command_of(profile: str, records: Sequence[Record], *, named: bool) -> str:
    """Return the command for records of one root; with the detectors' names, or for all that are installed."""
    trials = [record.trial for record in records]
    words = ["adbench run"]
    words += sorted({_option("-D", _address(record)) for record in records})
    if named:
        words += sorted({_option("-d", trial.detector) for trial in trials})
    words += [f"--profile {profile}", f"--seeds {max(trial.repetition for trial in trials) + 1}"]
    words += sorted({f"--seed {trial.root}" for trial in trials if trial.root})
    settings = [(trial.detector, trial.overrides) for trial in trials]
    settings += [(trial.dataset, trial.split_overrides) for trial in trials]
    words += sorted(
        {_option("--set", f"{name}.{k}={json.dumps(v)}") for name, found in settings for k, v in found.items()}
    )
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > 110:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return " \\\n  ".join(lines)


def _option(name: str, value: str) -> str:
    """Return an option as a shell takes it, on one line: a line of its own could end the block."""
    return f"{name} {printable(shlex.quote(value))}"


def _address(record: Record) -> str:
    """Return how ``-D`` names a record's task; a user's own file by its name alone."""
    return record.dataset_facts.get("address") or f"{record.trial.dataset}/{record.trial.task}"


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


def _name(detector: str, is_floor: bool) -> str:
    return f"*{text(detector)}*" if is_floor else text(detector)


def _memory(rows: Sequence[Row]) -> str:
    peaks = [c.record.peak_mb for row in rows for c in row.cells if c.record.status == "ok"]
    return f"{max(peaks):,.0f}" if peaks else ""


def _total(rows: Iterable[Row], name: str) -> float:
    return sum(row.median(name) for row in rows)
