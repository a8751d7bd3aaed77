import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from adbench import evaluation
from adbench.builtin import adbench_thresholds
from adbench.reporting import evaluator
from adbench.reporting.cells import read_cells
from adbench.store import Store


def read(*folders, **options):
    stores = [Store.open_for_reading(folder) for folder in folders]
    try:
        return read_cells(stores, adbench_thresholds(), **options)
    finally:
        for store in stores:
            store.close()


def test_a_cell_is_what_was_stored(synthetic, tmp_path):
    """A cell holds the record, its label and machine, and the evaluation of each of its test sets and scores."""
    record, arrays = synthetic.record(tests=["fog", "snow"], scores=["elbo", "rate"])

    (cell,) = synthetic.cells(tmp_path, (record, arrays))

    assert cell.record == record
    assert (cell.label.detector, cell.label.task, cell.machine["processor"]) == ("alpha", "moons/novelty", "Abacus")
    assert {test: list(by_score) for test, by_score in cell.evaluations.items()} == {
        "fog": ["elbo", "rate"],
        "snow": ["elbo", "rate"],
    }
    direct = evaluation.evaluate(
        arrays["y/snow"], arrays["scores/snow/rate"], arrays["train_scores/rate"], thresholds=adbench_thresholds()
    )
    assert cell.evaluations["snow"]["rate"] == direct


def test_cells_in_order(synthetic, tmp_path):
    """Cells come by profile, task, detector and repetition, in whatever order trials ended."""
    made = [
        synthetic.record(detector, repetition=repetition, task=task)
        for repetition in (1, 0)
        for detector in ("beta", "alpha")
        for task in ("outlier", "novelty")
    ]

    found = [
        (cell.label.task, cell.label.detector, cell.record.trial.repetition)
        for cell in synthetic.cells(tmp_path, *made)
    ]

    assert found == sorted(found)
    assert len(found) == 8


def test_stated_contamination_is_the_rate(synthetic, tmp_path):
    """Rules flag at the stated contamination; without one, at .05; never at the test set's own share."""
    stated, silent = synthetic.cells(
        tmp_path, synthetic.record("alpha", contamination=0.2), synthetic.record("beta", contamination=None)
    )

    promised = [cell.evaluations["test"]["score"].decisions["contamination"]["promised"] for cell in (stated, silent)]

    assert promised == [0.2, evaluator.NOVELTY_RATE] == [0.2, 0.05]


def test_the_newest_of_a_cell_wins(synthetic, tmp_path):
    """Of two states of one cell, over stores or within one, the newer stands."""
    old = synthetic.record(finished="2024-01-01T00:00:00Z", detector_code={"source": "old"})
    new = synthetic.record(finished="2024-06-01T00:00:00Z", detector_code={"source": "new"})

    within = synthetic.cells(tmp_path / "one", old, new)
    synthetic.store(tmp_path / "old", old)
    synthetic.store(tmp_path / "new", new)

    for cells in (within, read(tmp_path / "old", tmp_path / "new"), read(tmp_path / "new", tmp_path / "old")):
        assert [cell.record.key for cell in cells] == [new[0].key]


def test_other_rows_are_withdrawn(synthetic, tmp_path):
    """A cell that saw other rows than the newest of its task is shown as stale, with the reason and no number."""
    stale, fresh = synthetic.cells(
        tmp_path,
        synthetic.record("alpha", finished="2024-01-01T00:00:00Z", fingerprint="0" * 64),
        synthetic.record("beta", finished="2024-06-01T00:00:00Z", fingerprint="1" * 64),
    )

    assert (stale.record.status, stale.evaluations) == ("stale", {})
    assert "other rows" in stale.record.reason
    assert (fresh.record.status, list(fresh.evaluations)) == ("ok", ["test"])


def test_other_tasks_and_repetitions_stand(synthetic, tmp_path):
    """Rows of another task, repetition or profile make nothing stale."""
    made = [
        synthetic.record("alpha", finished="2024-01-01T00:00:00Z"),
        synthetic.record("beta", finished="2024-06-01T00:00:00Z", repetition=1),
        synthetic.record("beta", finished="2024-06-01T00:00:00Z", task="outlier"),
        synthetic.record("beta", finished="2024-06-01T00:00:00Z", split={"n": 5}, profile="full"),
    ]
    assert {cell.record.status for cell in synthetic.cells(tmp_path, *made)} == {"ok"}


