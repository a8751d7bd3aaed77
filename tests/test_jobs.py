"""Jobs in this process: what they refuse, and in which words."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from adbench import DatasetError, Found, PluginError, Split, TestSet
from adbench.execution import frames
from adbench.execution.jobs import arrays, contract, data, settings


def split(**changes):
    """Return a sound split of a table, or one with a fault."""
    X = np.arange(24.0).reshape(12, 2)
    test = TestSet(changes.pop("X_test", X[6:]), changes.pop("y", np.r_[0, 0, 0, 0, 1, 1]), np.arange(6, 12))
    parts = {"X_train": X[:6], "train_ids": np.arange(6), "tests": {changes.pop("name", "test"): test}}
    return Split(**(parts | changes))


def test_sound_split():
    """A split that keeps the contract passes."""
    contract.check_split(split(), "novelty")


@pytest.mark.parametrize(
    ("changes", "setting", "kind", "words"),
    [
        ({"train_ids": np.arange(5)}, "novelty", PluginError, "train_ids has 5 rows, X_train 6"),
        ({"train_ids": np.arange(4, 10)}, "novelty", PluginError, "holds rows of the training set"),
        ({"y_train": np.zeros(6)}, "novelty", PluginError, "y_train belongs to supervised tasks"),
        ({}, "supervised", PluginError, "y_train belongs to supervised tasks"),
        ({"y_train": np.zeros(6)}, "supervised", PluginError, "both of them"),
        ({"y_train": np.full(3, np.nan)}, "supervised", PluginError, "a label for each training row"),
        ({"tests": {}}, "novelty", PluginError, "at least one test set"),
        ({"y": np.zeros(6, int)}, "novelty", DatasetError, "labels are all one class"),
        ({"y": np.r_[0, 1]}, "novelty", PluginError, "differ in length"),
        ({"X_test": np.zeros((6, 3))}, "novelty", PluginError, "expected rows of shape (2,)"),
        ({"X_test": np.full((6, 2), np.nan)}, "novelty", DatasetError, "NaN or infinite"),
        ({"X_train": np.zeros((6, 2), np.float32)}, "novelty", PluginError, "expected float64, got float32"),
        ({"name": "a/b"}, "novelty", PluginError, "a test set's name"),
        ({"name": "a\0b"}, "novelty", PluginError, "a test set's name"),
        ({"contamination": 1.0}, "outlier", PluginError, "must be in (0, 1); got 1.0"),
    ],
)
def test_broken_splits(changes, setting, kind, words):
    """A split that breaks the contract is refused in one line that says how."""
    with pytest.raises(kind) as refusal:
        contract.check_split(split(**changes), setting)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_fingerprint():
    """The fingerprint tells values, names, types and shapes apart, and nothing else."""
    base = {"X": np.arange(6.0).reshape(2, 3)}
    same = {"X": np.asfortranarray(base["X"])}
    others = [
        {"X": base["X"] + 1},
        {"Y": base["X"]},
        {"X": base["X"].astype(np.float32)},
        {"X": base["X"].reshape(3, 2)},
        base | {"y": np.zeros(0)},
    ]
    prints = [arrays.fingerprint(found) for found in (base, same, *others)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 1 + len(others)


def test_damaged_cache(tmp_path):
    """Decoded arrays that were changed in the cache are removed, never used."""
    decoded = {"X": np.arange(6.0)}
    mark = arrays.fingerprint(decoded)
    folder = tmp_path / "prepared" / mark
    arrays.write_folder(folder, decoded, {"names": ["X"]})
    assert data.read_prepared(tmp_path, mark)["X"].tolist() == decoded["X"].tolist()
    np.save(folder / "X.npy", decoded["X"][::-1])
    with pytest.raises(DatasetError, match="damaged and are removed"):
        data.read_prepared(tmp_path, mark)
    assert not folder.exists()


@pytest.mark.parametrize("damage", [lambda folder: (folder / "X.npy").write_bytes(b""), lambda folder: None])
def test_half_a_folder_in_the_cache_is_made_anew(damage, tmp_path):
    """An empty file, or a folder without its facts, is not there for ever."""
    decoded = {"X": np.arange(6.0)}
    mark = arrays.fingerprint(decoded)
    folder = tmp_path / "prepared" / mark
    arrays.write_folder(folder, decoded, {"names": ["X"]})
    damage(folder)
    (folder / "facts.json").unlink()
    assert arrays.read_folder(folder) == {}
    arrays.write_folder(folder, decoded, {"names": ["X"]})
    assert data.read_prepared(tmp_path, mark)["X"].tolist() == decoded["X"].tolist()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scale": 2}, ""),
        ({"scale": 2.5}, ""),
        ({"scal": 2}, "Did you mean 'scale'?"),
        ({"scale": "wide"}, "'scale' of good must be float; got 'wide'"),
        ({"scale": True}, "'scale' of good must be float; got True"),
    ],
)
def test_settings(given, words, monkeypatch, request):
    """A user's setting must name a parameter and have its type."""
    monkeypatch.syspath_prepend(request.path.parent / "plugins")
    told = settings.check("good", "adbench_faults.detector:Good", "", given, sorted(given))
    assert words in told.get("error", "")
    assert bool(told) == bool(words)


