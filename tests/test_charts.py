"""Charts: valid specifications, the same bytes each time, and the front."""

import json
import re
from xml.etree import ElementTree

import pytest

from adbench.finder import cache_folder
from adbench.reporting.charts import critical_differences, front_of, pareto, svg
from adbench.reporting.ranking import compare
from adbench.reporting.words import MARK

NASTY = '<script>alert(1)</script> & "quotes"'


def comparison(n_detectors, n_blocks=12, name="detector-{}"):
    values = {
        name.format(n): [1 - 0.1 * n + 0.01 * ((n * 7 + b * 3) % 5) for b in range(n_blocks)]
        for n in range(n_detectors)
    }
    return compare(values)


def points(n, name="detector-{}"):
    return [
        {
            "name": name.format(number),
            "family": "vae",
            "floor": number == 0,
            "x": 10.0**number,
            "auroc": 0.5 + 0.1 * (number % 4),
        }
        for number in range(n)
    ]


SPECS = {
    "two detectors": lambda: critical_differences(comparison(2)),
    "three detectors": lambda: critical_differences(comparison(3)),
    "forty detectors": lambda: critical_differences(comparison(40)),
    "seconds": lambda: pareto(points(12), "seconds"),
    "memory": lambda: pareto(points(3), "memory"),
    "no cost": lambda: pareto([{**points(2)[1], "x": 0.0}], "seconds"),
    "hostile names": lambda: pareto(points(5, NASTY + "{}"), "seconds"),
}


@pytest.mark.parametrize("made", SPECS.values(), ids=SPECS)
def test_specifications_are_valid(made):
    """Altair, which knows the schema, takes each specification."""
    altair = pytest.importorskip("altair")
    assert altair.Chart.from_dict(made(), validate=True).to_dict()


@pytest.mark.parametrize("made", SPECS.values(), ids=SPECS)
def test_pictures(made, tmp_path, monkeypatch):
    """A picture is well-formed SVG with our mark and a title, the same when drawn anew, and holds no script."""
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "one"))
    first = svg(made())
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "two"))

    assert svg(made()) == first
    assert first.splitlines()[0] == MARK
    root = ElementTree.fromstring(first)
    assert root.find("{http://www.w3.org/2000/svg}title").text == made()["description"]
    assert "<script" not in first


def test_a_picture_is_drawn_once(monkeypatch):
    """What was drawn is kept, and drawn again only if what was kept cannot be read."""
    first = svg(pareto(points(4), "seconds"))
    (kept,) = (cache_folder() / "charts").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("vl_convert.vegalite_to_svg", lambda _: pytest.fail("drawn again"))
        assert svg(pareto(points(4), "seconds")) == first

    kept.write_bytes(kept.read_bytes()[:100])
    assert svg(pareto(points(4), "seconds")) == first


@pytest.mark.parametrize("sign", ["\x1b", "\x00", "\u202e"])
def test_signs_that_cannot_be_seen(sign):
    """A sign that XML does not allow, or that turns a text's direction, is drawn as another."""
    drawn = svg(pareto(points(3, f"a{sign}b{{}}"), "seconds"))
    assert sign not in drawn
    assert "a\ufffdb1" in drawn


def test_names_are_shown():
    """Each detector stands in the diagram of ranks, and each group has its bar."""
    made = comparison(5)
    drawn = svg(critical_differences(made))
    assert all(f">{name}<" in drawn for name in made.names)
    assert len(set(re.findall(r"detector-\d", drawn))) == 5


def test_the_front():
    """On the front is whom no other beats in both; floors are never on it, and equal cost goes to the better one."""
    named = {"cheap": (1, 0.6), "worse": (2, 0.5), "equal": (2, 0.7), "best": (9, 0.9), "dear": (99, 0.9)}
    assert front_of([{"name": n, "x": x, "auroc": a} for n, (x, a) in named.items()]) == ["cheap", "equal", "best"]

    kinds = {row["name"]: row["kind"] for row in pareto(points(4), "seconds")["data"]["values"]}
    assert kinds["detector-0"] == "floors"
    assert json.dumps(kinds)
