"""Jobs in this process: what they refuse, and in which words."""

import numpy as np
import pytest

from adbench import DatasetError, PluginError, Split, TestSet
from adbench.execution import frames
from adbench.execution.jobs import arrays, data, settings


def split(**changes):
    """Return a sound split of a table, or one with a fault."""
    X = np.arange(24.0).reshape(12, 2)
    test = TestSet(changes.pop("X_test", X[6:]), changes.pop("y", np.r_[0, 0, 0, 0, 1, 1]), np.arange(6, 12))
    parts = {"X_train": X[:6], "train_ids": np.arange(6), "tests": {changes.pop("name", "test"): test}}
    return Split(**(parts | changes))


def test_sound_split():
    """A split that keeps the contract passes."""
    data._check(split(), "novelty")


@pytest.mark.parametrize(
    ("changes", "setting", "kind", "words"),
    [
        ({"train_ids": np.arange(5)}, "novelty", PluginError, "train_ids has 5 rows, X_train 6"),
        ({"train_ids": np.arange(4, 10)}, "novelty", PluginError, "holds rows of the training set"),
        ({"y_train": np.zeros(6)}, "novelty", PluginError, "y_train belongs to supervised tasks"),
        ({}, "supervised", PluginError, "y_train belongs to supervised tasks"),
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
        data._check(split(**changes), setting)
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
    folder = tmp_path / mark
    arrays.write_folder(folder, decoded, {"names": ["X"]})
    assert data._read_prepared(folder, mark)["X"].tolist() == decoded["X"].tolist()
    np.save(folder / "X.npy", decoded["X"][::-1])
    with pytest.raises(DatasetError, match="damaged and are removed"):
        data._read_prepared(folder, mark)
    assert not folder.exists()


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
