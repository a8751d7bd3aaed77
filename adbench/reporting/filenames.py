"""File names of pages and pictures."""

from __future__ import annotations

import re

from adbench.planning.trial import digest
from adbench.reporting.leaderboard import Section
from adbench.reporting.rows import Task

_OTHER_PAGES = ("readme", "index", "thresholds", "cost")
_LONGEST = 100


def page_name(dataset: str) -> str:
    """Return the file name of a dataset's page."""
    return f"{_file_stem(dataset)}.md"


def picture_name(task: Task) -> str:
    """Return the file name of a task's heat map."""
    return f"{_file_stem(' '.join([task.name, task.profile, *_labels(task.uses_labels)]))}.svg"


def chart_name(section: Section, part: str, chart: str) -> str:
    """Return the file name of a chart of a section, or of one part of it."""
    words = ["chart", chart, section.profile, section.lane, *_labels(section.uses_labels), *([part] if part else [])]
    return f"{'-'.join(words)}.svg"


def _labels(uses_labels: bool) -> list[str]:
    return ["labels"] if uses_labels else []


def _file_stem(name: str) -> str:
    """Return a name as a file may have it anywhere: no other name gives the same, in whatever case."""
    plain = re.sub(r"[^A-Za-z0-9._@-]", "_", name).lstrip(".")[:_LONGEST]
    # What was replaced, or would be another page on some disk, is told apart by a digest.
    plainly_its_own = plain == name and plain == plain.lower() and plain not in _OTHER_PAGES
    return plain if plainly_its_own else f"{plain}-{digest(name)[:8]}"
