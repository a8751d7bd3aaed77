"""The tables and their protocols: who is trained on, who is tested, and on which scale."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from adbench_tabular import adbench_datasets, adbench_open_dataset
from adbench_tabular.protocols import PROTOCOLS
from adbench_tabular.tables import BreastCancer, ClassicalTable
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from adbench import DataMissing, Dataset, DatasetError, Finder, UsageError
from adbench.testing import dataset_checks

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
SHAPES = {
    "2_annthyroid": (7_200, 6, 534),
    "4_breastw": (683, 9, 239),
    "6_cardio": (1_831, 21, 176),
    "14_glass": (214, 7, 9),
    "18_Ionosphere": (351, 32, 126),
    "23_mammography": (11_183, 6, 260),
    "29_Pima": (768, 8, 268),
    "38_thyroid": (3_772, 6, 93),
    "40_vowels": (1_456, 12, 50),
    "45_wine": (129, 13, 10),
}
CHECKED = [spec for spec in adbench_datasets() if spec.params.get("file", "").removesuffix(".npz") in ("", *SHAPES)]
NOT_DRAWN = "between 1,000 and 50,000 rows, first-half takes all of them in file order, as its source does"
KNOWN = {
    f"{name}-first-half-{profile}-other_seed": NOT_DRAWN
    for name in ("annthyroid", "cardio", "mammography", "thyroid", "vowels")
    for profile in ("quick", "standard", "full")
} | {
    f"wine-first-half-{profile}-repeats": "129 rows are drawn up to 1,000 before the split, as its source does"
    for profile in ("quick", "standard", "full")
}
needs_classical = pytest.mark.skipif(
    not (DATA / "adbench_classical").is_dir(), reason="needs adbench_classical/ in ADBENCH_DATA"
)


def make_table(n_normals, n_anomalies, n_features=3):
    """Rows whose class is only known from their label, sorted by class as many real files are."""
    rng = np.random.default_rng(0)
    X = rng.normal(5.0, 3.0, (n_normals + n_anomalies, n_features))
    return X, np.repeat([0, 1], [n_normals, n_anomalies])


@pytest.fixture
def cardio(tmp_path):
    """Return a dataset and its arrays, as of a file with cardio's name."""

    def make(n_normals=90, n_anomalies=11):
        folder = tmp_path / "adbench_classical"
        folder.mkdir(exist_ok=True)
        X, y = make_table(n_normals, n_anomalies)
        np.savez(folder / "6_cardio.npz", X=X, y=y)
        table = ClassicalTable("6_cardio.npz")
        return table, table.load(table.locate(Finder((tmp_path,))))

    return make


def split(table, arrays, protocol, seed=1, repetition=0, **sizes):
    return table.split(arrays, seed=seed, repetition=repetition, protocol=protocol, **sizes)


def ids(split):
    return np.concatenate([split.train_ids, split.tests["test"].row_ids])


@pytest.mark.parametrize("check", dataset_checks(*CHECKED, known=KNOWN), ids=str)
def test_contract(check):
    """Every rule of adbench.testing.dataset_checks holds."""
    check()


