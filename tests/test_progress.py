import io
import os
from pathlib import Path

from adbench.progress import LiveView, PlainView

NASTY = "\x1b[2Jgone\x00\u202eback\ud800 " + "x" * 10_000


def test_plain_lines_are_printable(synthetic):
    """What a plugin says steers no terminal and fills no log: one line, printable, of bounded length."""
    record, _ = synthetic.record(status="error", reason=NASTY)
    out = io.StringIO()
    view = PlainView(out)
    view.begin(1, None)
    view.finished(record.trial, record, None)

    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() and len(line) <= 500 and line.encode() for line in lines)


def test_live_failures_are_printable(synthetic):
    """On a terminal, too, a failure's line is printable and bounded."""
    from rich.console import Console

    record, _ = synthetic.record(status="error", reason=NASTY)
    out = io.StringIO()
    view = LiveView(Console(file=out, width=2_000))
    view.begin(1, None)
    view.started(record.trial)
    view.progress(record.trial, NASTY, 1, 2)
    view.finished(record.trial, record, None)
    view.end()

    assert "gone back" in out.getvalue()
    assert not {"\x1b[2J", "\x00", "\u202e", "\ud800"} & {*out.getvalue(), out.getvalue()[:4]}
    assert max(map(len, out.getvalue().splitlines())) < 1_000


def test_a_closed_pipe_is_survived(synthetic):
    """A reader that has seen enough, as head has, stops the lines and not the run."""
    record, _ = synthetic.record()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        view = PlainView(out)
        view.begin(2, None)
        view.finished(record.trial, record, None)
        assert Path(f"/proc/self/fd/{out.fileno()}").resolve() == Path(os.devnull)
