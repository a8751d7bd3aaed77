"""EMNIST-Letters: which copy is found, how it is read, and what a faulty one says."""

import gzip
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from adbench_image_sources.emnist import OFFICIAL_ROWS, EmnistLetters
from adbench_image_sources.letters import FONTS

from adbench import DatasetError, Finder

LETTERS = EmnistLetters(archive_checksum="")  # archives made here are not the official one
DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
TEST_IMAGES, TEST_LABELS = "emnist-letters-test-images-idx3-ubyte", "emnist-letters-test-labels-idx1-ubyte"
TRAIN_IMAGES, TRAIN_LABELS = TEST_IMAGES.replace("test", "train"), TEST_LABELS.replace("test", "train")
needs_copy = pytest.mark.skipif(
    not (DATA / "emnist" / f"{TEST_IMAGES}.gz").is_file(), reason="needs the letters' test files in ADBENCH_DATA"
)


def idx(values):
    values = np.asarray(values, dtype=np.uint8)
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def letters(n):
    """The images and labels of a made-up part: image i holds i, its first pixel row the place in it; a to z in turn."""
    images = np.repeat(np.arange(n, dtype=np.uint8), 784).reshape(n, 28, 28)
    images[:, 0, :] = np.arange(28)
    return images, np.arange(n) % 26 + 1


def put(folder, name, contents):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(gzip.compress(contents, 1) if name.endswith(".gz") else contents)


def put_part(folder, part, n, suffix=".gz"):
    images, labels = letters(n)
    put(folder, TEST_IMAGES.replace("test", part) + suffix, idx(images))
    put(folder, TEST_LABELS.replace("test", part) + suffix, idx(labels))


def locate(folder):
    return LETTERS.locate(Finder((folder,)))


