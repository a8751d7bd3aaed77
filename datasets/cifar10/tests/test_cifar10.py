"""The dataset: its tasks, its variants, and how rows are split."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from adbench_cifar10 import adbench_datasets
from adbench_cifar10.one_class import FIRST_TEST_ID, OneClass
from adbench_image_sources.cifar_classes import CLASSES

from adbench import Dataset, Finder, UsageError
from adbench.testing import dataset_checks

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
needs_pictures = pytest.mark.skipif(
    not (DATA / "cifar10" / "cifar10_jpeg.tar.xz").is_file(), reason="needs the JPEG pictures in ADBENCH_DATA"
)
# The same with Pillow 10.1, 11.3 and 13.0.
FINGERPRINTS = {
    "cifar10@standin": "f917d0110ad1be599c0aa49dbfc0cf7b586c23f34f3f23d82dcfd1674c3c08e2",
    "cifar10@4000rows": "f94f61c4bcbeff2d4504323baaf02b6c234258128031b86a564688f51e9d05e9",
    "cifar10@jpeg": "9d3c61b4821ab4ec2452412e981dbd49e25e963113e14b207d3fc1258b072638",
}


@pytest.mark.parametrize("check", dataset_checks(*adbench_datasets(), fingerprints=FINGERPRINTS), ids=str)
def test_contract(check):
    """Every rule of adbench.testing.dataset_checks holds, and pictures decode to the same bytes everywhere."""
    check()


@pytest.fixture(scope="session")
def stand_in():
    dataset = OneClass()
    return dataset.load(dataset.locate(Finder(())))


def split(arrays, **params):
    return OneClass().split(arrays, **({"seed": 1, "repetition": 0, "normal": "cat"} | params))


def test_the_hook_loads_no_array_library():
    """Listing the dataset imports adbench only."""
    code = (
        "import sys, adbench_cifar10 as p; p.adbench_datasets();"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'PIL', 'skimage', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_each_class_is_a_default_task_and_the_published_one_is_not():
    """Ten novelty tasks of one block on the main board; the reference's own beside them, off it."""
    (spec,) = adbench_datasets()
    told = {(task.name): (task.setting, task.lane, task.default, task.block) for task in spec.tasks}
    assert told == dict.fromkeys(CLASSES, ("novelty", "corrected", True, "")) | {
        "cat-published": ("novelty", "published", False, "")
    }
    assert {task.params["normal"] for task in spec.tasks} == set(get_args(get_type_hints(OneClass.split)["normal"]))
    assert isinstance(OneClass(), Dataset)


@pytest.mark.parametrize("normal", CLASSES)
def test_a_split_trains_on_one_class_and_tests_on_all(stand_in, normal):
    """Training rows are of the class alone; test rows are normal exactly where they are of the class."""
    made = split(stand_in, normal=normal, n_train=50, n_normal=30, n_anomaly=200)
    test, label = made.tests["test"], CLASSES.index(normal)
    assert made.X_train.shape == (50, 32, 32, 3) and test.X.shape == (230, 32, 32, 3)
    assert made.X_train.dtype == test.X.dtype == np.float32
    assert made.y_train is None and made.contamination is None
    assert (stand_in["train_labels"][made.train_ids] == label).all()
    labels = stand_in["test_labels"][test.row_ids - FIRST_TEST_ID]
    np.testing.assert_array_equal(test.y, labels != label)
    assert test.y.sum() == 200 and set(labels) == set(range(10))
    np.testing.assert_array_equal(made.X_train, stand_in["train"][made.train_ids] / np.float32(255))
    np.testing.assert_array_equal(test.X, stand_in["test"][test.row_ids - FIRST_TEST_ID] / np.float32(255))
    assert len({*made.train_ids, *test.row_ids}) == 280  # no row twice
    assert 0 < (test.y[:115] == 0).sum() < 30  # classes are mixed


def test_the_seed_alone_draws_the_rows(stand_in):
    """Same seed, same rows; another seed, other rows."""

    def ids(**params):
        made = split(stand_in, n_train=100, n_normal=50, n_anomaly=100, **params)
        return np.concatenate([made.train_ids, made.tests["test"].row_ids])

    np.testing.assert_array_equal(ids(seed=1), ids(seed=1, repetition=5))
    assert not np.array_equal(ids(seed=1), ids(seed=2))


@pytest.mark.parametrize("profile, n_train", [("quick", 250), ("standard", 500), ("full", 500)])
def test_nine_in_ten_test_rows_are_anomalies_in_every_profile(stand_in, profile, n_train):
    """As in the full test set; sizes above what is there take all."""
    (spec,) = adbench_datasets()
    for task in spec.tasks:
        made = split(stand_in, **task.params, **task.sizes.get(profile, {}))
        n = n_train if task.lane == "corrected" else 500
        assert len(made.X_train) == n
        assert np.bincount(made.tests["test"].y).tolist() == [n // 5, n // 5 * 9]


@pytest.mark.parametrize("name", ["n_train", "n_normal", "n_anomaly"])
@pytest.mark.parametrize("size", [0, -3])
def test_a_size_below_one_is_refused(stand_in, name, size):
    """A negative size is a mistake, told by the parameter's name."""
    with pytest.raises(UsageError, match=f"^'{name}' must be at least 1; got {size}$"):
        split(stand_in, **{name: size})


@needs_pictures
def test_the_complete_pictures_give_the_reference_sizes():
    """With all pictures the published task has 5,000 training rows, 1,000 normal ones and 9,000 anomalies."""
    dataset = OneClass()
    found = dataset.locate(Finder((DATA,)))
    arrays = dataset.load(found)
    assert dataset.describe(found, arrays).variant == "jpeg"
    made = split(arrays)
    assert len(made.X_train) == 5_000
    assert np.bincount(made.tests["test"].y).tolist() == [1_000, 9_000]
    assert set(made.tests["test"].row_ids) == set(range(50_000, 60_000))
    quick = split(arrays, **adbench_datasets()[0].tasks[0].sizes["quick"])
    assert (len(quick.X_train), *np.bincount(quick.tests["test"].y)) == (250, 50, 450)