@pytest.mark.parametrize("status", ["error", "timeout", "memory", "crash", "invalid", "skipped"])
def test_failures_are_cells(synthetic, tmp_path, status):
    """Whatever ended badly is there, with its status and reason, and without a number."""
    (cell,) = synthetic.cells(tmp_path, synthetic.record(status=status, reason="so it was"))
    assert (cell.record.status, cell.record.reason, cell.evaluations) == (status, "so it was", {})


@pytest.mark.parametrize(
    ("damage", "words"),
    [(lambda path: path.unlink(), "is missing"), (lambda path: path.write_text("no zip"), "is damaged")],
    ids=["missing", "damaged"],
)
def test_scores_that_cannot_be_read(synthetic, tmp_path, damage, words):
    """A trial whose scores cannot be read is an error on the board, not a gap; the others stand."""
    made = [synthetic.record("alpha"), synthetic.record("beta")]
    synthetic.store(tmp_path, *made)
    damage(tmp_path / "scores" / f"{made[0][0].key}.npz")

    alpha, beta = read(tmp_path)

    assert alpha.record.status == "error"
    assert words in alpha.record.reason
    assert beta.record.status == "ok"


def test_scores_kept_are_needed_though_evaluated(synthetic, tmp_path):
    """A number whose scores are gone can no longer be recomputed: its cached evaluation does not count."""
    made = synthetic.record()
    synthetic.cells(tmp_path, made)
    (tmp_path / "scores" / f"{made[0].key}.npz").unlink()

    assert [cell.record.status for cell in read(tmp_path)] == ["error"]


def test_floors_are_compared_on_equal_rows(synthetic, tmp_path):
    """Each score is held against each floor that saw its rows; failed floors and other rows do not count."""
    cells = synthetic.cells(
        tmp_path,
        synthetic.record("alpha", separation=3),
        synthetic.record("noise", separation=0, role="floor"),
        synthetic.record("mean", separation=1, role="floor"),
        synthetic.record("broken", role="floor", status="crash"),
        synthetic.record("later", role="floor", repetition=1),
    )
    by_name = {cell.label.detector: cell for cell in cells}

    above = by_name["alpha"].above["test"]["score"]

    assert set(above) == {"noise", "mean"}
    assert above["noise"].lower > 0
    assert above["noise"].estimate > above["mean"].estimate
    assert by_name["noise"].above == {}
    assert by_name["broken"].above == {}


def test_nothing_is_evaluated_twice(synthetic, tmp_path, monkeypatch):
    """Evaluations and comparisons are cached: a second reading computes nothing, and finds the same."""
    made = [synthetic.record("alpha"), synthetic.record("noise", role="floor")]
    first = synthetic.cells(tmp_path, *made)
    for name in ("evaluate", "delong_difference"):
        monkeypatch.setattr(evaluator, name, lambda *_, **__: pytest.fail("computed again"))

    assert read(tmp_path) == first


def test_a_changed_rule_is_applied_anew(synthetic, tmp_path):
    """The cache knows the rules: with another set of them, each is evaluated again."""
    synthetic.cells(tmp_path, synthetic.record())
    rules = adbench_thresholds()[:2]
    with Store.open(tmp_path) as store:
        (cell,) = read_cells([store], rules)

    assert list(cell.evaluations["test"]["score"].decisions) == [rules[0].name, rules[1].name, "oracle"]


def test_only_some(synthetic, tmp_path):
    """With ``only``, other trials are not looked at, be they damaged."""
    made = [synthetic.record("alpha"), synthetic.record("beta")]
    synthetic.store(tmp_path, *made)
    (tmp_path / "scores" / f"{made[1][0].key}.npz").write_text("no zip")

    assert [cell.label.detector for cell in read(tmp_path, only={made[0][0].key})] == ["alpha"]


def test_damaged_floor_is_left_out_and_told(synthetic, tmp_path):
    """A floor damaged after its evaluation costs the comparisons with it alone, and each says so by a note."""
    floors = [synthetic.record(name, role="floor") for name in ("noise", "zero")]
    synthetic.cells(tmp_path, *floors)
    path = tmp_path / "scores" / f"{floors[0][0].key}.npz"
    path.write_bytes(path.read_bytes()[:100])
    synthetic.store(tmp_path, synthetic.record("alpha"))

    alpha = next(cell for cell in read(tmp_path) if cell.label.detector == "alpha")

    assert set(alpha.above["test"]["score"]) == {"zero"}
    assert [note.partition(" (")[0] for note in alpha.record.notes] == [
        f"not compared with noise: score file {path.name} is damaged or altered"
    ]


