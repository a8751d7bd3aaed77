import itertools
import json
import sqlite3
import time
from dataclasses import replace

import numpy as np
import pytest

from adbench.errors import StoreError, UnknownName, UsageError
from adbench.record import MISSING, STATUSES, Label, Record
from adbench.store import SCHEMA_VERSION, Store


@pytest.fixture
def one(synthetic, tmp_path):
    """A store with one record, its arrays, and the folder."""
    record, arrays = synthetic.record()
    return record, arrays, synthetic.store(tmp_path / "store", (record, arrays))


def execute(folder, statement):
    database = sqlite3.connect(folder / "results.db")
    with database:
        database.execute(statement)
    database.close()


@pytest.mark.parametrize("status", STATUSES)
def test_records_survive_json(synthetic, status):
    """A record is the same after a passage through JSON, whatever became of the trial."""
    record, _ = synthetic.record(
        status=status, reason="it is\nso", notes=("a note",), params={"sizes": [8, 4]}, log="Grüße\n"
    )
    assert Record.from_json(record.to_json()) == record


def test_round_trip(one):
    """What is added comes back: record, label, arrays to the bit, and the run's facts."""
    record, arrays, folder = one
    with Store.open_for_reading(folder) as store:
        assert store.records() == {record.key: record}
        assert store.labelled() == [(Label("quick", record.key, "alpha", "moons/novelty"), record)]
        assert store.statuses() == {record.key: "ok"}
        assert store.versions() == {record.key: {"moonshine": "1.0"}}
        assert store.seconds() == [("alpha", "moons", "novelty", 1.0)]
        assert store.run_facts()[1]["processor"] == "Abacus"
        found = store.arrays(record.key)
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], arrays[name]) and found[name].dtype == arrays[name].dtype for name in arrays)


