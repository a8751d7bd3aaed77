"""Each check of a dataset accepts a right one and rejects one that is wrong in just its way."""

import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from adbench import DataMissing, DatasetSpec, Found, Split, TaskSpec, TestSet
from adbench.testing import dataset_checks
from adbench.testing.datasets import CHECKS

N = 400


@dataclass
class Right:
    """A table of 360 normal rows and 40 anomalies, split as it should be in both settings."""

    def locate(self, finder):
        return Found(variant="made-up")

    def load(self, found):
        rng = np.random.default_rng(1)
        y = np.arange(N) >= 360
        return {"X": rng.normal(size=(N, 3)) + 3 * y[:, None], "y": y.astype(np.int64)}

    def split(self, arrays, *, seed, repetition, mixture=False, n_test: int = 100):
        X, y = arrays["X"], arrays["y"]
        rng = np.random.default_rng(seed)
        if mixture:
            rows = rng.permutation(N)
            train = np.array(X[rows])
            return self.made(train, rows, TestSet(train, y[rows], rows), contamination=0.1)
        normal = rng.permutation(360)
        test = np.concatenate([normal[200 : 200 + n_test - 40], np.arange(360, N)])
        return self.made(np.array(X[normal[:200]]), normal[:200], TestSet(X[test], y[test], test))

    def made(self, X_train, train_ids, test, **changes):
        return Split(X_train, train_ids, {"test": test}, **changes)


class Float32(Right):
    def made(self, X_train, train_ids, test, **changes):
        return super().made(X_train.astype(np.float32), train_ids, test, **changes)


class Unscaled(Right):
    def made(self, X_train, train_ids, test, **changes):
        return super().made(X_train + 1_000, train_ids, test, **changes)


class BrightImages(Right):
    """Grey levels from 0 to 255 where [0, 1] is meant."""

    modality = "image"

    def made(self, X_train, train_ids, test, **changes):
        def image(X):
            return (255 * np.abs(X)).reshape(-1, 3, 1, 1).astype(np.float32)

        return super().made(image(X_train), train_ids, TestSet(image(test.X), test.y, test.row_ids), **changes)


class Overstates(Right):
    def made(self, X_train, train_ids, test, **changes):
        return super().made(X_train, train_ids, test, **(changes and {"contamination": 0.2}))


class StatesInNovelty(Right):
    def made(self, X_train, train_ids, test, **changes):
        return super().made(X_train, train_ids, test, contamination=0.1)


class RowsTwice(Right):
    def made(self, X_train, train_ids, test, **changes):
        twice = np.r_[train_ids[:1], train_ids[:-1]]
        return super().made(X_train, twice, test, **changes)


class TrainsOnAnomalies(Right):
    def made(self, X_train, train_ids, test, **changes):
        if not changes:
            train_ids = np.r_[train_ids[:-1], 399]
            test = TestSet(test.X[test.row_ids != 399], test.y[test.row_ids != 399], test.row_ids[test.row_ids != 399])
        return super().made(X_train, train_ids, test, **changes)


class Inverted(Right):
    def made(self, X_train, train_ids, test, **changes):
        return super().made(X_train, train_ids, TestSet(test.X, 1 - test.y, test.row_ids), **changes)


class LabelColumn(Right):
    def made(self, X_train, train_ids, test, **changes):
        X = np.array(test.X)
        X[:, 1] = test.y * 2.5 - 1
        return super().made(X_train, train_ids, TestSet(X, test.y, test.row_ids), **changes)


class ScoresTraining(Right):
    """Novelty whose test normals are training rows under new numbers."""

    def made(self, X_train, train_ids, test, **changes):
        X = np.where(test.y[:, None] == 1, test.X, X_train[: len(test.X)])
        return super().made(X_train, train_ids, TestSet(X, test.y, test.row_ids), **changes)


class Unseeded(Right):
    def split(self, arrays, *, seed, **params):
        return super().split(arrays, seed=int.from_bytes(__import__("os").urandom(4)), **params)


class OneSplit(Right):
    def split(self, arrays, *, seed, **params):
        return super().split(arrays, seed=1, **params)


class OtherSizes(Right):
    def split(self, arrays, *, seed, **params):
        return super().split(arrays, seed=seed, **params | {"n_test": 60 + 20 * (seed % 4)})


class Restless(Right):
    """Decodes other arrays in each process."""

    def load(self, found):
        return super().load(found) | {"id": np.array([__import__("os").getpid()])}


