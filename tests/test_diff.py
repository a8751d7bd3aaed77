import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adbench.builtin import adbench_thresholds
from adbench.bundles.gathering import opened
from adbench.bundles.writer import write_bundle
from adbench.cli import app, publishing
from adbench.intervals import Interval
from adbench.reporting.changes import Change
from adbench.reporting.comparison import _judged, _p_value, compare
from adbench.store import Store


@pytest.fixture
def stores(synthetic, tmp_path):
    """Make two stores of two lists of records and return what comparing them finds."""

    def made(a, b):
        folders = [synthetic.store(tmp_path / name, *records) for name, records in (("a", a), ("b", b))]
        with opened(folders[0]) as before, opened(folders[1]) as after:
            return compare(before, after)

    return made


@pytest.fixture
def command(command_line):
    """Call the command line with ``diff``."""
    app.add_command(publishing.diff)
    return lambda *words: command_line(*map(str, words))


def told(found):
    return [(change.verdict, change.detector, change.of) for change in found.changes]


def with_noise(made, sd, seed=0):
    """Return a record with other scores on the same rows."""
    record, arrays = made
    noise = np.random.default_rng(seed).normal(scale=sd, size=120)
    return record, {**arrays, "scores/test/score": arrays["scores/test/score"] + noise}


def test_the_same_results_do_not_differ(synthetic, tmp_path):
    """A store differs neither from itself nor from its bundle."""
    store = synthetic.store(tmp_path / "a", synthetic.record(), synthetic.record("beta", status="error"))
    with opened(store) as sources:
        write_bundle(sources, tmp_path / "a.adbench.zip", adbench_thresholds())

    for other in (store, tmp_path / "a.adbench.zip"):
        with opened(store) as before, opened(other) as after:
            assert list(compare(before, after).lines()) == ["nothing differs: 2 pairs of detector and task, to the bit"]


def test_better_and_worse(stores, synthetic):
    """AUROCs that differ beyond noise are told with the paired difference, the worse first."""
    found = stores(
        [synthetic.record("alpha", separation=0.5), synthetic.record("beta", separation=3.0)],
        [synthetic.record("alpha", separation=3.0), synthetic.record("beta", separation=0.5)],
    )

    assert told(found) == [("worse", "beta", "AUROC"), ("better", "alpha", "AUROC")]
    worse = found.changes[0]
    assert worse.difference.upper < 0
    assert worse.difference.estimate == pytest.approx(worse.after - worse.before)
    assert worse.line().startswith("worse: moons/novelty (quick) beta: AUROC 0.9")


def test_scores_of_one_order_do_not_differ(stores, synthetic):
    """Other scores that rank all rows alike are no change, though they are not the same to the bit."""
    record, arrays = synthetic.record()
    found = stores([(record, arrays)], [(record, {**arrays, "scores/test/score": 2 * arrays["scores/test/score"]})])

    assert found.changes == []
    assert (found.aurocs, found.equal) == (1, 0)
    assert list(found.lines()) == ["1 pair of detector and task compared: nothing differs beyond noise; 0 new, 0 gone"]


@pytest.mark.parametrize(("moved", "verdicts"), [(0, ["better"]), (1000, [])])
def test_pairing_sees_what_two_intervals_do_not(stores, synthetic, moved, verdicts):
    """On the same rows a small constant gain is seen; on other rows the same two AUROCs could be chance."""
    old = [synthetic.record("alpha", separation=1.2, repetition=n) for n in range(3)]
    new = []
    for record, arrays in old:
        gain = {"scores/test/score": arrays["scores/test/score"] + 0.25 * arrays["y/test"]}
        new.append((record, {**arrays, **gain, "row_ids/test": arrays["row_ids/test"] + moved}))

    found = stores(old, new)

    assert [change.verdict for change in found.changes] == verdicts
    assert (found.aurocs, found.equal) == (1, 0)


