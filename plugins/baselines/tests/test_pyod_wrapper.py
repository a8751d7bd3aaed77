"""PyOD's detectors behind the adbench contract."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from adbench_baselines import adbench_detectors
from adbench_baselines.pyod_wrapper import PyOD
from pyod.models.iforest import IForest
from pyod.models.knn import KNN

from adbench import PluginError, SkipTrial, UsageError

SPECS = {spec.name: spec for spec in adbench_detectors()}
SPECS["pyod"] = replace(SPECS["pyod"], params={"quick": {"detector": "INNE"}})  # the user's to name
PYOD = [name for name in SPECS if name.startswith("pyod")]

RNG = np.random.default_rng(0)
# Three clumps of unequal size: CBLOF needs clusters to part into large and small.
TRAIN = np.concatenate([RNG.normal(size=(n, 4)) + at for n, at in ((160, 0), (60, 6), (20, -6))])
TEST = np.concatenate([TRAIN[:30] + 0.1, np.full((1, 4), 30.0)])


def make(name, **changes):
    """Return the detector of a spec, deep ones with few epochs."""
    spec = SPECS[name]
    module, target = spec.target.split(":")
    short = {"epochs": 3} if name == "pyod-deepsvdd" else {}
    return getattr(import_module(module), target)(**{**spec.params.get("quick", {}), **short, **changes})


@pytest.mark.parametrize("name", SPECS)
def test_spec_can_be_built(name):
    """Every spec's target imports and takes the parameters of each profile."""
    spec = SPECS[name]
    module, target = spec.target.split(":")

    for profile in spec.params or ("quick",):
        assert getattr(import_module(module), target)(**spec.params.get(profile, {})).fit


@pytest.mark.parametrize("name", PYOD)
def test_far_point_scores_above_the_crowd(name, capfd):
    """Far away is more anomalous with every detector, scores are float64, and nothing is printed."""
    scores = make(name).fit(TRAIN, seed=0).score(TEST)

    assert scores.argmax() == 30
    assert scores.dtype == np.float64 and np.isfinite(scores).all()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", PYOD)
def test_scores_depend_on_the_seed_only(name):
    """The same seed gives the same scores, and the global streams of numpy, Python and torch stay."""
    torch = pytest.importorskip("torch")
    np.random.seed(5)  # noqa: NPY002 - this stream is what is tested
    random.seed(5)
    torch.manual_seed(5)
    untouched = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002

    first, second = (make(name).fit(TRAIN, seed=7).score(TEST) for _ in range(2))

    assert (first == second).all()
    after = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert after == untouched


@pytest.mark.parametrize("name", ["pyod-iforest", "pyod-deepsvdd"])
def test_another_seed_gives_other_scores(name):
    """The seed reaches the random detectors."""
    first, second = (make(name).fit(TRAIN, seed=seed).score(TEST) for seed in (0, 1))

    assert not np.allclose(first, second)


@pytest.mark.parametrize("name", PYOD)
def test_score_changes_no_state(name):
    """Scoring other rows in between changes no score, and the fitted model keeps its attributes."""
    detector = make(name).fit(TRAIN, seed=0)
    before = dict(vars(detector.model_))

    first = detector.score(TEST)
    detector.score(TRAIN)

    assert (detector.score(TEST) == first).all()
    assert all(vars(detector.model_)[key] is value for key, value in before.items())


def test_defaults_are_pyods():
    """Untouched, the wrapper gives the numbers of PyOD called directly with its defaults."""
    expected = IForest(random_state=3).fit(TRAIN).decision_function(TEST)

    assert (PyOD("IForest").fit(TRAIN, seed=3).score(TEST) == expected).all()


def test_train_scores_leave_the_row_out():
    """A training row is not its own neighbour in the training scores, but is when scored anew."""
    detector = PyOD("KNN", n_neighbors=1).fit(TRAIN, seed=0)

    assert (detector.train_scores() == KNN(n_neighbors=1).fit(TRAIN).decision_scores_).all()
    assert (detector.train_scores() > 0).all() and (detector.score(TRAIN) == 0).all()


def test_hyperparameters_reach_pyod():
    """A set hyperparameter goes to the constructor: the 2nd neighbour is nearer than the 5th."""
    few, usual = (make("pyod-knn", **changes).fit(TRAIN, seed=0).score(TEST) for changes in ({"n_neighbors": 2}, {}))

    assert (few < usual).all()


@pytest.mark.parametrize("spelling", ["inne", "INNE"])
def test_any_pyod_class_in_any_case(spelling):
    """A class that has no name of its own here is found by PyOD's name."""
    assert type(PyOD(spelling).fit(TRAIN, seed=0).model_).__name__ == "INNE"


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("", {}, r"name PyOD's class: --set pyod\.detector=CLASS; it has ABOD, "),
        ("knnn", {}, r"PyOD has no detector named 'knnn'\. Did you mean KNN"),
        ("zzz", {}, r"no detector named 'zzz'\. It has ABOD, "),
        ("MatrixProfile", {}, "no detector named 'MatrixProfile'"),
        ("KNN", {"neighbours": 3}, "PyOD's KNN has no hyperparameter 'neighbours'; it has n_neighbors, "),
        ("KNN", {"contamination": 0.2}, "no hyperparameter 'contamination'"),
        ("IForest", {"random_state": 2}, "no hyperparameter 'random_state'"),
    ],
)
def test_wrong_names_are_usage_errors(name, changes, message):
    """A wrong class or hyperparameter is named, with what there is, before anything is fitted."""
    with pytest.raises(UsageError, match=message):
        PyOD(name, **changes)


