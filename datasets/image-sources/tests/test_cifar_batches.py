"""The official batches: which copies are found, what is read of them, and what is refused."""

import io
import os
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from adbench_image_sources.cifar import CIFAR10
from adbench_image_sources.cifar_batches import OFFICIAL, OFFICIAL_ARCHIVE
from adbench_image_sources.cifar_classes import CLASSES

from adbench import DatasetError, Finder

FOLDER = "cifar-10-batches-py"
DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
EXACT = DATA / "cifar10" / "cifar-10-python-lossless-first4000.tar.gz"
needs_exact = pytest.mark.skipif(not EXACT.is_file(), reason="needs the 4,000 exact images in ADBENCH_DATA")


def rows(n, seed=0):
    """Return ``n`` random rows and labels with each class in turn."""
    data = np.random.default_rng(seed).integers(0, 256, (n, 3072), dtype=np.uint8)
    return data, [k % 10 for k in range(n)]


def batch(n=60, seed=0, **changed):
    """Return a batch as Python 3 pickles it, with some entries changed."""
    data, labels = rows(n, seed)
    entries = {"batch_label": "a batch", "labels": labels, "data": data, "filenames": ["a.png"] * n} | changed
    return pickle.dumps({key.encode(): value for key, value in entries.items()}, protocol=2)


def batch_of_python_2(data, labels):
    """Return a batch as Python 2 and numpy 1 pickled the official ones: byte strings, and numpy's old module."""
    pixels = data.tobytes()
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    return b"".join(
        [
            b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01M",
            struct.pack("<H", len(data)),
            b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89T" + struct.pack("<i", len(pixels)) + pixels + b"tb",
            b"U\x06labels](" + numbers + b"eu.",
        ]
    )


