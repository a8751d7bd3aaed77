"""All files of a leaderboard: Markdown pages, pictures, and the offline page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adbench.reporting.cells import installed_rules
from adbench.reporting.markdown import pages
from adbench.reporting.pictures import drawn
from adbench.reporting.reading import read_leaderboard
from adbench.reporting.source import Source
from adbench.reporting.web import web_page
from adbench.reporting.words import counted


def all_pages(
    sources: Sequence[Source], *, images: str = "all", tell: Callable[[str], None] = lambda line: None
) -> dict[str, str]:
    """Return file name -> contents.

    Parameters
    ----------
    sources
        Open.
    images
        As for :func:`adbench.reporting.web.web_page`.
    tell
        Takes a line on what a reader of the pages alone would learn too late.
    """
    rules = installed_rules()
    board = read_leaderboard(sources, rules)
    outcomes = [own for section in board.sections for task in section.tasks for own in task.outcomes.values()]
    if damaged := sum(outcome.reason.startswith("score file") for own in outcomes for outcome in own):
        tell(f"the scores of {counted(damaged, 'trial')} cannot be read: README.md says which")
    return {**pages(board), **drawn(board), "index.html": web_page(board, sources, rules, images=images)}