def test_garbage_is_no_frame():
    """A length that no message has is refused at once, instead of waiting for its bytes."""
    with pytest.raises(ValueError, match="a frame of 4294967295 bytes"):
        list(frames.Decoder().feed(b"\xff\xff\xff\xff"))


class Slow:
    """A dataset that notes each time it is decoded, and describes what it found."""

    def locate(self, finder):
        return Found("partial")

    def load(self, found):
        with Path("decoded").open("a") as log:
            log.write("once\n")
        time.sleep(0.3)
        return {"X": np.arange(6.0)}

    def describe(self, found, arrays):
        return replace(found, variant=f"{len(arrays['X'])}rows", note="Counted.")


def test_data_is_decoded_once_however_many_ask(tmp_path, monkeypatch):
    """Processes that need the same data at the same moment wait for the one that decodes it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "slow_dataset", SimpleNamespace(Slow=Slow))
    entry = {"name": "slow", "target": "slow_dataset:Slow", "params": {}, "needs": "", "code": {}}
    found = data.survey([entry], [], str(tmp_path))["slow"]
    assert (found["variant"], found["fingerprint"]) == ("partial", None)

    children = [os.fork() for _ in range(4)]
    if 0 in children:
        made = data.prepare(entry, found, str(tmp_path))
        os._exit(0 if made["variant"] == "6rows" else 1)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert Path("decoded").read_text() == "once\n"

    known = data.survey([entry], [], str(tmp_path))["slow"]
    assert (known["variant"], known["note"], len(known["fingerprint"])) == ("6rows", "Counted.", 64)


def test_what_is_known_of_decoded_data_may_be_damaged(tmp_path, monkeypatch):
    """A note in the cache that cannot be read is no error: the data is decoded anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "slow_dataset", SimpleNamespace(Slow=Slow))
    entry = {"name": "slow", "target": "slow_dataset:Slow", "params": {}, "needs": "", "code": {}}
    found = data.survey([entry], [], str(tmp_path))["slow"]
    data.prepare(entry, found, str(tmp_path))
    (index,) = [path for path in (tmp_path / "index").iterdir() if path.suffix != ".lock"]
    for garbage in ("", "{", "[]", '{"fingerprint": 1}', '{"variant": ""}'):
        index.write_text(garbage)
        assert data.survey([entry], [], str(tmp_path))["slow"]["fingerprint"] is None
    index.write_text('{"fingerprint": "../../victim", "variant": "", "note": ""}')
    (tmp_path.parent / "victim").mkdir()
    assert data.survey([entry], [], str(tmp_path))["slow"]["fingerprint"] is None
    assert (tmp_path.parent / "victim").is_dir()
    assert data.prepare(entry, found, str(tmp_path))["variant"] == "6rows"
