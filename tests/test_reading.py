"""Tasks come from the cache while nothing changed, and anew when anything did."""

import sqlite3
from dataclasses import replace

import pytest

from adbench.builtin import adbench_thresholds
from adbench.reporting import reading
from adbench.reporting.reading import read_leaderboard, read_tasks
from adbench.store import Store


def tasks(*folders, rules=None):
    stores = [Store.open(folder) for folder in folders]
    try:
        return list(read_tasks(stores, rules or adbench_thresholds()))
    finally:
        for store in stores:
            store.close()


@pytest.fixture
def made_again(monkeypatch):
    """Count the tasks that are made of their cells."""
    made = []
    real = reading.task_of
    monkeypatch.setattr(reading, "task_of", lambda cells: made.append(cells[0].label.task) or real(cells))
    return made


@pytest.fixture
def store(synthetic, tmp_path):
    return synthetic.store(
        tmp_path / "store",
        synthetic.record("alpha", separation=2),
        synthetic.record("beta", separation=1),
        synthetic.record("noise", separation=0, role="floor"),
        synthetic.record("alpha", dataset="circles"),
    )


def test_nothing_is_made_twice(store, made_again):
    """A second reading makes no task, and gives the same."""
    first = tasks(store)
    assert len(made_again) == 2
    assert tasks(store) == first
    assert len(made_again) == 2


def test_only_what_changed_is_made_again(store, made_again, synthetic):
    """Another outcome of one task makes that task anew, and no other."""
    before = tasks(store)
    synthetic.store(store, synthetic.record("alpha", separation=0, finished="2024-07-01T00:00:00Z"))

    after = tasks(store)

    assert made_again[2:] == ["moons/novelty"]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_planning_all_anew_changes_nothing(store, made_again):
    """Whoever runs a finished plan once more, all of it, waits for no page."""
    before = tasks(store)
    with Store.open_for_writing(store) as opened:
        opened.plan([], again=[record.trial for record in opened.records().values()])

    assert tasks(store) == before
    assert len(made_again) == 2


def test_a_lost_score_file_is_seen(store, made_again):
    """A task whose scores were removed is made anew, and says so."""
    tasks(store)
    next((store / "scores").glob("*.npz")).unlink()

    statuses = {status for task in tasks(store) for test in task.tests for row in test.rows for status in row.statuses}
    assert statuses == {"ok", "error"}


def test_other_rules_make_other_tasks(store):
    """What was made with other threshold rules does not count."""
    tasks(store)
    rules = adbench_thresholds()[:1]
    row = tasks(store, rules=rules)[0].tests[0].rows[0]
    assert list(row.decisions) == [rules[0].name, "oracle"]


@pytest.mark.parametrize("body", [b"garbage", b"\x80", b"\xc0"])
def test_garbage_in_the_cache(store, body):
    """What is not ours in the cache is made anew."""
    first = tasks(store)
    database = sqlite3.connect(store / "results.db")
    with database:
        database.execute("UPDATE evaluations SET body = ?", (body,))
    database.close()

    assert tasks(store) == first


def test_the_best_is_not_behind_itself(store):
    """Each method but the best of a task is held against it on the same rows; floors are not called tied."""
    (board,) = (board for board in read_leaderboard([Store.open_for_reading(store)]).boards if len(board.rows) == 3)
    alpha, beta, noise = board.rows

    assert (alpha.gap, alpha.ties_with_best) == (None, True)
    assert beta.gap.estimate == pytest.approx(beta.auroc.estimate - alpha.auroc.estimate)
    assert beta.ties_with_best == (beta.gap.upper >= 0)
    assert not noise.ties_with_best


def test_sources_join(synthetic, tmp_path):
    """Detectors of one store are held against the floors and the best of another, rows being the same."""
    synthetic.store(tmp_path / "a", synthetic.record("alpha", separation=3))
    synthetic.store(tmp_path / "b", synthetic.record("beta"), synthetic.record("noise", separation=0, role="floor"))

    (task,) = tasks(tmp_path / "a", tmp_path / "b")

    rows = {row.detector: row for row in task.tests[0].rows}
    assert set(rows["alpha"].differences) == set(rows["beta"].differences) == {"noise"}
    assert rows["beta"].gap.estimate < 0


def test_parameters_and_costs(synthetic, tmp_path):
    """A row has the greatest number of parameters and the medians of seconds, over what is ok."""
    made = [synthetic.record("alpha", repetition=number) for number in range(3)]
    made = [
        (replace(record, parameters=number or None, fit_seconds=float(number)), arrays)
        for number, (record, arrays) in enumerate(made)
    ]
    (task,) = tasks(synthetic.store(tmp_path, *made))
    row = task.tests[0].rows[0]
    assert (row.parameters, row.fit_seconds, row.statuses) == (2, 1.0, {"ok": 3})