WRONG = {
    Float32: "contract",
    Unscaled: "range",
    BrightImages: "range",
    Overstates: "contamination",
    StatesInNovelty: "contamination",
    RowsTwice: "rows_apart",
    TrainsOnAnomalies: "labels",
    Inverted: "labels",
    LabelColumn: "labels",
    ScoresTraining: "repeats",
    Unseeded: "same_seed",
    OneSplit: "other_seed",
    OtherSizes: "other_seed",
}


def spec_of(kind, name="made"):
    tasks = (
        TaskSpec(name="novelty", setting="novelty"),
        TaskSpec(name="outlier", setting="outlier", params={"mixture": True}),
    )
    modality = getattr(kind, "modality", "table")
    target = f"adbench_made_{kind.__name__}:{kind.__name__}"
    return DatasetSpec(name=name, target=target, summary="Made up.", modality=modality, tasks=tasks)


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.delenv("ADBENCH_DATA", raising=False)
    for kind in (Right, Restless, Missing, *WRONG):
        module = SimpleNamespace(**{kind.__name__: kind}, __spec__=sys.modules[__name__].__spec__)
        monkeypatch.setitem(sys.modules, f"adbench_made_{kind.__name__}", module)


class Missing(Right):
    def locate(self, finder):
        raise DataMissing("nothing here: put it there")


def failing(kind):
    """Return the names of the checks that reject a dataset, in the quick profile."""
    found = set()
    for check in dataset_checks(spec_of(kind)):
        check = getattr(check, "values", [check])[0]
        if "-quick-" in str(check) and not str(check).endswith("fingerprint"):
            try:
                check()
            except Exception:  # noqa: BLE001 - whatever it is, it is rejected
                found.add(str(check).rpartition("-")[2])
    return found


def test_a_right_dataset_passes():
    """All checks pass in both settings."""
    assert failing(Right) == set()


@pytest.mark.parametrize(("kind", "name"), WRONG.items(), ids=[kind.__name__ for kind in WRONG])
def test_a_wrong_dataset_is_rejected(kind, name):
    """Each wrong dataset is rejected by the check that is about its fault."""
    assert name in failing(kind)


def test_every_check_has_a_wrong_dataset():
    """No check is there that nothing can fail; that of the fingerprint has a test of its own."""
    assert {function.__name__.removeprefix("check_") for function in CHECKS} == set(WRONG.values())


def checks_by_name(spec, **options):
    return {str(check): check for check in (getattr(c, "values", [c])[0] for c in dataset_checks(spec, **options))}


@pytest.mark.parametrize(
    ("kind", "pinned", "words"),
    [
        ("Right", {}, None),
        ("Right", {"made@made-up": "0" * 64}, "expected 000"),
        ("Right", {"made": "0" * 64}, None),
        ("Restless", {}, "another process decodes other arrays"),
    ],
)
def test_the_fingerprint_is_compared_with_another_process_and_with_the_known_one(
    kind, pinned, words, tmp_path, monkeypatch
):
    """Arrays that differ from process to process, or from those of other machines, are rejected."""
    lines = ["import numpy as np", "from adbench import Found", "class Right:"]
    lines += ["    def locate(self, finder): return Found('made-up')"]
    lines += ["    def load(self, found): return {'X': np.arange(6.0).reshape(3, 2)}"]
    lines += ["class Restless(Right):"]
    lines += ["    def load(self, found): import os; return {'X': np.array([os.getpid()])}"]
    (tmp_path / "adbench_filed.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "adbench_filed", raising=False)
    spec = DatasetSpec(
        name="made",
        target=f"adbench_filed:{kind}",
        summary="Made up.",
        modality="table",
        tasks=(TaskSpec(name="novelty", setting="novelty"),),
    )
    check = checks_by_name(spec, fingerprints=pinned)["made-novelty-quick-fingerprint"]
    if words is None:
        check()
    else:
        with pytest.raises(AssertionError, match=words):
            check()


def test_missing_data_is_skipped():
    """Data that is not on this machine is no failure of the dataset."""
    with pytest.raises(pytest.skip.Exception, match="put it there"):
        checks_by_name(spec_of(Missing))["made-novelty-quick-contract"]()


def test_larger_profiles_are_slow():
    """Only the quick profile is checked where slow tests are left out."""
    made = dataset_checks(spec_of(Right))
    slow = {str(c.values[0]) for c in made if hasattr(c, "values") and c.marks[0].name == "slow"}
    assert slow == {name for name in checks_by_name(spec_of(Right)) if "-quick-" not in name}
    assert slow


def test_a_known_failure_that_fits_no_check_is_refused():
    """A reason for what is not there is a mistake."""
    with pytest.raises(ValueError, match="no such checks: made-novelty-quick-nothing"):
        dataset_checks(spec_of(Right), known={"made-novelty-quick-nothing": "because"})