def test_missing_package_is_a_plugin_error(monkeypatch):
    """A detector whose extra package is not installed says which."""
    monkeypatch.setitem(sys.modules, "xgboost", None)
    monkeypatch.delitem(sys.modules, "pyod.models.xgbod", raising=False)

    with pytest.raises(PluginError, match=r"PyOD's XGBOD needs another package: .*xgboost"):
        PyOD("XGBOD")


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("KNN", np.ones((1, 3)), r"at least 2 rows are needed; got 1"),
        ("KNN", np.array([[0.0], [np.nan], [1.0]]), r"the rows hold NaN or infinite values, first in row 1 of 3"),
        ("knn", np.ones((2, 3)), r"PyOD's knn cannot fit these rows: ValueError: Expected n_neighbors .*"),
        ("CBLOF", np.arange(12.0).reshape(4, 3), r"PyOD's CBLOF cannot fit these rows: ValueError: n_samples=4 .*"),
        ("DeepSVDD", np.ones((40, 3)), r"PyOD's DeepSVDD cannot fit these rows: .*"),
    ],
)
def test_unusable_rows_are_refused_in_one_line(name, rows, message):
    """Too few rows, a NaN, or whatever PyOD raises, is a plugin's error of one line that names the detector."""
    with pytest.raises(PluginError, match=rf"\A{message}\Z"):
        PyOD(name).fit(rows, seed=0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinite_scores_are_passed_on():
    """PyOD's PCA divides by a variance of 0: its scores are left as they are, for the harness to call invalid."""
    detector = PyOD("PCA").fit(np.hstack([TRAIN, np.ones((len(TRAIN), 1))]), seed=0)

    assert not np.isfinite(detector.score(np.hstack([TEST, np.ones((31, 1))]))).any()


def test_running_out_of_memory_stays_what_it_is(monkeypatch):
    """A failed allocation inside PyOD is no fault of the rows: the harness has a status for it."""
    detector = PyOD("KNN").fit(TRAIN, seed=0)

    def allocate(rows):
        np.empty(2**50)

    monkeypatch.setattr(detector.model_, "decision_function", allocate)

    with pytest.raises(MemoryError):
        detector.score(TEST)


def test_gmm_is_mahalanobis():
    """The one full Gaussian ranks by the Mahalanobis distance: half its square plus a constant is the score."""
    centred = TEST - TRAIN.mean(axis=0)
    precision = np.linalg.inv(np.cov(TRAIN, rowvar=False, bias=True) + 1e-6 * np.eye(4))  # GMM's own ridge

    scores = make("pyod-gmm").fit(TRAIN, seed=0).score(TEST)

    assert np.ptp(scores - np.einsum("ij,jk,ik->i", centred, precision, centred) / 2) < 1e-6


def test_too_many_features_are_skipped():
    """Above its feature limit a detector skips the trial and says why; up to it, it runs."""
    with pytest.raises(SkipTrial, match="4 features, above the feature_limit of 3"):
        PyOD("KNN", feature_limit=3).fit(TRAIN, seed=0)

    assert PyOD("KNN", feature_limit=4).fit(TRAIN, seed=0)


def test_constant_feature_is_no_crash():
    """A feature without variance leaves the neighbours as they were."""
    padded = np.hstack([TRAIN, np.ones((len(TRAIN), 1))])

    scores = PyOD("KNN").fit(padded, seed=0).train_scores()

    assert scores == pytest.approx(PyOD("KNN").fit(TRAIN, seed=0).train_scores())


def test_rows_are_left_alone():
    """A read-only array, as memory-mapped data is, can be fitted and scored, in float32 too."""
    rows = TRAIN.astype(np.float32)
    rows.flags.writeable = False

    assert len(PyOD("HBOS").fit(rows, seed=0).score(rows)) == len(rows)


@pytest.mark.slow
def test_preloads_start_no_thread():
    """A host may fork after importing the preload modules: they leave it single-threaded."""
    modules = dict.fromkeys(module for spec in SPECS.values() for module in spec.preload)
    count = f"import os, {', '.join(modules)}; print(len(os.listdir('/proc/self/task')))"
    # As the harness pins them; the last one keeps pyarrow, which pandas loads, from starting a thread.
    pinned = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pinned["JE_ARROW_MALLOC_CONF"] = "background_thread:false"

    done = subprocess.run(
        [sys.executable, "-c", count], env={**os.environ, **pinned}, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "1"