@pytest.fixture(scope="module")
def official():
    """All four files at their official sizes, packed: every image black but for one pixel of its last column."""
    files = {}
    for part, n in OFFICIAL_ROWS.items():
        images = np.zeros((n, 28, 28), np.uint8)
        images[:, 27, 0] = 255
        files[f"emnist-letters-{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(images), 1)
        files[f"emnist-letters-{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(np.arange(n) % 26 + 1), 1)
    return files


def put_archive(folder, members):
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)


@pytest.mark.parametrize("suffix", [".gz", ""])
@pytest.mark.parametrize("folder", ["emnist", "EMNIST/raw", "emnist/gzip"])
def test_a_copy_is_found_wherever_it_is_usual(tmp_path, folder, suffix):
    """NIST's names, in a folder of ours or torchvision's, packed or not."""
    put_part(tmp_path / folder, "test", 30, suffix)
    found = locate(tmp_path)
    assert (found.variant, found.details) == ("30rows", {"train": 0, "test": 30})
    assert "0 of 124,800 training images, 30 of 20,800 test images" in found.note
    assert "gzip.zip" in found.note


def test_both_parts_count_in_the_variant(tmp_path):
    """A copy with fewer images of both parts is named by their sum."""
    put_part(tmp_path / "emnist", "train", 52)
    put_part(tmp_path / "emnist", "test", 30)
    images = LETTERS.load(locate(tmp_path))
    assert locate(tmp_path).variant == "82rows"
    assert (len(images.train), len(images.train_labels), len(images.test)) == (52, 52, 30)


def test_images_are_turned_upright_and_letters_count_from_0(tmp_path):
    """What the file has as a row is a column of the letter; label 1 is class 0, A."""
    put_part(tmp_path / "emnist", "test", 30)
    images = LETTERS.load(locate(tmp_path))
    assert images.test.shape == (30, 28, 28, 1) and images.test.dtype == np.uint8
    np.testing.assert_array_equal(images.test[5, :, 0, 0], np.arange(28))
    assert (images.test[5, :, 1:] == 5).all()
    assert images.test_labels[:3].tolist() == [0, 1, 2] and images.test_labels.max() == 25
    assert images.train.shape == (0, 28, 28, 1) and images.train_labels.shape == (0,)


def test_without_files_there_is_the_stand_in(tmp_path):
    """The note says what it is and how to get the letters; other files of EMNIST do not count, nor do labels aside."""
    put(tmp_path / "emnist", "emnist-mnist-test-images-idx3-ubyte.gz", b"")
    put(tmp_path / "emnist" / "official_full_labels", f"{TRAIN_LABELS}.gz", b"")
    found = locate(tmp_path)
    assert (found.variant, len(found.files)) == ("standin", len(FONTS))
    assert "fonts that matplotlib ships" in found.note and "gzip.zip into emnist/" in found.note


def test_the_official_files_load_alone_and_from_the_archive(tmp_path, official):
    """The four files and the archive that holds them are both the complete set, and equal."""
    loaded = []
    for folder, members in (("files", None), ("archive", {f"gzip/{name}": data for name, data in official.items()})):
        place = tmp_path / folder / "emnist"
        if members:
            put_archive(place, {"gzip/emnist-digits-train-images-idx3-ubyte.gz": b"not read", **members})
        else:
            place.mkdir(parents=True)
            for name, data in official.items():
                (place / name).write_bytes(data)
        found = locate(tmp_path / folder)
        assert found.variant == ""
        loaded.append(LETTERS.load(found))
    assert [len(images.train) for images in loaded] == [124_800] * 2
    assert [len(images.test) for images in loaded] == [20_800] * 2
    assert np.bincount(loaded[1].train_labels).tolist() == [4_800] * 26
    assert (loaded[0].test[:, 0, 27] == 255).all()
    np.testing.assert_array_equal(loaded[0].train_labels, loaded[1].train_labels)
    np.testing.assert_array_equal(loaded[0].train, loaded[1].train)


def test_the_archive_is_better_than_a_part(tmp_path, official):
    """A fetched archive is taken even where a partial copy lies beside it."""
    put_part(tmp_path / "mine" / "emnist", "test", 30)
    put_archive(tmp_path / "cache" / "emnist", {})
    found = LETTERS.locate(Finder((tmp_path / "mine", tmp_path / "cache")))
    assert (found.variant, found.files[0].name) == ("", "gzip.zip")


IMAGES, LABELS = (idx(values) for values in letters(30))
BAD_PARTS = {
    "missing labels": ({TEST_IMAGES: IMAGES}, "expected .*test-labels.*.gz beside .*test-images.* it is missing"),
    "missing images": ({TRAIN_LABELS: LABELS}, "expected .*train-images.*.gz beside .*train-labels"),
    "fewer labels": (
        {TEST_IMAGES: IMAGES, TEST_LABELS: idx(np.ones(29))},
        "test-labels.*: expected shape 30; found 29",
    ),
    "label 0": ({TEST_IMAGES: IMAGES, TEST_LABELS: idx(np.arange(30) % 26)}, "labels from 1 to 26; found 0"),
    "label 27": ({TEST_IMAGES: IMAGES, TEST_LABELS: idx(np.full(30, 27))}, "values from 0 to 26; found 27"),
    "cut short": ({TEST_IMAGES: IMAGES[:-9], TEST_LABELS: LABELS}, "test-images.*23,520 bytes .*; found 23,511"),
    "goes on": ({TEST_IMAGES: IMAGES + b"x", TEST_LABELS: LABELS}, "test-images.*; found more than 23,520"),
    "wrong format": (
        {TEST_IMAGES: b"<html>", TEST_LABELS: LABELS},
        "test-images.* begins with 00000803; found 3c68746d",
    ),
    "empty": ({TEST_IMAGES: b"", TEST_LABELS: LABELS}, "test-images.*; found an empty file"),
    "wrong shape": ({TEST_IMAGES: idx(np.ones((30, 32, 32))), TEST_LABELS: LABELS}, "30 x 28 x 28; found 30 x 32 x 32"),
    "no images": ({TEST_IMAGES: idx(np.ones((0, 28, 28))), TEST_LABELS: LABELS}, "20,800 x 28 x 28; found 0 x 28 x 28"),
    "countless": (
        {TEST_IMAGES: struct.pack(">HBB3I", 0, 8, 3, 4_000_000_000, 28, 28), TEST_LABELS: LABELS},
        "20,800 x 28 x 28; found 4,000,000,000 x 28 x 28",
    ),
}


@pytest.mark.parametrize("fault", BAD_PARTS)
def test_a_faulty_part_is_named_with_what_was_expected_and_found(tmp_path, fault):
    """A file that is there but wrong is one line, never a stand-in."""
    files, words = BAD_PARTS[fault]
    for name, contents in files.items():
        put(tmp_path / "emnist", f"{name}.gz", contents)
    with pytest.raises(DatasetError, match=words) as caught:
        LETTERS.load(locate(tmp_path))
    assert "emnist/" in str(caught.value) and "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("keep", [5, 40], ids=["in the header", "in the pixels"])
def test_a_truncated_gz_is_named(tmp_path, keep):
    """Wherever the packed file breaks off, its name and the reason come out."""
    put_part(tmp_path / "emnist", "test", 30)
    path = tmp_path / "emnist" / f"{TEST_IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=rf"^emnist/{TEST_IMAGES}.gz: expected a whole, readable file"):
        LETTERS.load(locate(tmp_path))


def test_altered_labels_of_an_official_file_are_told(tmp_path, official):
    """The official parts have as many of each letter."""
    labels = np.arange(20_800) % 26 + 1
    labels[0] = 2
    altered = {**official, f"{TEST_LABELS}.gz": gzip.compress(idx(labels))}
    for name, contents in altered.items():
        (tmp_path / "emnist").mkdir(exist_ok=True)
        (tmp_path / "emnist" / name).write_bytes(contents)
    with pytest.raises(DatasetError, match=f"emnist/{TEST_LABELS}.gz: expected 800 of each letter; found 799 to 801"):
        LETTERS.load(locate(tmp_path))


BAD_ARCHIVES = {
    "no members": ({"gzip/readme.txt": b""}, f"emnist/gzip.zip: .*none of the name {TEST_IMAGES}.gz .and 3 more"),
    "cut short": ({f"gzip/{TEST_IMAGES}.gz": bytes(99_999)}, "emnist/gzip.zip: expected a whole, readable archive"),
    "a bomb": ({f"gzip/{TRAIN_IMAGES}.gz": bytes((128 << 20) + 1)}, "at most 134,217,728 bytes, unpacked"),
    "a way out": ({f"../{TEST_IMAGES}.gz": b""}, "a path that leads out of the archive"),
}


@pytest.mark.parametrize("fault", BAD_ARCHIVES)
def test_a_faulty_archive_is_named(tmp_path, fault):
    """An archive that is no EMNIST stops the load with one line, in bounded memory."""
    members, words = BAD_ARCHIVES[fault]
    path = tmp_path / "emnist" / "gzip.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    if fault == "cut short":
        path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DatasetError, match=words) as caught:
        LETTERS.load(locate(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_faulty_member_is_named_with_its_archive(tmp_path, official):
    """A member is checked as the file would be."""
    members = {**official, f"{TEST_LABELS}.gz": gzip.compress(idx(np.zeros(20_800)))}
    put_archive(tmp_path / "emnist", {f"gzip/{name}": contents for name, contents in members.items()})
    with pytest.raises(DatasetError, match=f"^gzip.zip/{TEST_LABELS}.gz: expected labels from 1 to 26; found 0"):
        LETTERS.load(locate(tmp_path))


@needs_copy
def test_the_copy_at_hand_is_named_by_its_rows_and_holds_the_letters_it_says():
    """A to L have 800 test images each, M has 400, and each letter spans the grey levels."""
    found = locate(DATA)
    assert found.variant == "10000rows"
    images = LETTERS.load(found)
    assert np.bincount(images.test_labels).tolist() == [800] * 12 + [400]
    assert (len(images.train), images.test.shape) == (0, (10_000, 28, 28, 1))
    assert (images.test.min(axis=(1, 2, 3)) == 0).all() and (images.test.max(axis=(1, 2, 3)) == 255).all()


@needs_copy
def test_letters_of_the_copy_stand_upright():
    """A stem of an L or an I runs down: its ink is taller than wide, on the whole."""
    images = LETTERS.load(locate(DATA))
    upright = images.test[np.isin(images.test_labels, (8, 11))][..., 0] > 127
    height, width = upright.any(axis=2).sum(axis=1), upright.any(axis=1).sum(axis=1)
    assert (height > width).mean() > 0.9


def test_another_archive_of_that_name_is_refused(tmp_path):
    """The archive is held against its published checksum before it is read."""
    (tmp_path / "emnist").mkdir()
    (tmp_path / "emnist" / "gzip.zip").write_bytes(b"PK")
    source = EmnistLetters()
    with pytest.raises(DatasetError, match=r"emnist/gzip.zip: expected the official file \(md5 58c8d27c78d2"):
        source.load(source.locate(Finder((tmp_path,))))