def archive(path, members):
    """Write a compressed tar of ``{name: contents}``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, contents in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(contents)
            tar.addfile(info, io.BytesIO(contents))


def unpacked(root, batches):
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, contents in batches.items():
        (folder / name).write_bytes(contents)


def load(folder):
    found = CIFAR10.locate(Finder((folder,)))
    images = CIFAR10.load(found)
    return CIFAR10.describe(found, images), images


@pytest.mark.parametrize("place", ["cifar10", "."])
@pytest.mark.parametrize("packed", [OFFICIAL_ARCHIVE, "cifar-10-python-first.tar.gz", None])
def test_batches_are_found_packed_and_unpacked_in_either_place(tmp_path, place, packed):
    """Archive or folder, inside cifar10/ or beside it: the same rows, named by their number."""
    batches = {"data_batch_1": batch(60), "test_batch": batch(20, seed=1)}
    if packed:
        archive(tmp_path / place / packed, {f"{FOLDER}/{name}": contents for name, contents in batches.items()})
    else:
        unpacked(tmp_path / place, batches)
    found, images = load(tmp_path)
    assert found.variant == "80rows"
    assert (images.train.shape, images.test.shape) == ((60, 32, 32, 3), (20, 32, 32, 3))


def test_a_row_is_three_planes_and_becomes_channels_last(tmp_path):
    """The first 1,024 values of a row are the red plane, row by row."""
    data, labels = rows(60)
    unpacked(tmp_path, {"data_batch_1": batch(60), "test_batch": batch(10, seed=1)})
    _, images = load(tmp_path)
    np.testing.assert_array_equal(images.train[7, 3, 5], data[7, [3 * 32 + 5, 1024 + 3 * 32 + 5, 2048 + 3 * 32 + 5]])
    assert images.train_labels.tolist() == labels
    assert images.train.dtype == images.train_labels.dtype == np.uint8


def test_batches_come_in_the_official_order(tmp_path):
    """Whatever the order in an archive, data_batch_1 comes first and test_batch is the test part."""
    names = ["test_batch", "data_batch_3", "data_batch_1"]
    archive(tmp_path / OFFICIAL_ARCHIVE, {f"{FOLDER}/{name}": batch(20, seed=seed) for seed, name in enumerate(names)})
    _, images = load(tmp_path)
    flat = images.train.transpose(0, 3, 1, 2).reshape(-1, 3072)
    np.testing.assert_array_equal(flat, np.concatenate([rows(20, seed=2)[0], rows(20, seed=1)[0]]))
    np.testing.assert_array_equal(images.test[0, 0, 0, 0], rows(20, seed=0)[0][0, 0])


def test_pickles_of_python_2_are_read(tmp_path):
    """The official batches are such: byte strings, and a module that numpy has moved since."""
    data, labels = rows(60)
    unpacked(tmp_path, {"data_batch_1": batch_of_python_2(data, labels), "test_batch": batch(10)})
    _, images = load(tmp_path)
    np.testing.assert_array_equal(images.train.transpose(0, 3, 1, 2).reshape(60, 3072), data)
    assert images.train_labels.tolist() == labels


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch"])
def test_of_a_part_alone_the_last_sixth_of_each_class_is_for_testing(tmp_path, name):
    """A partial copy without test images, or with nothing else, still gives both parts, with no row in both."""
    unpacked(tmp_path, {name: batch(120)})
    found, images = load(tmp_path)
    assert found.variant == "120rows" and "100 training and 20 test images" in found.note
    assert np.bincount(images.train_labels).tolist() == [10] * 10
    assert np.bincount(images.test_labels).tolist() == [2] * 10
    everything = np.concatenate([images.train, images.test]).transpose(0, 3, 1, 2).reshape(120, 3072)
    np.testing.assert_array_equal(everything, rows(120)[0])  # labels come in turn: the last 20 rows are the last two


def test_one_whole_batch_is_named_by_its_rows(tmp_path):
    """A single batch of 10,000 rows is ``10000rows``."""
    data = np.arange(10_000, dtype=np.uint8)[:, np.newaxis].repeat(3072, axis=1)
    contents = pickle.dumps({b"data": data, b"labels": [k % 10 for k in range(10_000)]}, protocol=4)
    unpacked(tmp_path, {"data_batch_1": contents})
    assert CIFAR10.locate(Finder((tmp_path,))).variant == "partial"  # until it is read
    assert load(tmp_path)[0].variant == "10000rows"


def test_a_complete_set_of_other_contents_is_no_official_one(tmp_path):
    """Six whole batches are held against the official sums: nothing else may stand under the plain name."""
    contents = pickle.dumps({b"data": np.zeros((10_000, 3072), np.uint8), b"labels": [*range(10)] * 1_000}, protocol=4)
    unpacked(tmp_path, dict.fromkeys(OFFICIAL, contents))
    assert CIFAR10.locate(Finder((tmp_path,))).variant == ""
    with pytest.raises(DatasetError, match=rf"^{FOLDER}/data_batch_1: expected a complete set to be the official one"):
        load(tmp_path)


def test_a_complete_copy_comes_before_a_partial_one(tmp_path):
    """The official archive beats some unpacked batches, wherever they lie."""
    unpacked(tmp_path / "first" / "cifar10", {"data_batch_1": batch()})
    archive(tmp_path / "second" / "cifar10" / OFFICIAL_ARCHIVE, {f"{FOLDER}/data_batch_1": batch()})
    found = CIFAR10.locate(Finder((tmp_path / "first", tmp_path / "second")))
    assert found.files == (tmp_path / "second" / "cifar10" / OFFICIAL_ARCHIVE,)


def test_an_unfinished_download_is_not_taken(tmp_path):
    """A file that is still arriving is no archive."""
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / f"{OFFICIAL_ARCHIVE}.part").write_bytes(b"\x1f\x8b")
    assert CIFAR10.locate(Finder((tmp_path,))).variant == "standin"


META = {b"label_names": [name.encode() for name in CLASSES]}
BAD_BATCHES = {
    "empty": (b"", "plain arrays; found a damaged one"),
    "truncated": (batch()[:5_000], "plain arrays; found a damaged one"),
    "no pickle": (b"<html>moved</html>", "plain arrays; found a damaged one"),
    "no batch": (pickle.dumps([1, 2], protocol=2), "'data' of n rows of 3,072 unsigned bytes; found NoneType"),
    "no data": (batch(data="none"), "'data' of n rows of 3,072 unsigned bytes; found str"),
    "grey": (batch(data=np.zeros((60, 1024), np.uint8)), r"found uint8 of shape \(60, 1024\)"),
    "float": (batch(data=np.zeros((60, 3072), np.float32)), "found float32 of shape"),
    "no rows": (
        pickle.dumps({b"data": np.zeros((0, 3072), np.uint8), b"labels": []}, protocol=4),
        "1 to 10,000 rows; found 0",
    ),
    "too many rows": (
        pickle.dumps({b"data": np.zeros((10_001, 3072), np.uint8), b"labels": [0] * 10_001}, protocol=4),
        "1 to 10,000 rows; found 10,001",
    ),
    "labels missing": (batch(labels=None), "'labels', a list of 60; found NoneType"),
    "labels of another length": (batch(labels=[1, 2]), "'labels', a list of 60; found 2"),
    "labels of CIFAR-100": (batch(labels=[99] * 60), "labels from 0 to 9"),
    "negative labels": (batch(labels=[-1] * 60), "labels from 0 to 9"),
    "labels of another type": (batch(labels=[0.5] * 60), "labels from 0 to 9"),
    "altered": (bytes(OFFICIAL["data_batch_1"][0]), r"official contents \(md5 c99cafc15224...\); found altered ones"),
    "a class missing": (batch(labels=[0] * 60), "images of all ten classes .* no training image of automobile, bird"),
}


@pytest.mark.parametrize("contents, words", BAD_BATCHES.values(), ids=BAD_BATCHES.keys())
@pytest.mark.parametrize("packed", [False, True])
def test_a_faulty_batch_is_one_clear_line(tmp_path, contents, words, packed):
    """Each fault names the batch, what was expected and what was found, from a folder and from an archive."""
    batches = {"data_batch_1": contents, "test_batch": batch()}
    if packed:
        archive(tmp_path / OFFICIAL_ARCHIVE, {f"{FOLDER}/{name}": part for name, part in batches.items()})
    else:
        unpacked(tmp_path, batches)
    with pytest.raises(DatasetError, match=rf"{OFFICIAL_ARCHIVE if packed else 'data_batch_1'}.*: expected .*{words}"):
        load(tmp_path)


@pytest.mark.parametrize("meta", [{b"label_names": [b"apple", b"aquarium_fish"]}, {}, ["airplane"]])
def test_other_class_names_are_refused(tmp_path, meta):
    """batches.meta of another set, such as CIFAR-100, says so."""
    unpacked(tmp_path, {"data_batch_1": batch(), "batches.meta": pickle.dumps(meta, protocol=2)})
    with pytest.raises(DatasetError, match=rf"^{FOLDER}/batches.meta: expected the classes airplane, automobile"):
        load(tmp_path)


def test_the_official_class_names_are_accepted(tmp_path):
    """batches.meta with the ten names passes."""
    unpacked(tmp_path, {"data_batch_1": batch(), "batches.meta": pickle.dumps(META, protocol=2)})
    assert load(tmp_path)[0].variant == "60rows"


class Command:
    """Pickles as a call that runs a command."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.system, (f"touch '{self.proof}'",)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["data_batch_1", "batches.meta"])