def test_chance_is_not_a_regression(stores, synthetic):
    """Of 60 detectors whose scores got nothing but other noise, none is called better or worse."""
    made = [synthetic.record(f"d{n}", separation=1.0) for n in range(60)]
    found = stores(
        [with_noise(one, 0.7, seed) for seed, one in enumerate(made)],
        [with_noise(one, 0.7, 1000 + seed) for seed, one in enumerate(made)],
    )

    assert found.changes == []
    assert found.aurocs == 60
    assert found.equal == 0


def test_what_an_interval_alone_calls_different_is_told_as_a_number():
    """Among many, an interval that barely excludes 0 does not count; a clear one does, and chance is quantified."""
    barely, clear = Interval(-0.02, -0.039, -0.001), Interval(-0.2, -0.22, -0.18)
    nothing = [Interval(0.001, -0.02, 0.022)] * 50
    changes = [
        Change("", "quick", "t", f"d{n}", "AUROC", 0.5, 0.5, "test", difference)
        for n, difference in enumerate([barely, clear, *nothing])
    ]

    judged = {change.detector: change for change in _judged(changes)}

    assert judged["d1"].verdict == "worse"
    assert {change.verdict for name, change in judged.items() if name != "d1"} == {""}
    assert judged["d0"].p == 1.0


def test_a_difference_that_nobody_would_notice_does_not_count():
    """However certain, a difference of 0.001 or less is none."""
    tiny = Change("", "quick", "t", "d", "AUROC", 0.9, 0.901, "test", Interval(0.0009, 0.0008, 0.001))

    assert _judged([tiny])[0].verdict == ""


