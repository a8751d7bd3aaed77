"""One regular class with impurities: what is found, how many of each class, and which settings are refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from adbench_image_letters import adbench_datasets
from adbench_image_letters.impurities import FIRST_ID, FIRST_TEST_ID, Impurities
from adbench_image_sources.standins import FASHION_SAMPLE

from adbench import Dataset, Finder, Found, UsageError
from adbench.testing import dataset_checks

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
needs_copy = pytest.mark.skipif(
    not all((DATA / name).is_dir() for name in ("emnist", "mnist", "fashion_mnist")),
    reason="needs emnist, mnist and fashion_mnist in ADBENCH_DATA",
)
(SPEC,) = adbench_datasets()
TASKS = {task.name: task for task in SPEC.tasks}
# With the versions of constraints.txt: another version of Pillow or matplotlib may draw other letters.
FINGERPRINTS = {
    "emnist-impurities@standin": "ff6fe73b894241c55379317f547a841af566b392ea92731a462d4e8e444db034",
    "emnist-impurities@letters-10000rows": "658c6f0c9942a5b60839a5266debe260e503aa137d08f0e5e56440bb0b9a986f",
}
N_CLASSES = {"letters": 26, "digits": 10, "fashion": 10}


def made_up(images, n_train, n_test):
    """A set of one-pixel images, each telling its own class: row i is of class i modulo their number."""
    ids = np.concatenate([FIRST_ID[images] + np.arange(n_train), FIRST_TEST_ID[images] + np.arange(n_test)])
    labels = np.concatenate([np.arange(n) % N_CLASSES[images] for n in (n_train, n_test)]).astype(np.uint8)
    return {images: labels.reshape(-1, 1, 1, 1), f"{images}_labels": labels, f"{images}_ids": ids}


@pytest.fixture(scope="module")
def official():
    """Sets of the official sizes."""
    return made_up("letters", 124_800, 20_800) | made_up("digits", 60_000, 10_000) | made_up("fashion", 60_000, 10_000)


def split(arrays, task="letters", profile="full", seed=1, **settings):
    arguments = TASKS[task].params | TASKS[task].sizes.get(profile, {}) | settings
    return Impurities().split(arrays, seed=seed, repetition=0, **arguments)


def classes(X):
    """The class of each made-up image."""
    return np.round(X[:, 0, 0, 0] * 255).astype(int)


def counts(X, n_classes=26):
    return np.bincount(classes(X), minlength=n_classes).tolist()


def test_the_hook_loads_no_array_library():
    """Listing the dataset imports adbench only, and finding it neither matplotlib nor scipy."""
    code = (
        "import sys, adbench_image_letters as p; p.adbench_datasets(); light = 'numpy' not in sys.modules;"
        "from adbench_image_letters.impurities import Impurities; from adbench import Finder;"
        "Impurities().locate(Finder(()));"
        "sys.exit(not light or any(m in sys.modules for m in ('matplotlib', 'PIL', 'scipy', 'mlxtend', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_three_corrected_tasks_and_a_published_one():
    """The published protocol runs only when it is named; all train on the mixture."""
    assert [(t.name, t.setting, t.lane, t.default) for t in SPEC.tasks] == [
        ("letters", "outlier", "corrected", True),
        ("digits", "outlier", "corrected", True),
        ("fashion", "outlier", "corrected", True),
        ("letters-published", "outlier", "published", False),
    ]
    assert isinstance(Impurities(), Dataset)


@pytest.mark.parametrize("check", dataset_checks(SPEC, fingerprints=FINGERPRINTS), ids=str)
def test_the_contract(check):
    """Every task holds what every dataset must, in every profile, on the data that is here."""
    check()


def test_full_letters_have_the_reference_sizes(official):
    """4,000 + 125 to train, 5 of each other letter; 800 + 25 to test, 1 of each."""
    made = split(official)
    assert counts(made.X_train) == [4_000] + [5] * 25
    assert made.contamination == 125 / 4_125
    (test,) = made.tests.values()
    assert counts(test.X) == [800] + [1] * 25
    np.testing.assert_array_equal(test.y, classes(test.X) > 0)


def test_the_published_task_adds_the_validation_set(official):
    """800 + 25 of the training part, 1 of each letter, none of them trained on; the same in every profile."""
    made = split(official, "letters-published", profile="quick")
    assert counts(made.X_train) == [4_000] + [5] * 25
    assert list(made.tests) == ["test", "validation"]
    validation = made.tests["validation"]
    assert counts(validation.X) == counts(made.tests["test"].X) == [800] + [1] * 25
    assert (validation.row_ids < FIRST_TEST_ID["letters"]).all()
    assert np.intersect1d(validation.row_ids, made.train_ids).size == 0


@pytest.mark.parametrize("task", ["digits", "fashion"])
def test_ten_classes_follow_the_same_protocol(official, task):
    """125 impurities over nine classes are 13 or 14 of each, 25 are 2 or 3."""
    made = split(official, task)
    regular, *impure = counts(made.X_train, 10)
    assert (regular, sum(impure), set(impure)) == (4_000, 125, {13, 14})
    regular, *impure = counts(made.tests["test"].X, 10)
    assert (regular, sum(impure), set(impure)) == (800, 25, {2, 3})


@pytest.mark.parametrize("profile, n_regular, n_impure", [("quick", 800, 25), ("standard", 1_600, 50)])
def test_smaller_profiles_keep_the_share(official, profile, n_regular, n_impure):
    """Training shrinks with its impurities; the test stays whole."""
    made = split(official, profile=profile)
    assert (counts(made.X_train)[0], len(made.X_train)) == (n_regular, n_regular + n_impure)
    assert made.contamination == pytest.approx(25 / 825)
    assert counts(made.tests["test"].X) == [800] + [1] * 25


@pytest.mark.parametrize("share, n_impure", [(0.05, 211), (0.1, 444), (0.5, 4_000), (0.0001, 1)])
def test_any_share_can_be_set(official, share, n_impure):
    """Impurities follow the share, regular images and the test do not."""
    made = split(official, contamination=share)
    regular, *impure = counts(made.X_train)
    assert (regular, sum(impure)) == (4_000, n_impure)
    assert max(impure) - min(impure) <= 1
    assert made.contamination == n_impure / (4_000 + n_impure)
    assert counts(made.tests["test"].X) == [800] + [1] * 25


@pytest.mark.parametrize(
    "task, normal, number", [("letters", "B", 1), ("letters", "z", 25), ("letters", 3, 3), ("digits", 7, 7)]
)
def test_any_class_can_be_regular(official, task, normal, number):
    """A letter, small or capital, or a number."""
    made = split(official, task, normal=normal)
    n_classes = N_CLASSES[task]
    assert np.argmax(counts(made.X_train, n_classes)) == number
    assert (counts(made.tests["test"].X, n_classes)[number], made.tests["test"].y.sum()) == (800, 25)


def test_rows_come_from_their_part_in_mixed_order(official):
    """Training rows are of the training part, test rows of the test part; a place tells no class; ids find the row."""
    made = split(official, "digits")
    test = made.tests["test"]
    assert (made.train_ids < FIRST_TEST_ID["digits"]).all() and (test.row_ids >= FIRST_TEST_ID["digits"]).all()
    np.testing.assert_array_equal(classes(test.X), (test.row_ids - FIRST_TEST_ID["digits"]) % 10)
    np.testing.assert_array_equal(classes(made.X_train), (made.train_ids - FIRST_ID["digits"]) % 10)
    assert 0 < test.y[:413].sum() < 25
    assert made.X_train.dtype == test.X.dtype == np.float32


def test_each_seed_draws_other_regular_images_and_impurities(official):
    """Same seed, same rows; another seed, others of both."""
    one, again, other = split(official), split(official), split(official, seed=2)
    np.testing.assert_array_equal(one.train_ids, again.train_ids)
    one_impure, other_impure = (made.train_ids[classes(made.X_train) > 0] for made in (one, other))
    assert np.intersect1d(one_impure, other_impure).size < 20
    assert set(one.train_ids) != set(other.train_ids)


@pytest.mark.parametrize("n_train, n_test", [(0, 26 * 800), (26 * 800, 0)])
def test_a_missing_part_is_cut_from_the_other(n_train, n_test):
    """800 of a letter are divided as 4,000 : 800 : 800; impurities follow the share, and the test keeps 25."""
    made = split(made_up("letters", n_train, n_test), "letters-published")
    assert counts(made.X_train)[0] == 572 and len(made.X_train) == 572 + 18
    sizes = {name: (counts(test.X)[0], test.y.sum()) for name, test in made.tests.items()}
    assert sizes == {"test": (114, 25), "validation": (114, 25)}
    ids = np.concatenate([made.train_ids, *(test.row_ids for test in made.tests.values())])
    assert len(np.unique(ids)) == len(ids)


def test_a_rare_class_gives_what_it_has():
    """Impurities are dealt round by round: a class with one image gives it, the others the rest."""
    arrays = made_up("digits", 1_000, 1_000)
    keep = (arrays["digits_labels"] != 9) | (np.arange(2_000) == 9) | (np.arange(2_000) == 1_009)
    arrays = {name: values[keep] for name, values in arrays.items()}
    made = split(arrays, "digits", n_test_impurities=50)
    assert counts(made.tests["test"].X, 10)[9] == 1
    assert set(counts(made.tests["test"].X, 10)[1:9]) == {6, 7}


@pytest.mark.parametrize(
    "task, settings, words",
    [
        ("letters", {"contamination": 0}, r"'contamination' must be in \(0, 0.5\]; got 0"),
        ("letters", {"contamination": 0.51}, r"'contamination' must be in \(0, 0.5\]; got 0.51"),
        ("letters", {"contamination": -0.1}, "got -0.1"),
        ("letters", {"normal": "AB"}, "'normal' of letters must be a letter from A to Z, .*; got 'AB'"),
        ("letters", {"normal": ""}, "must be a letter from A to Z, or a number from 0 to 25; got ''"),
        ("letters", {"normal": "é"}, "got 'é'"),
        ("letters", {"normal": 26}, "got 26"),
        ("letters", {"normal": -1}, "got -1"),
        ("digits", {"normal": "B"}, "'normal' of digits must be a number from 0 to 9; got 'B'"),
        ("fashion", {"normal": 10}, "'normal' of fashion must be a number from 0 to 9; got 10"),
        ("letters", {"n_train": 0}, "'n_train' must be at least 1; got 0"),
        ("letters", {"n_test": 0}, "'n_test' must be at least 1; got 0"),
        ("letters", {"n_validation": -1}, "'n_validation' must be at least 0; got -1"),
        ("letters", {"n_test_impurities": 0}, "'n_test_impurities' must be at least 1; got 0"),
        ("letters", {"n_test_impurities": 20_001}, "letters: 20,001 impurities are asked for, and only 20,000 images"),
    ],
)
def test_a_wrong_setting_is_told(official, task, settings, words):
    """Each gives one line with what is allowed and what was given."""
    with pytest.raises(UsageError, match=words):
        split(official, task, **settings)


def test_a_letter_that_is_not_here_is_told():
    """A partial copy may hold no image of the class asked for."""
    arrays = made_up("letters", 0, 2_600)
    few = {name: values[arrays["letters_labels"] < 3] for name, values in arrays.items()}
    with pytest.raises(
        UsageError, match=r"'normal' of letters is 'Z', and the copy .* holds none of it: it has A, B, C"
    ):
        split(few, normal="Z")


def test_without_data_all_three_sets_are_stand_ins():
    """The variant, the files it depends on, and a note for each."""
    found = Impurities().locate(Finder(()))
    assert found.variant == "standin" and FASHION_SAMPLE in found.files
    assert [name in found.note for name in ("EMNIST-Letters: rendered", "MNIST: 5,000", "Fashion-MNIST: 5,000")] == [
        True
    ] * 3


@needs_copy
def test_the_copy_at_hand_names_its_variant_and_says_what_is_done():
    """Letters are partial, the other two official; the note says how the letters are divided."""
    found = Impurities().locate(Finder((DATA,)))
    assert found.variant == "letters-10000rows"
    assert "divided into training, validation and test as 4,000 : 800 : 800" in found.note


@needs_copy
def test_the_copy_at_hand_gives_proportionate_sizes():
    """572 + 18 to train and 114 + 25 to test of 800 A; MNIST and Fashion-MNIST have the reference's sizes."""
    dataset = Impurities()
    found: Found = dataset.locate(Finder((DATA,)))
    arrays = dataset.load(found)
    assert [len(arrays[name]) for name in N_CLASSES] == [10_000, 70_000, 70_000]
    sizes = {}
    for name in N_CLASSES:
        made = split(arrays, name)
        test = made.tests["test"]
        sizes[name] = len(made.X_train), len(test.y), int(test.y.sum())
        labels = dict(zip(arrays[f"{name}_ids"].tolist(), arrays[f"{name}_labels"].tolist(), strict=True))
        assert [int(labels[row] != 0) for row in test.row_ids.tolist()] == test.y.tolist()
    assert sizes == {"letters": (590, 139, 25), "digits": (4_125, 825, 25), "fashion": (4_125, 825, 25)}
