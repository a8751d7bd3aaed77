"""The heat map: what a reader and a parser see of it."""

from xml.etree import ElementTree

import pytest

from adbench.reporting.heatmap import by_mean, heat_map
from adbench.reporting.leaderboard import Leaderboard

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def boards_of(synthetic, tmp_path):
    """Return the boards of records, one a test set."""

    def boards_of(*records):
        return Leaderboard.of(synthetic.tasks(tmp_path / "store", *records)).sections[0].boards

    return boards_of


def texts(picture):
    return [element.text or "" for element in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_every_value_has_a_cell(boards_of, synthetic):
    """Test sets down, detectors across by their mean, values with three decimals; attacks only where they were met."""
    boards = boards_of(
        synthetic.record("weak", separation=0.5, tests=["clean", "fog"], attacks={"fgsm": False}),
        synthetic.record("good", separation=4, tests=["clean", "fog"], attacks={"fgsm": True}),
    )
    assert by_mean(boards) == ["good", "weak"]
    shown = texts(heat_map(boards))
    assert [text for text in shown if not text.startswith(("0", "1"))] == ["good", "weak", "clean", "fog", "fgsm †"]
    values = {f"{row.auroc.estimate:.3f}" for board in boards for row in board.rows}
    assert {text for text in shown if text.startswith(("0", "1"))} == values
    assert sum(text in values for text in shown) == 5


def test_a_failed_detector_is_crossed(boards_of, synthetic):
    """A failure is no gap, and stands last."""
    tests = ["clean", "fog"]
    boards = boards_of(
        synthetic.record("broken", status="crash", tests=tests), synthetic.record("sound", tests=tests, separation=0)
    )
    assert by_mean(boards) == ["sound", "broken"]
    assert texts(heat_map(boards)).count("×") == 2


def test_hostile_names_are_escaped(boards_of, synthetic):
    """A plugin's texts cannot become markup."""
    tests = ["<script>alert(1)", "a & b"]
    shown = heat_map(boards_of(synthetic.record("x<svg>", tests=tests)))
    assert "<script" not in shown and "<svg>" not in shown
    assert {"x<svg>", *tests} <= set(texts(shown))
