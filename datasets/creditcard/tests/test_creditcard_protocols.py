"""The splits: who is trained on, who is tested, on which scale, and what the published lane keeps."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from adbench_creditcard import adbench_datasets
from adbench_creditcard.dataset import CreditCard, _groups
from adbench_creditcard.protocols import Table
from adbench_creditcard.synthetic import generate
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from adbench import Finder, UsageError
from adbench.testing import dataset_checks

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
SOUND = ("novelty", "outlier", "balanced", "supervised")
PUBLISHED = ("balanced-published", "supervised-published")
N_NORMALS, N_FRAUDS = 2_000, 40
FINGERPRINTS = {"creditcard@synthetic": "cac49992f1498bb641451006eb795628458d8b9be3da1237f1a5546584435946"}


@pytest.mark.parametrize("check", dataset_checks(*adbench_datasets(), fingerprints=FINGERPRINTS), ids=str)
def test_contract(check):
    """Every rule of adbench.testing.dataset_checks holds, and the stand-in is the same table everywhere."""
    check()


@pytest.fixture(scope="module")
def arrays():
    """Return a small table with many equal rows, a normal row that equals a fraud among them."""
    X, y = generate(N_NORMALS, N_FRAUDS)
    normals, frauds = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    X[normals[:300]] = X[normals[300:600]]
    X[normals[600:620]] = X[normals[620]]
    X[frauds[:6]] = X[frauds[6:12]]
    X[normals[700]] = X[frauds[20]]
    return {"X": X, "y": y, "group": _groups(X)}


def split(arrays, protocol, seed=1, repetition=0, **sizes):
    return CreditCard().split(arrays, seed=seed, repetition=repetition, protocol=protocol, **sizes)


def classes(arrays, rows):
    return np.bincount(arrays["y"][rows], minlength=2).tolist()


def test_the_hook_loads_no_array_library():
    """Listing imports adbench only; the dataset itself leaves scikit-learn and pyarrow to load and split."""
    code = (
        "import sys, adbench_creditcard as c; c.adbench_datasets(); assert 'numpy' not in sys.modules;"
        "import adbench_creditcard.dataset; sys.exit(any(m in sys.modules for m in ('pandas', 'sklearn', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_six_tasks_and_four_of_them_by_default():
    """The published ones run only when named."""
    (spec,) = adbench_datasets()
    assert [(task.name, task.setting, task.lane, task.default) for task in spec.tasks] == [
        ("novelty", "novelty", "corrected", True),
        ("outlier", "outlier", "corrected", True),
        ("balanced", "novelty", "corrected", True),
        ("supervised", "supervised", "corrected", True),
        ("balanced-published", "novelty", "published", False),
        ("supervised-published", "supervised", "published", False),
    ]
    protocols = [task.params["protocol"] for task in spec.tasks]
    assert protocols == [*SOUND, *PUBLISHED] == list(get_args(get_type_hints(CreditCard.split)["protocol"]))


def test_novelty_trains_on_half_of_the_normals(arrays):
    """The other half and every fraud is tested, in mixed order; the normal row that equals a fraud is left out."""
    result = split(arrays, "novelty")
    test = result.tests["test"]
    assert classes(arrays, result.train_ids) == [999, 0] and classes(arrays, test.row_ids) == [1_000, 40]
    assert test.y[:1_000].any() and result.y_train is None and result.contamination is None


def test_novelty_in_small_keeps_every_fraud(arrays):
    """Sizes cut normal rows only."""
    result = split(arrays, "novelty", n_train=100, n_test=200)
    assert classes(arrays, result.train_ids) == [100, 0]
    assert classes(arrays, result.tests["test"].row_ids) == [200, 40]


def test_outlier_tests_the_very_rows_it_trains_on(arrays):
    """Training and test are one array, and the share of frauds is the table's, stated."""
    result = split(arrays, "outlier", n_train=1_000)
    test = result.tests["test"]
    assert test.X is result.X_train and test.row_ids is result.train_ids
    assert classes(arrays, test.row_ids) == [980, 20] and result.contamination == 0.02
    assert classes(arrays, split(arrays, "outlier").train_ids) == [2_000, 40]


def test_balanced_tests_all_frauds_and_as_many_normal_rows(arrays):
    """All other normal rows train, save those equal to a fraud."""
    result = split(arrays, "balanced")
    assert classes(arrays, result.tests["test"].row_ids) == [40, 40]
    assert classes(arrays, result.train_ids) == [1_959, 0]
    assert classes(arrays, split(arrays, "balanced", n_train=50, n_test=7).tests["test"].row_ids) == [7, 7]