def test_arrays_are_there_before_the_record(synthetic, tmp_path, monkeypatch):
    """A process that dies between the two leaves a score file without record, never the other way round."""
    record, arrays = synthetic.record()
    with Store.open_for_writing(tmp_path) as store:
        monkeypatch.setattr(Record, "to_json", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.add(record, arrays)

        assert store.has_arrays(record.key)
        assert store.statuses() == {}


def test_arrays_that_cannot_be_written_make_no_record(one, synthetic, monkeypatch):
    """When the disk is full there is a StoreError, no record, and no half of a file."""
    folder = one[2]
    record, arrays = synthetic.record("beta")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with Store.open_for_writing(folder) as store:
        monkeypatch.setattr(np, "savez_compressed", full)
        with pytest.raises(StoreError, match="cannot be written: No space left on device"):
            store.add(record, arrays)
        assert record.key not in store.statuses()
    assert [path.suffix for path in (folder / "scores").iterdir()] == [".npz"]


def test_adding_again_replaces_and_forgets_what_was_made_of_it(one):
    """A trial that is run again replaces its record, and what was kept by its key is forgotten; the rest stays."""
    record, arrays, folder = one
    with Store.open_for_writing(folder) as store:
        kept = [record.key, f"{record.key}-floors", f"beta-{record.key}", "other"]
        store.keep_cached("v1", dict.fromkeys(kept, b"1"))
        store.add(replace(record, fit_seconds=9.0), arrays)

        assert set(store.cached("v1", kept)) == {f"beta-{record.key}", "other"}
        assert [found.fit_seconds for found in store.records().values()] == [9.0]


def test_what_was_made_is_kept_by_version(one):
    """It is found under the version it was made with, and is not kept in a store open for reading."""
    folder = one[2]
    with Store.open_for_writing(folder) as store:
        store.keep_cached("v1", {"k": b"made"})
        assert store.cached("v1", ["k", "other"]) == {"k": b"made"}
        assert store.cached("v2", ["k"]) == {}
    with Store.open_for_reading(folder) as store:
        store.keep_cached("v2", {"k": b"made"})
        assert store.cached("v2", ["k"]) == {}


def test_many_keys_at_once(one):
    """More names than one query of SQLite takes are found all the same."""
    names = [f"{number:064x}" for number in range(1200)]
    with Store.open_for_writing(one[2]) as store:
        store.keep_cached("v1", dict.fromkeys(names, b"1"))
        assert list(store.cached("v1", names)) == names


def test_one_trial_may_have_two_labels(one):
    """Two profiles with the same numbers share a trial and its record."""
    record, _, folder = one
    full = replace(record, trial=replace(record.trial, profile="full"), status=MISSING)
    with Store.open_for_writing(folder) as store:
        store.plan([full])

        assert [(label.profile, found) for label, found in store.labelled()] == [("full", record), ("quick", record)]


def test_planned_trials_are_known_before_they_run(one, synthetic):
    """A trial that was planned and has not run is there as missing; its outcome takes the place."""
    _record, _arrays, folder = one
    later, _ = synthetic.record("beta", status=MISSING)
    with Store.open_for_writing(folder) as store:
        store.plan([later])
        assert [(found.trial.detector, found.status) for _, found in store.labelled()] == [
            ("alpha", "ok"),
            ("beta", "missing"),
        ]
        assert later.key not in store.statuses()

        store.add(replace(later, status="crash"), {})
        assert [found.status for _, found in store.labelled(only={later.key})] == ["crash"]


def test_second_writer_is_refused(one):
    """A store has one writer: a second one is told so, may read, and may write once the first is done."""
    record, _, folder = one
    with Store.open_for_writing(folder):
        with pytest.raises(StoreError, match="in use by another adbench run"):
            Store.open_for_writing(folder)
        with Store.open(folder) as reader:
            assert not reader.writable
            assert record.key in reader.statuses()
    with Store.open(folder) as writer:
        assert writer.writable


@pytest.mark.parametrize("open_store", [Store.open, Store.open_for_reading, Store.open_for_writing])
def test_newer_store_is_refused(one, open_store):
    """A store of a newer adbench is left alone, with the way out."""
    folder = one[2]
    execute(folder, f"UPDATE meta SET value = '{SCHEMA_VERSION + 1}'")

    with pytest.raises(StoreError, match=r"is of version 2, this adbench reads up to 1: pip install --upgrade"):
        open_store(folder)


@pytest.mark.parametrize("open_store", [Store.open, Store.open_for_reading, Store.open_for_writing])
def test_what_is_no_database_is_refused(tmp_path, open_store):
    """A file of that name that is no database is told, and left as it was."""
    tmp_path.joinpath("results.db").write_text("Dear diary, " * 100)

    with pytest.raises(StoreError, match=r"results\.db cannot be read: file is not a database"):
        open_store(tmp_path)
    assert tmp_path.joinpath("results.db").read_text().startswith("Dear diary")


@pytest.mark.parametrize("open_store", [Store.open, Store.open_for_reading, Store.open_for_writing])
def test_somebody_elses_database_is_refused(tmp_path, open_store):
    """A database of another program is told, and no table is added to it."""
    execute(tmp_path, "CREATE TABLE records (song TEXT)")

    with pytest.raises(StoreError, match="is not a store of adbench"):
        open_store(tmp_path)
    database = sqlite3.connect(tmp_path / "results.db")
    assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("records",)]
    database.close()


def test_missing_store(tmp_path):
    """A folder without a store is told with the way out, and nothing is made there."""
    with pytest.raises(StoreError, match=r"there is no store in .*: 'adbench run' makes one"):
        Store.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), r"\.npz is missing; 'adbench run' makes it anew"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:200]),
            r"\.npz is damaged or altered .*: remove it and run again",
        ),
        (lambda path: path.write_text("no zip"), r"\.npz is damaged"),
    ],
    ids=["missing", "cut", "text"],
)
def test_damaged_score_files(one, damage, words):
    """A score file that is missing or damaged is told by name, with the way out."""
    record, _, folder = one
    damage(folder / "scores" / f"{record.key}.npz")

    with Store.open_for_reading(folder) as store, pytest.raises(StoreError, match=words):
        store.arrays(record.key)


