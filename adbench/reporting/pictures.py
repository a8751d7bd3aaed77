"""A section's charts: the same specifications as SVG files beside the Markdown, and in the offline page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import adbench.reporting.charts as charts
from adbench.reporting.filenames import chart_name
from adbench.reporting.leaderboard import Leaderboard, Section
from adbench.reporting.markdown import has_diagram, has_front, points


@dataclass(frozen=True)
class Chart:
    """A chart with its words; ``kind`` is part of its file's name."""

    kind: str
    title: str
    caption: str
    spec: Mapping[str, Any]


def charts_of(section: Section) -> list[Chart]:
    """Return the charts of a section: critical differences, AUROC against seconds, and against memory."""
    made = []
    if section.comparison and has_diagram(section):
        spec = charts.critical_differences(section.comparison)
        told = "Mean ranks, the best one left. A bar joins methods that are not told apart."
        made.append(Chart("ranks", "Critical differences", told, spec))
    if has_front(section):
        for kind, what in (("seconds", "fit and score seconds"), ("memory", "peak memory")):
            told = f"Mean AUROC against {what}; the line joins methods that no other beats in both."
            made.append(Chart(kind, f"AUROC against {kind}", told, charts.pareto(points(section, kind), kind)))
    return made


def drawn(board: Leaderboard) -> dict[str, str]:
    """Return file name -> SVG of all charts that the Markdown pages show."""
    return {
        chart_name(own, part, chart.kind): charts.svg(chart.spec)
        for section in board.sections
        for part, own in {"": section, **section.parts}.items()
        for chart in charts_of(own)
    }