def test_supervised_has_both_classes_on_both_sides(arrays):
    """Each side has half of each class at the table's share of frauds, and labels to train on."""
    result = split(arrays, "supervised")
    test = result.tests["test"]
    assert classes(arrays, test.row_ids) == [1_000, 20] and classes(arrays, result.train_ids) == [999, 20]
    np.testing.assert_array_equal(result.y_train, arrays["y"][result.train_ids])
    cut = split(arrays, "supervised", n_train=500, n_test=250)
    assert classes(arrays, cut.train_ids) == [490, 10] and classes(arrays, cut.tests["test"].row_ids) == [245, 5]


@pytest.mark.parametrize("protocol", ["novelty", "outlier", "supervised"])
@pytest.mark.parametrize("prevalence", [0.002, 0.1])
def test_a_share_of_frauds_can_be_asked_for(arrays, protocol, prevalence):
    """Frauds or normal rows are thinned out until it holds, to the nearest row, for at least one fraud."""
    test = split(arrays, protocol, prevalence=prevalence).tests["test"]
    assert abs(test.y.mean() - prevalence) < 1 / len(test.y) and test.y.any()


@pytest.mark.parametrize("protocol", ["balanced", "balanced-published", "supervised-published"])
def test_a_protocol_with_a_share_of_its_own_refuses_another(arrays, protocol):
    """A page would claim a share that the rows do not have."""
    with pytest.raises(UsageError, match=f"{protocol} has a share of its own"):
        split(arrays, protocol, prevalence=0.1)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.5])
def test_a_share_that_is_none_is_refused(arrays, prevalence):
    """The message names the parameter and its range."""
    with pytest.raises(UsageError, match=r"'prevalence' must be in \(0, 1\); got"):
        split(arrays, "outlier", prevalence=prevalence)


@pytest.mark.parametrize("name", ["n_train", "n_test"])
@pytest.mark.parametrize("size", [0, -3])
def test_a_size_below_one_is_refused(arrays, name, size):
    """A negative size is a mistake, not a slice from the end."""
    with pytest.raises(UsageError, match=f"^'{name}' must be at least 1; got {size}$"):
        split(arrays, "novelty", **{name: size})


@pytest.mark.parametrize("protocol", ["novelty", "balanced", "supervised"])
@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_stay_on_one_side(arrays, protocol, seed):
    """No test row repeats a training row, though one row in six has a twin."""
    result = split(arrays, protocol, seed=seed)
    test_groups = arrays["group"][result.tests["test"].row_ids]
    assert not np.isin(arrays["group"][result.train_ids], test_groups).any()


def test_halves_are_exact_and_whole():
    """Any size is met as long as single rows are left to fill up with; no row is lost."""
    group = np.repeat(np.arange(120), [*[3] * 40, *[1] * 80])
    table = Table(X=np.zeros((200, 1)), y=np.zeros(200, np.int64), group=group)
    rows = np.arange(200)
    for seed in range(50):
        first, second = table.halves(rows, 77, np.random.default_rng(seed))
        assert len(first) == 77 and sorted([*first, *second]) == rows.tolist()
        assert not np.isin(group[first], group[second]).any()


@pytest.mark.parametrize("protocol", SOUND)
def test_features_are_standardised_by_the_training_rows(arrays, protocol):
    """Training rows have mean 0 and deviation 1; test rows are on that same scale, all in float64."""
    result = split(arrays, protocol)
    test = result.tests["test"]
    scaler = StandardScaler().fit(arrays["X"][result.train_ids])
    np.testing.assert_array_equal(result.X_train, scaler.transform(arrays["X"][result.train_ids]))
    np.testing.assert_array_equal(test.X, scaler.transform(arrays["X"][test.row_ids]))
    np.testing.assert_allclose(result.X_train.std(axis=0), 1)
    assert result.X_train.dtype == test.X.dtype == np.float64


@pytest.mark.parametrize("protocol", [*SOUND, *PUBLISHED])
def test_the_seed_alone_decides_unless_published(arrays, protocol):
    """Same seed, same rows; another seed, other rows. Published draws go by the repetition."""

    def ids(**arguments):
        result = split(arrays, protocol, **arguments)
        return set(result.train_ids), set(result.tests["test"].row_ids)

    changing, constant = ("repetition", "seed") if protocol in PUBLISHED else ("seed", "repetition")
    first = ids(n_train=500)
    assert ids(n_train=500) == ids(n_train=500, **{constant: 9}) == first
    assert ids(n_train=500, **{changing: 9})[0] != first[0]


@pytest.mark.parametrize("protocol", [*SOUND, *PUBLISHED])
def test_labels_and_ids_belong_to_the_rows(arrays, protocol):
    """Every test row carries its own label and index, and none is trained on outside the outlier task."""
    result = split(arrays, protocol)
    test = result.tests["test"]
    np.testing.assert_array_equal(test.y, arrays["y"][test.row_ids])
    assert len(set(test.row_ids)) == len(test.row_ids)
    assert protocol == "outlier" or not set(test.row_ids) & set(result.train_ids)