@given(st.floats(-1, 1), st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_p_values_go_with_intervals(estimate, below, above):
    """A p-value is below 0.05 just where the 95 % interval excludes 0."""
    interval = Interval(estimate, estimate - below, estimate + above)
    nearest = interval.lower if estimate > 0 else -interval.upper
    if abs(nearest) > 1e-9:
        assert (_p_value(interval) < 0.05) == (nearest > 0)


@pytest.mark.parametrize(
    ("then", "now", "verdict"),
    [
        ("ok", "error", "worse"),
        ("ok", "timeout", "worse"),
        ("crash", "ok", "better"),
        ("error", "timeout", "other"),
        ("ok", "skipped", "other"),
    ],
)
def test_statuses(stores, synthetic, then, now, verdict):
    """A trial that no longer succeeds is worse, one that now does is better; other changes are told."""
    found = stores([synthetic.record(status=then)], [synthetic.record(status=now)])

    assert told(found) == [(verdict, "alpha", "status")]
    assert (found.changes[0].before, found.changes[0].after) == (f"{then} 1", f"{now} 1")


def timed(synthetic, *seconds, peak=10.0):
    return [
        synthetic.record(repetition=n, fit_seconds=value, score_seconds=0.0, peak_mb=peak)
        for n, value in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    ("then", "now", "verdicts"),
    [
        ([1.0, 1.1, 1.0], [3.0, 3.1, 3.2], ["slower"]),
        ([3.0, 3.1, 3.2], [1.0, 1.1, 1.0], ["faster"]),
        ([1.0, 1.1, 3.5], [3.0, 3.1, 3.2], []),  # ranges overlap
        ([10.0, 10.0], [14.0, 14.0], []),  # less than 1.5 times
        ([0.1, 0.1], [0.5, 0.5], []),  # less than half a second
        ([1.0], [2.0], ["slower"]),
    ],
)
def test_seconds(stores, synthetic, then, now, verdicts):
    """Slower and faster begin beyond what a busy machine does, and where ranges of repetitions lie apart."""
    found = stores(timed(synthetic, *then), timed(synthetic, *now))

    assert [change.verdict for change in found.changes] == verdicts


def test_seconds_of_another_machine_are_not_compared(synthetic, tmp_path):
    """Seconds of another machine say nothing: told, not counted."""
    slow = timed(synthetic, 9.0)
    a, b = synthetic.store(tmp_path / "a", *timed(synthetic, 1.0)), synthetic.store(tmp_path / "b", *slow)
    with Store.open_for_writing(b) as store:
        store.begin_run({**store.run_facts()[1], "processor": "Slide rule"}, "2025-01-01T00:00:00Z")
        store.add(replace(slow[0][0], run=2), slow[0][1])

    with opened(a) as before, opened(b) as after:
        found = compare(before, after)

    assert found.changes == []
    assert list(found.lines())[-1] == "seconds of 1 pair are not compared: other machine, jobs or threads"


@pytest.mark.parametrize(
    ("then", "now", "verdicts"),
    [(100, 200, ["more memory"]), (200, 100, ["less memory"]), (10, 40, []), (500, 560, [])],
)
def test_memory(stores, synthetic, then, now, verdicts):
    """Memory counts from 1.25 times and 50 MiB on."""
    found = stores(timed(synthetic, 1.0, peak=then), timed(synthetic, 1.0, peak=now))

    assert [change.verdict for change in found.changes] == verdicts


def test_new_and_gone(stores, synthetic):
    """Pairs on one side alone are counted; what was planned and has not run is on neither."""
    found = stores(
        [synthetic.record("alpha"), synthetic.record("beta"), synthetic.record("gamma", status="missing")],
        [synthetic.record("alpha"), synthetic.record("gamma"), synthetic.record(dataset="circles")],
    )

    assert (found.pairs, found.new, found.gone) == (1, 2, ["beta on moons/novelty (quick)"])
    assert found.changes == []


def test_a_score_file_that_is_damaged_is_a_note(stores, synthetic):
    """Scores that cannot be compared are told in a line, and the rest is."""
    record, arrays = synthetic.record()
    spoiled = {**arrays, "scores/test/score": np.where(np.arange(120) == 5, math.nan, arrays["scores/test/score"])}

    found = stores(
        [(record, arrays), synthetic.record("beta", separation=0.0)],
        [(record, spoiled), synthetic.record("beta", separation=3.0)],
    )

    assert told(found) == [("better", "beta", "AUROC")]
    assert found.notes == [
        "moons/novelty (quick) alpha: AUROCs are not compared: scores must be finite; 1 of 120 are not."
    ]


def test_the_command(synthetic, tmp_path, command):
    """With --fail-on-regression a regression is exit code 1; without, or the other way round, it is 0."""
    a = synthetic.store(tmp_path / "a", synthetic.record())
    b = synthetic.store(tmp_path / "b", synthetic.record(status="error"))

    assert command("diff", a, b).returncode == 0
    assert command("diff", b, a, "--fail-on-regression").returncode == 0
    done = command("diff", a, b, "--fail-on-regression")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "1 pair of detector and task compared: 1 worse; 0 new, 0 gone",
        "worse: moons/novelty (quick) alpha: status ok 1 -> error 1",
    ]


def test_the_command_prints_json(synthetic, tmp_path, command):
    """The same as plain values."""
    a = synthetic.store(tmp_path / "a", synthetic.record(separation=0.2))
    b = synthetic.store(tmp_path / "b", synthetic.record(separation=3.0))

    body = json.loads(command("diff", a, b, "--json").stdout)

    (change,) = body["changes"]
    assert (change["verdict"], change["of"], change["test"]) == ("better", "AUROC", "test")
    assert change["difference"].keys() == {"estimate", "lower", "upper"}
    assert body["pairs"] == 1


def test_the_command_refuses_what_is_neither(synthetic, tmp_path, command):
    """A side that is no store and no bundle is one line and exit code 2; so are two empty stores."""
    store = synthetic.store(tmp_path / "a")
    done = command("diff", store, tmp_path / "nothing")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)

    done = command("diff", store, store)
    assert done.returncode == 2
    assert "there is nothing to compare" in done.stderr


def test_hostile_names_are_printed_plainly(synthetic, tmp_path, command):
    """What a store calls things does not steer a terminal."""
    names = {"overrides": {"x": "\x1b[2J\nbetter: everything"}}
    a = synthetic.store(tmp_path / "a", synthetic.record(**names))
    b = synthetic.store(tmp_path / "b", synthetic.record(status="error", **names))

    done = command("diff", a, b)

    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 2
