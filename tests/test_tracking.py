import pytest

import adbench
from adbench import tracking


@pytest.fixture
def heard():
    """What a listener is told."""
    told = []

    class Listener:
        def progress(self, label, done, total):
            told.append((label, done, total))

        def log(self, step, values):
            told.append((step, values))

        def note(self, text):
            told.append(text)

    tracking.set_listener(Listener())
    yield told
    tracking.set_listener(None)


def test_silent_outside_a_run(capsys):
    """Without a listener all of them do nothing, and nothing is printed."""
    adbench.log(0, loss=1.0)
    adbench.note("nobody hears this")

    assert list(adbench.track(["a", "b"], "letter")) == ["a", "b"]
    assert capsys.readouterr() == ("", "")


def test_progress_is_told(heard):
    """A listener is told before each step how many are over, and of how many where that is known."""
    assert list(adbench.track(range(2), "epoch")) == [0, 1]
    assert list(adbench.track(iter("xy"), "batch")) == ["x", "y"]

    assert heard == [("epoch", 0, 2), ("epoch", 1, 2), ("batch", 0, None), ("batch", 1, None)]


def test_logged_values_are_plain_numbers(heard):
    """A logged value arrives as a float, whatever kind of number it was."""
    adbench.log(3, loss=2, accuracy=True)

    assert heard == [(3, {"loss": 2.0, "accuracy": 1.0})]
    assert all(type(value) is float for value in heard[0][1].values())


def test_track_is_lazy(heard):
    """An iterable is drawn from step by step."""
    steps = adbench.track(iter([1, 2]), "step")
    assert heard == []
    assert (next(steps), heard) == (1, [("step", 0, None)])


def test_notes_are_text(heard):
    """A note arrives as text, whatever was noted: an exception, for instance."""
    adbench.note("collapsed")
    adbench.note(ValueError("no gradient"))
    assert heard == ["collapsed", "no gradient"]