def test_published_balanced_is_the_reference_s_draw(arrays):
    """Seed 0 shuffles the normal rows, the first ones are tested; every column spans [0, 1] over all rows."""
    result = split(arrays, "balanced-published")
    normals = arrays["X"][arrays["y"] == 0].astype(np.float32)
    np.random.RandomState(0).shuffle(normals)
    tested = result.tests["test"]
    expected = {tuple(row) for row in normals[:N_FRAUDS]}
    assert {tuple(row) for row in arrays["X"][tested.row_ids[tested.y == 0]].astype(np.float32)} == expected
    assert classes(arrays, result.train_ids) == [1_960, 0]
    everything = np.concatenate([result.X_train, tested.X])
    np.testing.assert_array_equal([everything.min(axis=0), everything.max(axis=0)], [[0] * 30, [1] * 30])


def test_published_balanced_sets_the_same_normal_rows_against_noise(arrays):
    """As many noise rows as frauds: normal noise clipped to [0, 1], and uniform noise."""
    result = split(arrays, "balanced-published")
    assert list(result.tests) == ["test", "normal-noise", "uniform-noise"]
    normal = result.tests["test"].X[result.tests["test"].y == 0]
    for name, share_at_zero in (("normal-noise", 0.5), ("uniform-noise", 0.0)):
        test = result.tests[name]
        noise = test.X[test.y == 1]
        np.testing.assert_array_equal(test.X[test.y == 0], normal)
        assert noise.shape == (N_FRAUDS, 30) and 0 <= noise.min() and noise.max() <= 1
        assert abs((noise == 0).mean() - share_at_zero) < 0.05
        assert test.row_ids[test.y == 1].min() >= len(arrays["y"])


def test_published_supervised_leaks_the_label(arrays):
    """Time and Amount have mean 0 within each class, whatever they were; sizes are the reference's in small."""
    result = split(arrays, "supervised-published")
    test = result.tests["test"]
    X, y = np.concatenate([result.X_train, test.X]), np.concatenate([result.y_train, test.y])
    for label in (0, 1):
        np.testing.assert_allclose(X[y == label][:, [0, 29]].mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(X[y == label][:, [0, 29]].std(axis=0, ddof=1), 1)
    assert classes(arrays, test.row_ids) == [20, 20] and classes(arrays, result.train_ids) == [1_980, 20]
    assert set(test.row_ids[test.y == 1]) == set(np.flatnonzero(arrays["y"] == 1)[:20])


def test_the_stand_in_is_shaped_like_the_official_table():
    """Uncorrelated components of falling deviation, quartiles of Time and Amount, the ties of V2 and V3."""
    X, y = generate(60_000, 104)
    again, _ = generate(60_000, 104)
    np.testing.assert_array_equal(X, again)
    V, time, amount = X[y == 0][:, 1:29], X[y == 0][:, 0], X[y == 0][:, 29]
    assert np.abs(np.corrcoef(V.T) - np.eye(28)).max() < 0.1
    np.testing.assert_allclose(V.std(axis=0)[[0, 13, 27]], [1.96, 0.96, 0.33], rtol=0.15)
    np.testing.assert_allclose(np.quantile(time, [0.25, 0.5, 0.75]), [54_202, 84_692, 139_321], rtol=0.03)
    assert (np.diff(X[:, 0]) >= 0).all() and (time == time.round()).all() and time.max() <= 172_792
    assert (round(np.median(amount)), round(amount.mean(), -1), amount.max() <= 25_691.16) == (22, 90, True)
    assert np.corrcoef(amount, V[:, 1])[0, 1] < -0.2 and np.corrcoef(time, V[:, 2])[0, 1] < -0.3


@pytest.mark.parametrize("data", ["stand-in", "real"])
def test_frauds_are_as_hard_to_find_as_published(data):
    """The distance from the training mean has an AUROC near .95, where sound detectors on the whole table stand."""
    if data == "real" and not (DATA / "creditcard").is_dir():
        pytest.skip("needs creditcard/ in ADBENCH_DATA")
    card = CreditCard()
    found = card.locate(Finder((DATA,) if data == "real" else ()))
    arrays = card.load(found)
    result = split(arrays, "novelty", n_train=4_000, n_test=4_000)
    test = result.tests["test"]
    assert classes(arrays, test.row_ids) == [4_000, 492]
    assert 0.93 < roc_auc_score(test.y, np.linalg.norm(test.X, axis=1)) < 0.97
    labelled = split(arrays, "supervised", n_train=20_000, n_test=20_000)
    linear = LogisticRegression(max_iter=1_000).fit(labelled.X_train, labelled.y_train)
    test = labelled.tests["test"]
    assert 0.9 < roc_auc_score(test.y, linear.decision_function(test.X)) < 1


def test_zeros_of_either_sign_are_equal():
    """A row is told by its numbers, not by their bits."""
    assert _groups(np.array([[0.0, 1.0], [2.0, 1.0], [-0.0, 1.0]])).tolist() == [0, 1, 0]