def test_the_hook_loads_no_array_library(tmp_path):
    """Listing 48 tables and opening a user's file imports adbench only."""
    (tmp_path / "mine.csv").touch()
    code = (
        "import sys, adbench_tabular as t; t.adbench_datasets(); t.adbench_open_dataset('file:mine.csv');"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'pandas', 'sklearn', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_each_official_file_is_a_dataset_of_its_own():
    """All 47 files are offered, with sound tasks by default and published ones on demand."""
    specs = {spec.name: spec for spec in adbench_datasets()}
    files = [spec.params["file"] for spec in specs.values() if "file" in spec.params]
    assert len(specs) == 48
    assert [int(file.split("_")[0]) for file in files] == list(range(1, 48))
    assert specs["magic.gamma"].params == {"file": "22_magic.gamma.npz", "checksum": ""}
    assert [(t.name, t.setting, t.lane, t.default) for t in specs["pima"].tasks] == [
        ("novelty", "novelty", "corrected", True),
        ("outlier", "outlier", "corrected", True),
        ("pyod-6040", "outlier", "published", False),
        ("first-half", "novelty", "published", False),
    ]


def test_another_file_of_an_official_name_is_refused(tmp_path):
    """A table with a known checksum is that table or none: another one would pass for it in every page."""
    (tmp_path / "adbench_classical").mkdir()
    np.savez(tmp_path / "adbench_classical" / "6_cardio.npz", X=np.zeros((50, 2)), y=np.arange(50) % 2)
    (spec,) = (spec for spec in adbench_datasets() if spec.name == "cardio")
    table = ClassicalTable(**spec.params)
    with pytest.raises(DatasetError, match=r"6_cardio.npz: expected the official file .* another or an altered one"):
        table.load(table.locate(Finder((tmp_path,))))


@pytest.mark.parametrize("folder", ["adbench_classical", "Classical", "adbench/datasets/Classical"])
def test_a_file_is_found_in_each_usual_folder(tmp_path, folder):
    """A checkout of ADBench serves as a data folder."""
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "45_wine.npz").touch()
    found = ClassicalTable("45_wine.npz").locate(Finder((tmp_path,)))
    assert (found.variant, found.files) == ("", (tmp_path / folder / "45_wine.npz",))


def test_each_official_file_can_be_fetched_to_where_it_is_looked_for():
    """Its address is upstream's; ten are checked by a checksum, the others by what they hold."""
    files = {spec.params["file"]: spec.files for spec in adbench_datasets() if "file" in spec.params}
    assert all(file.path == f"adbench_classical/{name}" for name, (file,) in files.items())
    assert all(file.urls[0].endswith(f"/adbench/datasets/Classical/{name}") for name, (file,) in files.items())
    assert sorted(name for name, (file,) in files.items() if file.checksum) == sorted(f"{stem}.npz" for stem in SHAPES)


@needs_classical
@pytest.mark.parametrize("stem", SHAPES)
def test_the_checksums_are_those_of_the_official_files(stem):
    """What is fetched is held against the bytes that the counts were taken from."""
    (file,) = next(spec.files for spec in adbench_datasets() if spec.params.get("file") == f"{stem}.npz")
    contents = (DATA / file.path).read_bytes()
    assert file.checksum == f"sha256:{hashlib.sha256(contents).hexdigest()}"


def test_a_missing_file_says_where_to_put_it():
    """The way out is in the message."""
    with pytest.raises(DataMissing, match=r"^45_wine\.npz is not on .* adbench_classical/ .*github\.com/Minqi824"):
        ClassicalTable("45_wine.npz").locate(Finder(()))


def test_novelty_trains_on_half_of_the_normals(cardio):
    """One half of the normals trains; the other half and every anomaly is tested, in mixed order."""
    table, arrays = cardio()
    assert isinstance(table, Dataset)
    result = split(table, arrays, "novelty")
    test = result.tests["test"]
    assert arrays["y"][result.train_ids].sum() == 0
    assert (len(result.train_ids), np.bincount(test.y).tolist()) == (45, [45, 11])
    assert sorted(ids(result)) == list(range(101))
    np.testing.assert_array_equal(test.y, arrays["y"][test.row_ids])
    assert test.y[:45].any()
    assert result.y_train is None and result.contamination is None


def test_outlier_tests_the_very_rows_it_trains_on(cardio):
    """Training and test are one array, and the stated contamination is the table's."""
    table, arrays = cardio()
    result = split(table, arrays, "outlier")
    test = result.tests["test"]
    assert test.X is result.X_train and sorted(test.row_ids) == list(range(101))
    np.testing.assert_array_equal(test.row_ids, result.train_ids)
    np.testing.assert_array_equal(test.y, arrays["y"][test.row_ids])
    assert result.contamination == 11 / 101


