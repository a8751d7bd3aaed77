"""The offline page's data: what shows at once, and a block for each trial, within a few megabytes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from adbench import __version__
from adbench.errors import StoreError
from adbench.intervals import Interval
from adbench.record import MISSING
from adbench.reporting.blocks import BLOCKS_VERSION, Pictures, block_of, packed
from adbench.reporting.boards import mark
from adbench.reporting.caching import decoded, encoded
from adbench.reporting.evaluator import Evaluator, evaluation_version
from adbench.reporting.leaderboard import Board, Leaderboard, Section, Standing, boards_of
from adbench.reporting.markdown import LEGEND
from adbench.reporting.origin import command, machine_told, plain_provenance
from adbench.reporting.pictures import charts_of
from adbench.reporting.rows import NO_SCORES, Outcome, Row, Task
from adbench.reporting.site import page
from adbench.reporting.source import Source
from adbench.reporting.words import all_visible
from adbench.specs import ThresholdSpec

BLOCK_BYTES, IMAGE_BYTES = 2_900_000, 600_000
"""What the page may spend on its trials' details, so that it stays under 5 MB."""

_AT_ONCE = 200  # trials asked of a source together

_PART = {"": "all data", "image": "images", "table": "tables"}


def web_page(
    board: Leaderboard, sources: Sequence[Source], thresholds: Sequence[ThresholdSpec], *, images: str = "all"
) -> str:
    """Return the leaderboard as one HTML document.

    Parameters
    ----------
    board
        What is shown.
    sources, thresholds
        What it was read from, and the rules applied.
    images
        Which test images to show: ``all``, ``free`` (those whose licence lets anybody show them) or ``none``.
    """
    blocks = _Blocks(sources, thresholds, images)
    blocks.gather(board)
    data = {
        "title": "Leaderboard",
        "made_by": f"adbench {__version__}",
        "legend": [" ".join(line.replace("*", "").replace("`", "").split()) for line in LEGEND.split(". ")],
        "sections": [_section(section, blocks.kept) for section in board.sections],
    }
    return page(all_visible(data), blocks.kept, blocks.pictures)


@dataclass
class _Blocks:
    """Blocks of as many trials as the page can carry: every first repetition, then every second."""

    sources: Sequence[Source]
    thresholds: Sequence[ThresholdSpec]
    images: str
    kept: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)

    def gather(self, board: Leaderboard) -> None:
        """Make the blocks of a leaderboard's trials until the page is full."""
        makers = [_Maker(source, self.thresholds) for source in self.sources]
        wanted = [(task, outcome, whole) for task, outcome, whole in _by_repetition(board) if outcome.status != MISSING]
        room = BLOCK_BYTES
        for start in range(0, len(wanted), _AT_ONCE):
            asked: list[list[tuple[str, bool, bool]]] = [[] for _ in makers]
            for task, outcome, whole in wanted[start : start + _AT_ONCE]:
                number = next(number for number, maker in enumerate(makers) if outcome.key in maker.states)
                asked[number].append((outcome.key, whole, whole and self._may_show(task)))
            for maker, own in zip(makers, asked, strict=True):
                for key, made in maker.blocks(own):
                    room -= len(made.block) * 4 // 3
                    if room < 0:
                        return
                    self.kept[key] = b64encode(made.block).decode()
                    self._take(made.pictures)

    def _may_show(self, task: Task) -> bool:
        return self.images == "all" or (self.images == "free" and bool(task.dataset_facts.get("images_licence")))

    def _take(self, pictures: Mapping[str, str]) -> None:
        new = {name: url for name, url in pictures.items() if name not in self.pictures}
        if sum(map(len, self.pictures.values())) + sum(map(len, new.values())) <= IMAGE_BYTES:
            self.pictures |= new


class _Made(msgspec.Struct):
    block: bytes
    pictures: dict[str, str]


class _Maker:
    """Makes the blocks of one source's trials, and keeps them there."""

    def __init__(self, source: Source, thresholds: Sequence[ThresholdSpec]) -> None:
        self._source = source
        self._evaluator = Evaluator(source, thresholds)
        self._machines = source.run_facts()
        self._version = f"block {BLOCKS_VERSION} {evaluation_version(thresholds)}"
        self.states = source.states()

    def blocks(self, asked: Sequence[tuple[str, bool, bool]]) -> Iterator[tuple[str, _Made]]:
        """Yield the blocks of some trials: their keys, whether they are whole, and whether images are shown."""
        names = {key: f"{key}-block{whole:d}{shown:d}" for key, whole, shown in asked}
        known = self._source.cached(self._version, names.values())
        for key, whole, shown in asked:
            made = decoded(known.get(names[key]), _Made)
            if made is None:
                made = self._make(key, whole=whole, shown=shown)
                self._source.keep_cached(self._version, {names[key]: encoded(made)})
            yield key, made

    def _make(self, key: str, *, whole: bool, shown: bool) -> _Made:
        self._evaluator.recall([key])
        record, evaluations = self._evaluator.evaluate(self._source.records([key])[key])
        pictures = Pictures()
        try:
            arrays = self._source.arrays(key) if evaluations else {}
        except StoreError:
            arrays, evaluations = {}, {}
        facts = self._machines.get(record.run)
        block = block_of(
            record,
            evaluations,
            arrays,
            machine=machine_told(facts) if facts else "",
            whole=whole,
            pictures=pictures if shown else None,
        )
        return _Made(packed(block), pictures.found)


