"""Charts as Vega-Lite specifications: drawn by the offline page as they are, and by ``svg`` as pictures.

The specifications are plain dictionaries: importing a library that writes them takes longer than drawing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from typing import Any

from adbench.reporting.caching import remembered
from adbench.reporting.ranking import Comparison
from adbench.reporting.words import MARK, all_visible

Spec = dict[str, Any]

PICTURE_VERSION = 1
"""Kept with drawn pictures; raised whenever ``svg`` changes."""

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
# Okabe and Ito's palette: told apart with any colour vision.
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#767676"
_WIDTH = 640

#: What a picture needs that a page decides for itself: light, whatever the reader's page is.
_PICTURE = {
    "background": "white",
    # Measured by the library itself, on any machine: it brings this font.
    "font": "Liberation Sans, Helvetica, Arial, sans-serif",
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "gridColor": "#e6e6e6"},
    "view": {"stroke": None},
}


def critical_differences(comparison: Comparison) -> Spec:
    """Return the diagram of mean ranks: a line for each detector, and a bar over each set that is not told apart.

    References
    ----------
    Demšar (2006), figure 1; laid out in lines, so that forty names stay readable.
    """
    names, ranks = comparison.names, comparison.mean_ranks
    detectors = [
        {"detector": name, "rank": round(rank, 4), "line": number}
        for number, (name, rank) in enumerate(zip(names, ranks, strict=True))
    ]
    bars = [
        {
            "bar": number,
            "first": names[group[0]],
            "last": names[group[-1]],
            "members": len(group),
            "detector": names[member],
        }
        for number, group in enumerate(comparison.groups)
        for member in group
    ]
    order = list(names)
    down: Spec = {
        "field": "detector",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {"labelLimit": 260, "ticks": False, "domain": False},
    }
    rank: Spec = {
        "field": "rank",
        "type": "quantitative",
        "title": "mean rank (1 = best)",
        "scale": {"zero": False, "nice": True, "domainMin": 1},
    }
    return {
        "$schema": _SCHEMA,
        "description": f"Mean ranks of {len(names)} detectors over {comparison.n_blocks} datasets.",
        "hconcat": [
            {
                "width": _WIDTH - 40 - 9 * len(comparison.groups),
                "height": {"step": 20},
                "data": {"values": detectors},
                "encoding": {"y": down, "x": rank},
                "layer": [
                    {
                        "mark": {"type": "rule", "strokeDash": [2, 3], "color": _GREY},
                        "encoding": {"x2": {"datum": 1}},
                    },
                    {"mark": {"type": "point", "filled": True, "size": 70, "color": _BLUE}},
                    {
                        "mark": {"type": "text", "align": "left", "dx": 8, "color": _GREY},
                        "encoding": {"text": {"field": "rank", "type": "quantitative", "format": ".2f"}},
                    },
                ],
            },
            {
                "width": {"step": 9},
                "height": {"step": 20},
                "data": {"values": bars},
                "mark": {"type": "line", "strokeWidth": 4, "color": _ORANGE, "point": {"size": 30, "color": _ORANGE}},
                "encoding": {
                    "y": {**down, "scale": {"domain": order}, "axis": None},
                    "x": {"field": "bar", "type": "ordinal", "axis": None},
                    "detail": {"field": "bar", "type": "nominal"},
                },
            },
        ][: 2 if bars else 1],
        "spacing": 8,
    }


def pareto(points: Sequence[Mapping[str, Any]], kind: str) -> Spec:
    """Return AUROC against cost, with the front: the methods that no other beats in both.

    Parameters
    ----------
    points
        ``name``, ``family``, ``floor``, ``x`` (the cost) and ``auroc`` of each.
    kind
        ``seconds`` or ``memory``.
    """
    front = set(front_of([point for point in points if not point["floor"]]))
    kinds = ["on the front", "other methods", "floors"]
    rows = [
        {
            "name": point["name"],
            "family": point["family"],
            "x": max(float(f"{point['x']:.4g}"), 1e-3),
            "auroc": round(point["auroc"], 4),
            "kind": kinds[2] if point["floor"] else kinds[0] if point["name"] in front else kinds[1],
        }
        for point in points
    ]
    title = "fit and score seconds, all tasks" if kind == "seconds" else "highest peak memory, MB"
    x: Spec = {
        "field": "x",
        "type": "quantitative",
        "title": title,
        "scale": {"type": "log"},
        "axis": {"tickCount": 6, "format": "~g"},
    }
    y: Spec = {"field": "auroc", "type": "quantitative", "title": "mean AUROC", "scale": {"zero": False, "nice": True}}
    by_kind: Spec = {"field": "kind", "type": "nominal", "title": None, "legend": {"orient": "top"}}
    on_front = {"filter": f"datum.kind === '{kinds[0]}'"}
    return {
        "$schema": _SCHEMA,
        "description": f"Mean AUROC of {len(rows)} detectors against {title}.",
        "width": _WIDTH,
        "height": 340,
        "data": {"values": rows},
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "transform": [on_front],
                "mark": {"type": "line", "interpolate": "step-after", "color": _BLUE, "opacity": 0.5},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 0.9},
                "encoding": {
                    "color": {**by_kind, "scale": {"domain": kinds, "range": [_BLUE, _ORANGE, _GREY]}},
                    "shape": {**by_kind, "scale": {"domain": kinds, "range": ["circle", "triangle-up", "cross"]}},
                    "tooltip": [
                        {"field": "name", "title": "detector"},
                        {"field": "family"},
                        {"field": "x", "title": kind, "type": "quantitative"},
                        {"field": "auroc", "title": "mean AUROC", "type": "quantitative"},
                    ],
                },
            },
            *(_labels(which, dy) for which, dy in (("0", -9), ("1", 14))),
        ],
    }


def _labels(parity: str, dy: int) -> Spec:
    """Return names beside the points, above and below in turn: neighbours in cost are often neighbours in AUROC."""
    return {
        "transform": [
            {"window": [{"op": "row_number", "as": "place"}], "sort": [{"field": "x"}]},
            {"filter": f"datum.place % 2 === {parity}"},
        ],
        "mark": {"type": "text", "align": "left", "dx": 6, "dy": dy, "fontSize": 10, "color": _GREY},
        "encoding": {"text": {"field": "name"}},
    }


def front_of(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of those that no other beats or equals in both ``x`` (lower is better) and ``auroc``.

    Examples
    --------
    >>> named = {"a": (1, 0.8), "b": (2, 0.7), "c": (3, 0.9)}
    >>> front_of([{"name": name, "x": x, "auroc": auroc} for name, (x, auroc) in named.items()])
    ['a', 'c']
    """
    front, best = [], float("-inf")
    for point in sorted(points, key=lambda point: (point["x"], -point["auroc"], point["name"])):
        if point["auroc"] > best:
            front.append(point["name"])
            best = point["auroc"]
    return front


def svg(spec: Mapping[str, Any]) -> str:
    """Draw a specification, the same bytes for the same one; what was drawn once is kept on disk."""
    # A sign that XML does not allow would end the process.
    spec = all_visible(spec)
    body = json.dumps({**spec, "config": _PICTURE}, sort_keys=True)

    def draw() -> str:
        import vl_convert

        return _titled(vl_convert.vegalite_to_svg(body), spec["description"])

    return remembered("charts", f"{PICTURE_VERSION} {version('vl-convert-python')} {body}", str, draw)


def _titled(drawn: str, title: str) -> str:
    """Return a picture with our mark and its title, and with ids by number: the library's change with every call."""
    ids = list(dict.fromkeys(re.findall(r'\bid="([^"]+)"', drawn)))
    for number, name in enumerate(ids):
        drawn = re.sub(rf'(id="|#){re.escape(name)}\b', rf"\g<1>part{number}", drawn)
    opening = drawn.index(">") + 1
    return f"{MARK}\n{drawn[:opening]}<title>{escape(title)}</title>{drawn[opening:].rstrip()}\n"
