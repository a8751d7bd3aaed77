"""All files of a leaderboard: Markdown pages, pictures, and the offline page."""

from __future__ import annotations

from collections.abc import Sequence

from adbench.reporting.cells import installed_rules
from adbench.reporting.markdown import pages
from adbench.reporting.pictures import drawn
from adbench.reporting.reading import read_leaderboard
from adbench.reporting.source import Source
from adbench.reporting.web import web_page


def all_pages(sources: Sequence[Source], *, images: str = "all") -> dict[str, str]:
    """Return file name -> contents; ``images`` as for :func:`adbench.reporting.web.web_page`."""
    rules = installed_rules()
    board = read_leaderboard(sources, rules)
    return {**pages(board), **drawn(board), "index.html": web_page(board, sources, rules, images=images)}