def _by_repetition(board: Leaderboard) -> Iterator[tuple[Task, Outcome, bool]]:
    """Yield every trial, with whether it is its detector's first one on the task."""
    tasks = [task for section in board.sections for task in section.tasks]
    most = max((len(own) for task in tasks for own in task.outcomes.values()), default=0)
    for number in range(most):
        for task in tasks:
            for own in task.outcomes.values():
                if number < len(own):
                    yield task, own[number], number == 0


def _section(section: Section, blocks: Mapping[str, str]) -> dict[str, Any]:
    labels = ", detectors that learn from labels" if section.uses_labels else ""
    lane = "" if section.lane == "corrected" else ", published protocols"
    origins = [task.origin for task in section.tasks]
    numbers = {standing.detector: number for number, standing in enumerate(section.standings)}
    return {
        "id": "-".join([section.profile, *([section.lane] if lane else []), *(["labels"] if labels else [])]),
        "profile": section.profile,
        "lane": section.lane,
        "labels": section.uses_labels,
        "title": f"Profile {section.profile}{lane}{labels}",
        "provenance": plain_provenance(origins),
        "command": command(section.profile, origins),
        "verdict": section.comparison.sentence if section.comparison else "",
        "charts": [
            {"title": f"{chart.title}, {_PART[part]}", "caption": chart.caption, "spec": chart.spec}
            for part, own in {"": section, **section.parts}.items()
            for chart in charts_of(own)
        ],
        "detectors": [_detector(standing, section) for standing in section.standings],
        "rows": [
            _row(row, board, numbers, blocks)
            for task in section.tasks
            for board in boards_of(task)
            for row in board.rows
        ],
    }


def _detector(standing: Standing, section: Section) -> dict[str, Any]:
    blocks = len(set(section.blocks.values()))
    return {
        "name": standing.detector,
        "floor": standing.is_floor,
        "family": standing.facts.get("family", ""),
        "labels": standing.facts.get("supervision") == "labels",
        "summary": standing.facts.get("summary", ""),
        "source": standing.facts.get("source", ""),
        "rank": _short(standing.mean_rank),
        "group": standing.group,
        "auroc": _short(standing.mean("auroc")),
        "ap": _short(standing.mean("average_precision")),
        "datasets": f"{len(standing.ranked_blocks)} of {blocks}",
        "failed": standing.failed_tasks,
        "fit": _short(standing.total("fit_seconds")),
        "score": _short(standing.total("score_seconds")),
        "mb": _short(standing.greatest("peak_mb")),
        "parameters": standing.greatest("parameters"),
    }


def _row(row: Row, board: Board, numbers: Mapping[str, int], blocks: Mapping[str, str]) -> dict[str, Any]:
    statuses = [f"{status} {count}" for status, count in row.statuses.items()]
    task = board.of
    return {
        "d": numbers[row.detector],
        "dataset": task.dataset,
        "task": task.name,
        "modality": task.modality,
        "test": board.test,
        "attack": board.is_attack,
        "score": row.score,
        "declared": row.declared,
        "status": ", ".join(statuses) if row.statuses.keys() != {"ok"} else "ok" if row.auroc else NO_SCORES,
        "rank": row.rank,
        "auroc": _limits(row.auroc),
        "ap": _limits(row.average_precision),
        "p_at_n": _short(row.precision_at_n),
        "fpr": _short(row.fpr_at_95_tpr),
        "chance": _short(row.contamination),
        "mark": mark(row),
        "tie": row.ties_with_best,
        "fit": _short(row.fit_seconds),
        "score_s": _short(row.score_seconds),
        "mb": _short(row.peak_mb),
        "parameters": row.parameters,
        "trials": [
            outcome.key if outcome.key in blocks else f"-{outcome.key[:12]}"
            for outcome in task.outcomes[row.detector]
            if outcome.status != MISSING
        ],
    }


def _limits(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [_short(value) for value in interval]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
