"""File names of pages and pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adbench.planning.trial import digest
from adbench.reporting.leaderboard import Board


def page_name(dataset: str) -> str:
    """Return the file name of a dataset's page."""
    return f"{_file_stem(dataset)}.md"


def picture_name(boards: Sequence[Board]) -> str:
    """Return the file name of a task's heat map."""
    first = boards[0]
    parts = [first.task, first.profile, *(["labels"] if first.uses_labels else [])]
    return f"{_file_stem(' '.join(parts))}.svg"


def _file_stem(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._@-]", "_", name)
    # Two names may become alike; what was replaced is told apart by a digest.
    return plain if plain == name else f"{plain}-{digest(name)[:8]}"