def test_pickles_are_not_read(one):
    """A score file that holds a pickle is damaged, not executed."""
    record, _, folder = one
    np.savez(folder / "scores" / f"{record.key}.npz", allow_pickle=True, x=np.array([print], dtype=object))

    with Store.open_for_reading(folder) as store, pytest.raises(StoreError, match="is damaged"):
        store.arrays(record.key)


def test_records_are_found_by_prefix(synthetic, tmp_path):
    """A trial is found by the first letters of its key, if no other begins so."""
    records = [synthetic.record(repetition=number) for number in range(20)]
    with Store.open_for_reading(synthetic.store(tmp_path, *records)) as store:
        keys = sorted(store.statuses())
        shared = next(a[0] for a, b in itertools.pairwise(keys) if a[0] == b[0])

        assert store.record(keys[3][:12]).key == keys[3]
        with pytest.raises(UsageError, match=f"several trials' keys begin with '{shared}', such as"):
            store.record(shared)
        with pytest.raises(UnknownName, match=r"no trial named 'zz'.* \('adbench export' shows all\.\)"):
            store.record("zz")


def test_wildcards_are_letters(one):
    """Signs that mean something to a database match no trial."""
    with Store.open_for_reading(one[2]) as store:
        for prefix in ("%", "*", "_", "?"):
            with pytest.raises(UnknownName):
                store.record(prefix)


def test_work_folder_is_fresh_and_goes(one):
    """A run's folder holds nothing of an earlier run, and is gone afterwards, also after an error."""
    folder = one[2]
    (folder / "work").mkdir()
    (folder / "work" / "left.txt").write_text("by a killed run")
    with Store.open_for_writing(folder) as store:
        with pytest.raises(ZeroDivisionError), store.work_folder() as work:
            assert list(work.iterdir()) == []
            _ = 1 / 0
    assert not (folder / "work").exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_work_that_is_no_folder(one, tmp_path, kind):
    """A file or a link in the place of the run's folder is told, and neither it nor what it leads to is touched."""
    folder = one[2]
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("The end.")
    if kind == "file":
        (folder / "work").write_text("mine")
    else:
        (folder / "work").symlink_to(tmp_path / "precious")

    with (
        Store.open_for_writing(folder) as store,
        pytest.raises(StoreError, match="work is not a folder that a run may empty: remove it"),
        store.work_folder(),
    ):
        pass
    assert (folder / "work").exists()
    assert (tmp_path / "precious" / "thesis.tex").read_text() == "The end."


def read_all(store):
    return [
        store.statuses(),
        store.versions(),
        store.uninstalled(),
        store.labelled(),
        store.records(),
        store.run_facts(),
    ]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE records SET body = 'garbage'", "malformed JSON"),
        ("UPDATE records SET body = '{\"versions\": {}}'", "the record of trial .* cannot be read"),
        ("UPDATE records SET body = '[]', status = 'crash'", "the record of trial .* cannot be read"),
        ("UPDATE records SET body = '{}'", "the versions of a record cannot be read"),
        ("UPDATE records SET key = 'another'", "the record of trial another is another trial's"),
        ("UPDATE runs SET facts = 'garbage'", "the facts of a run cannot be read"),
        ("DROP TABLE records", "no such table: records"),
        ("DROP TABLE labels", "no such table: labels"),
        ("DROP TABLE planned", "no such table: planned"),
        ("DROP TABLE runs", "no such table: runs"),
        ("DROP TABLE evaluations", "no such table: evaluations"),
    ],
)
def test_garbage_in_a_store(one, statement, words):
    """What a store should not hold is told in one line that names the store."""
    folder = one[2]
    execute(folder, statement)

    with Store.open_for_reading(folder) as store, pytest.raises(StoreError, match=words) as refusal:
        read_all(store)
        store.cached("v1", ["k"])
    assert f"the store {folder} is damaged" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.fit_seconds", "fast"),
        ("$.fit_seconds", -1),
        ("$.parameters", 10**17),
        ("$.trial.lane", "side"),
        ("$.detector_facts.scores", 3),
        ("$.rows.train_rows", "many"),
        ("$.notes", "one"),
    ],
)
def test_records_of_another_shape(one, path, value):
    """A record that says what no record can say is told in one line, before anything is made of it."""
    folder = one[2]
    execute(folder, f"UPDATE records SET body = json_set(body, '{path}', json('{json.dumps(value)}'))")

    with Store.open_for_reading(folder) as store, pytest.raises(StoreError, match=r"record of trial .* cannot be read"):
        store.labelled()