def test_a_rule_that_fails_costs_its_decision_alone(synthetic, tmp_path):
    """Where a rule finds no limits, its decision is missing and a note says why, also when read from the cache."""
    record, arrays = synthetic.record()
    arrays["train_scores/score"] = np.array([1e307, 1.5e308, -1.5e308] * 30)

    with np.errstate(all="ignore"):
        (cell,) = synthetic.cells(tmp_path, (record, arrays))

    decisions = cell.evaluations["test"]["score"].decisions
    left_out = {spec.name for spec in adbench_thresholds()} - set(decisions)
    assert left_out
    assert {"contamination", "oracle"} <= set(decisions)
    assert {note.partition("'")[2].partition("'")[0] for note in cell.record.notes} == left_out
    assert all(note.startswith("score: threshold ") for note in cell.record.notes)
    assert read(tmp_path) == [cell]


@pytest.mark.parametrize("body", ["text", b"garbage", b"\x90", b"\x80", b"\x81\xa5tests\x81\xa4test\x01"])
def test_cached_garbage_is_evaluated_anew(synthetic, tmp_path, body):
    """An evaluation or a comparison in the cache that is not what we keep there is made anew."""
    first = synthetic.cells(tmp_path, synthetic.record("alpha"), synthetic.record("noise", role="floor"))
    database = sqlite3.connect(tmp_path / "results.db")
    with database:
        database.execute("UPDATE evaluations SET body = ?", (body,))
    database.close()

    assert [cell.evaluations for cell in read(tmp_path)] == [cell.evaluations for cell in first]


def test_going_back_shows_what_was_gone_back_to(synthetic, tmp_path):
    """Who plans earlier data or code again sees its results, though the abandoned ones ended later."""
    old = synthetic.record("alpha", finished="2024-01-01T00:00:00Z", fingerprint="0" * 64)
    new = synthetic.record("alpha", finished="2024-06-01T00:00:00Z", fingerprint="1" * 64)
    other = synthetic.record("beta", finished="2024-06-01T00:00:00Z", fingerprint="1" * 64)
    for made in (old, new, other):
        synthetic.store(tmp_path, made)
    assert [(cell.record.key, cell.record.status) for cell in read(tmp_path)] == [
        (new[0].key, "ok"),
        (other[0].key, "ok"),
    ]

    with Store.open_for_writing(tmp_path) as store:
        store.plan([], again=[old[0].trial])

    assert [(cell.record.key, cell.record.status) for cell in read(tmp_path)] == [
        (old[0].key, "ok"),
        (other[0].key, "stale"),
    ]


def test_a_plan_elsewhere_hides_no_outcome(synthetic, tmp_path):
    """Of one trial in two stores the outcome stands, though the other store planned it later and did not run it."""
    record, arrays = synthetic.record()
    synthetic.store(tmp_path / "ran", (record, arrays))
    synthetic.store(tmp_path / "planned", (replace(record, status="missing", finished=""), {}))

    assert [cell.record.status for cell in read(tmp_path / "ran", tmp_path / "planned")] == ["ok"]


def test_several_stores_join(synthetic, tmp_path):
    """Cells of several stores stand side by side, each with its own machine."""
    synthetic.store(tmp_path / "a", synthetic.record("alpha"))
    synthetic.store(tmp_path / "b", synthetic.record("beta"))

    assert [cell.label.detector for cell in read(tmp_path / "b", tmp_path / "a")] == ["alpha", "beta"]


def test_labels_and_scores_keep_their_rows(synthetic, tmp_path):
    """The synthetic stores of these tests mean what they say: separation moves the AUROC."""
    low, high = synthetic.cells(
        tmp_path, synthetic.record("alpha", separation=0), synthetic.record("beta", separation=3)
    )
    aurocs = [cell.evaluations["test"]["score"].auroc for cell in (low, high)]

    assert np.abs(aurocs[0] - 0.5) < 0.15
    assert aurocs[1] > 0.95