@pytest.mark.parametrize("protocol", ["novelty", "outlier", "pyod-6040", "first-half"])
def test_features_are_standardised_by_the_training_rows(cardio, protocol):
    """Training rows have mean 0 and deviation 1; test rows are on that same scale, all in float64."""
    table, arrays = cardio(1_500, 120)
    result = split(table, arrays, protocol)
    test = result.tests["test"]
    np.testing.assert_allclose(result.X_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(result.X_train.std(axis=0), 1)
    scaler = StandardScaler().fit(arrays["X"][result.train_ids])
    np.testing.assert_array_equal(test.X, scaler.transform(arrays["X"][test.row_ids]))
    assert result.X_train.dtype == test.X.dtype == np.float64


def test_a_column_without_variance_is_only_centred():
    """Nothing is divided by zero, in training or in test."""
    X, y = make_table(20, 4)
    X[:, 1] = 7.0
    X[-1, 1] = 9.0  # an anomaly, so never in training
    result = split(BreastCancer(), {"X": X, "y": y}, "novelty")
    assert not result.X_train[:, 1].any()
    assert result.tests["test"].X[:, 1].max() == 2.0


@pytest.mark.parametrize("protocol", ["novelty", "outlier"])
def test_the_seed_alone_draws_the_rows_of_the_corrected_tasks(cardio, protocol):
    """Same seed, same rows; another seed, other rows; the repetition has no say."""
    table, arrays = cardio()
    first = ids(split(table, arrays, protocol, seed=1))
    np.testing.assert_array_equal(first, ids(split(table, arrays, protocol, seed=1, repetition=3)))
    assert not np.array_equal(first, ids(split(table, arrays, protocol, seed=2)))


@pytest.mark.parametrize("protocol", ["pyod-6040", "first-half"])
def test_the_repetition_alone_draws_the_rows_of_the_published_tasks(cardio, protocol):
    """The published numbers come with seeds 0, 1, 2 ..., whatever our root seed is."""
    table, arrays = cardio()
    first = ids(split(table, arrays, protocol, seed=1, repetition=1))
    np.testing.assert_array_equal(first, ids(split(table, arrays, protocol, seed=2, repetition=1)))
    assert not np.array_equal(first, ids(split(table, arrays, protocol, seed=1, repetition=2)))


@pytest.mark.parametrize("protocol, n_train, counts", [("novelty", 142, [143, 15]), ("outlier", 300, [285, 15])])
def test_a_cap_keeps_the_share_of_anomalies(cardio, protocol, n_train, counts):
    """5 % anomalies stay 5 % of the rows that are taken."""
    table, arrays = cardio(1_900, 100)
    result = split(table, arrays, protocol, max_rows=300)
    test = result.tests["test"]
    assert (len(result.train_ids), np.bincount(test.y).tolist()) == (n_train, counts)
    assert len(set(ids(result))) == 300
    assert result.contamination in (None, 0.05)


def test_a_cap_keeps_at_least_one_anomaly(cardio):
    """However rare anomalies are, a test has one."""
    table, arrays = cardio(1_999, 1)
    assert split(table, arrays, "novelty", max_rows=50).tests["test"].y.sum() == 1


def test_a_table_under_the_cap_is_whole(cardio):
    """A cap at or above the number of rows changes nothing."""
    table, arrays = cardio()
    whole = ids(split(table, arrays, "novelty", max_rows=None))
    np.testing.assert_array_equal(whole, ids(split(table, arrays, "novelty", max_rows=101)))


@pytest.mark.parametrize("repetition", [0, 7])
def test_pyod_6040_equals_sklearns_split(cardio, repetition):
    """The same rows on the same scale as pyod's published tables."""
    table, arrays = cardio()
    result = split(table, arrays, "pyod-6040", repetition=repetition)
    test = result.tests["test"]
    X_train, X_test, _, y_test = train_test_split(arrays["X"], arrays["y"], test_size=0.4, random_state=repetition)
    scaler = StandardScaler().fit(X_train)
    np.testing.assert_array_equal(result.X_train, scaler.transform(X_train))
    np.testing.assert_array_equal(test.X, scaler.transform(X_test))
    np.testing.assert_array_equal(test.y, y_test)
    assert result.contamination == 11 / 101


def test_pyods_split_is_offered_for_all_tables_but_never_by_default(tmp_path):
    """ADBench's files, the breast cancer data and a user's own table have it, in the published lane."""
    (tmp_path / "mine.csv").touch()
    offered = {spec.name: spec.tasks for spec in adbench_datasets()}
    (mine,) = adbench_open_dataset(f"file:{tmp_path}/mine.csv#setting=pyod-6040").tasks
    assert all(mine in tasks for tasks in offered.values())
    assert (mine.name, mine.lane, mine.default) == ("pyod-6040", "published", False)


@pytest.mark.parametrize("n_normals, n_anomalies", [(700, 61), (1_501, 99), (50_500, 700)])
def test_first_half_equals_the_published_generator(cardio, n_normals, n_anomalies):
    """Small tables are drawn up, large ones cut down, and the first half in file order trains."""
    table, arrays = cardio(n_normals, n_anomalies)
    result = split(table, arrays, "first-half", repetition=3)

    n_rows, legacy = n_normals + n_anomalies, np.random.mtrand.RandomState(3)
    rows = np.arange(n_rows)
    if n_rows < 1_000:
        rows = legacy.choice(np.arange(n_rows), 1_000, replace=True)
    if n_rows > 50_000:
        rows = legacy.choice(np.arange(n_rows), 50_000, replace=False)
    normals = [row for row in rows if arrays["y"][row] == 0]
    n_train = round(0.5 * len(normals))
    test = result.tests["test"]
    expected_test = [*normals[n_train:], *(row for row in rows if arrays["y"][row] == 1)]
    np.testing.assert_array_equal(result.train_ids % n_rows, normals[:n_train])
    np.testing.assert_array_equal(test.row_ids % n_rows, expected_test)
    np.testing.assert_array_equal(test.y, arrays["y"][expected_test])
    scaler = StandardScaler().fit(arrays["X"][normals[:n_train]])
    np.testing.assert_array_equal(result.X_train, scaler.transform(arrays["X"][normals[:n_train]]))
    np.testing.assert_array_equal(test.X, scaler.transform(arrays["X"][expected_test]))
    assert len(set(ids(result))) == len(rows)  # a copy has an id of its own


X, Y = make_table(8, 2)
BAD_FILES = {
    "no y": ({"X": X}, ["arrays X and y; found 'X'"]),
    "pickled": ({"X": X.astype(object), "y": Y}, ["plain arrays X and y", "allow_pickle"]),
    "one-dimensional X": ({"X": X[:, 0], "y": Y}, ["X with two dimensions; found shape (10,)"]),
    "images": ({"X": np.zeros((10, 28, 28)), "y": Y}, ["X with two dimensions; found shape (10, 28, 28)"]),
    "text": ({"X": X.astype(str), "y": Y}, ["X of numbers; found dtype <U"]),
    "complex": ({"X": X.astype(complex), "y": Y}, ["X of numbers; found dtype complex128"]),
    "no rows": ({"X": X[:0], "y": Y[:0]}, ["rows and feature columns; found 0 x 3"]),
    "no columns": ({"X": X[:, :0], "y": Y}, ["rows and feature columns; found 10 x 0"]),
    "NaN": ({"X": np.where(X == X[4, 1], np.nan, X), "y": Y}, ["in 1 row(s), in column(s) 1."]),
    "infinite": ({"X": np.where(X == X.max(), -np.inf, X), "y": Y}, ["missing, infinite or huge"]),
    "huge": ({"X": np.where(X == X.max(), 1e300, X), "y": Y}, ["missing, infinite or huge"]),
    "one label short": ({"X": X, "y": Y[1:]}, ["y of shape (10,), one label a row; found shape (9,)"]),
    "a column of labels": ({"X": X, "y": Y[:, None]}, ["found shape (10, 1)"]),
    "other labels": ({"X": X, "y": Y * 2 - 1}, ["labels 0 (normal) and 1 (anomaly); found -1, 1."]),
    "no anomalies": ({"X": X, "y": Y * 0}, ["4 normal rows and 1 anomaly; found 10 and 0"]),
    "hardly normals": ({"X": X, "y": 1 - Y}, ["4 normal rows and 1 anomaly; found 2 and 8"]),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_classical_file_is_named_with_expected_and_found(tmp_path, fault):
    """Every fault gives one line: the file, what was expected, what was found."""
    arrays, words = BAD_FILES[fault]
    (tmp_path / "Classical").mkdir()
    np.savez(tmp_path / "Classical" / "45_wine.npz", **arrays)
    table = ClassicalTable("45_wine.npz")
    with pytest.raises(DatasetError) as caught:
        table.load(table.locate(Finder((tmp_path,))))
    text = str(caught.value)
    assert text.startswith("Classical/45_wine.npz: expected ") and "; found " in text
    assert "\n" not in text and str(tmp_path) not in text
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    "protocol, max_rows, words",
    [
        ("novelty", -3, "'max_rows' must be at least 5; got -3"),
        ("outlier", 4, "'max_rows' must be at least 5; got 4"),
        ("pyod-6040", 500, "'max_rows' is for novelty and outlier: pyod-6040 takes the rows that its source takes"),
        ("first-half", 500, "'max_rows' is for novelty and outlier: first-half takes"),
    ],
)
def test_rows_that_make_no_task_are_refused(cardio, protocol, max_rows, words):
    """Too few to train on, or fewer than the published protocol has."""
    with pytest.raises(UsageError, match=words):
        split(*cardio(), protocol, max_rows=max_rows)


@pytest.mark.parametrize("n_normals, n_anomalies", [(90, 11), (4, 900)])
@pytest.mark.parametrize("protocol", ["novelty", "outlier"])
def test_the_fewest_rows_hold_both_classes(cardio, protocol, n_normals, n_anomalies):
    """Five rows are four normal ones and an anomaly, however rare or common anomalies are."""
    result = split(*cardio(n_normals, n_anomalies), protocol, max_rows=5)
    rows = set(ids(result))
    assert len(rows) == 5 and sum(row >= n_normals for row in rows) == 1


def test_a_run_can_choose_the_protocols_that_there_are():
    """What a setting may be is said by the signature, so that a run refuses any other beforehand."""
    assert list(get_args(get_type_hints(BreastCancer.split)["protocol"])) == list(PROTOCOLS)


def test_breast_cancer_is_always_there():
    """A real table without any data folder: 212 malignant tumours among 569."""
    table = BreastCancer()
    found = table.locate(Finder(()))
    arrays = table.load(found)
    assert (found.variant, found.files, arrays["X"].shape) == ("", (), (569, 30))
    result = split(table, arrays, "novelty", max_rows=12_000)
    assert (len(result.train_ids), np.bincount(result.tests["test"].y).tolist()) == (178, [179, 212])


@needs_classical
@pytest.mark.parametrize("stem", SHAPES)
def test_the_official_files_pass_every_check(stem):
    """Rows, features and anomalies are those of the published table."""
    table = ClassicalTable(f"{stem}.npz")
    arrays = table.load(table.locate(Finder((DATA,))))
    assert (*arrays["X"].shape, arrays["y"].sum()) == SHAPES[stem]


@needs_classical
def test_knn_on_vowels_reproduces_both_published_tables():
    """The distance to the 5th neighbour, pyod's KNN, comes out to four digits: .8221 (DTE), .9680 (pyod)."""
    from sklearn.metrics import roc_auc_score
    from sklearn.neighbors import NearestNeighbors

    table = ClassicalTable("40_vowels.npz")
    arrays = table.load(table.locate(Finder((DATA,))))

    def auroc(protocol, repetition):
        result = split(table, arrays, protocol, repetition=repetition)
        test = result.tests["test"]
        neighbours = NearestNeighbors(n_neighbors=5).fit(result.X_train)
        return roc_auc_score(test.y, neighbours.kneighbors(test.X)[0][:, -1])

    assert round(auroc("first-half", 0), 4) == 0.8221
    assert round(np.mean([auroc("pyod-6040", repetition) for repetition in range(10)]), 4) == 0.9680