def test_nan_is_no_number(one):
    """NaN, which Python's JSON takes, is refused."""
    execute(one[2], "UPDATE records SET body = replace(body, '\"fit_seconds\": 0.25', '\"fit_seconds\": NaN')")
    with Store.open_for_reading(one[2]) as store, pytest.raises(StoreError, match="cannot be read"):
        store.labelled()


def test_schema_that_is_no_number(one):
    """A store whose version is no number is not ours."""
    execute(one[2], "UPDATE meta SET value = 'two'")
    with pytest.raises(StoreError, match="is not a store of adbench"):
        Store.open(one[2])


def test_older_store_is_refused(one):
    """A store of an earlier adbench, which kept less, is left alone, with the way out."""
    execute(one[2], "UPDATE meta SET value = '0'")
    with pytest.raises(StoreError, match="is of version 0, this adbench reads 1: give another --store"):
        Store.open(one[2])


def test_altered_scores_are_told(one):
    """A score file that is whole but not the one that was stored does not count, and removing it helps."""
    record, arrays, folder = one
    path = folder / "scores" / f"{record.key}.npz"
    np.savez_compressed(path, **{**arrays, "scores/test/score": -arrays["scores/test/score"]})

    with Store.open_for_writing(folder) as store:
        with pytest.raises(StoreError, match=rf"{path.name} is damaged or altered .*: remove it and run again"):
            store.arrays(record.key)
        path.unlink()
        assert not store.has_arrays(record.key)
        store.add(record, arrays)
        assert store.arrays(record.key).keys() == arrays.keys()


def test_planning_again_is_newer(one, synthetic):
    """Each plan sets its time anew for all it holds, be they known or not; the rest keeps the time it had."""
    record, _, folder = one
    beta, gamma = (synthetic.record(name, status=MISSING)[0] for name in ("beta", "gamma"))

    def times(store):
        return {label.detector: label.planned_at for label, _ in store.labelled()}

    with Store.open_for_writing(folder) as store:
        store.plan([beta])
        before = times(store)
        assert store.planned_keys("quick") == {record.key, beta.key}
        store.plan([gamma, beta], again=[record.trial])
        after = times(store)
        store.plan([gamma])

        assert before["alpha"] < before["beta"] < after["alpha"] == after["beta"] == after["gamma"]
        assert times(store) == {**after, "gamma": times(store)["gamma"]}


def test_planning_known_trials_is_fast(synthetic, tmp_path):
    """A plan of 20,000 known trials takes its note in half a second: a run that has nothing to do begins at once."""
    records = [synthetic.record(status=MISSING, repetition=number)[0] for number in range(20_000)]
    trials = [record.trial for record in records]
    with Store.open_for_writing(tmp_path) as store:
        store.plan(records)
        began = time.perf_counter()
        assert len(store.planned_keys("quick")) == 20_000
        store.plan([], again=trials)

    assert time.perf_counter() - began < 0.5