def test_a_pickle_that_would_run_a_command_is_refused(tmp_path, name, packed):
    """The refusal names what the pickle asks for, and nothing runs: neither at its top nor deep inside."""
    proof = tmp_path / "ran"
    evil = batch(filenames=[{"deep": [Command(proof)]}])
    contents = {"data_batch_1": batch(), name: evil}
    if packed:
        archive(tmp_path / "cifar10" / OFFICIAL_ARCHIVE, {f"{FOLDER}/{key}": part for key, part in contents.items()})
    else:
        unpacked(tmp_path, contents)
    with pytest.raises(
        DatasetError, match=rf"{name}: expected a pickle of plain arrays; .* {os.name}.system: it could"
    ):
        load(tmp_path)
    assert not proof.exists()
    pickle.loads(evil)  # the same bytes do run the command where nobody guards
    assert proof.exists()


def test_an_archive_is_read_within_limits(tmp_path):
    """A member that claims to be huge is refused before it is read."""
    path = tmp_path / OFFICIAL_ARCHIVE
    info = tarfile.TarInfo(f"{FOLDER}/data_batch_1")
    info.size = 1 << 40
    path.write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(DatasetError, match=f"{OFFICIAL_ARCHIVE}: expected an archive of at most 335,544,320 bytes"):
        load(tmp_path)


def test_a_huge_batch_file_is_not_read_whole(tmp_path):
    """Nor is a file of a terabyte, though it takes no room on the disk."""
    unpacked(tmp_path, {"data_batch_1": b""})
    os.truncate(tmp_path / FOLDER / "data_batch_1", 1 << 40)
    with pytest.raises(DatasetError, match=f"{FOLDER}/data_batch_1: expected at most 67,108,864 bytes; found more"):
        load(tmp_path)


@pytest.mark.parametrize(
    "contents, words",
    [
        (b"<html>moved</html>", "a whole, readable archive; found one cut short or damaged"),
        (b"", "a whole, readable archive; found one cut short or damaged"),
    ],
)
def test_what_is_no_archive_says_so(tmp_path, contents, words):
    """A saved error page or an empty file under the official name is damage, not a reason for the stand-in."""
    (tmp_path / OFFICIAL_ARCHIVE).write_bytes(contents)
    with pytest.raises(DatasetError, match=f"{OFFICIAL_ARCHIVE}: expected {words}"):
        load(tmp_path)


def test_a_truncated_archive_says_so(tmp_path):
    """Half an archive is no archive."""
    path = tmp_path / OFFICIAL_ARCHIVE
    archive(path, {f"{FOLDER}/data_batch_1": batch(300)})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DatasetError, match=f"{OFFICIAL_ARCHIVE}: expected a whole, readable archive"):
        load(tmp_path)


def test_an_archive_without_batches_says_so(tmp_path):
    """The binary version under the python version's name holds none of the files."""
    archive(tmp_path / OFFICIAL_ARCHIVE, {"cifar-10-batches-bin/data_batch_1.bin": b"0"})
    with pytest.raises(DatasetError, match=f"{OFFICIAL_ARCHIVE}: expected batches such as .* found none"):
        load(tmp_path)


@needs_exact
def test_the_exact_partial_copy_is_4000_rows(tmp_path):
    """The copy in the data folder, alone: 4,000 rows of which the last sixth of each class is for testing."""
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / EXACT.name).symlink_to(EXACT.absolute())
    found, images = load(tmp_path)
    assert found.variant == "4000rows"
    assert (len(images.train), len(images.test)) == (3_331, 669)
    counts = np.bincount(images.train_labels) + np.bincount(images.test_labels)
    assert counts.tolist() == [396, 366, 420, 384, 422, 393, 414, 385, 407, 413]
