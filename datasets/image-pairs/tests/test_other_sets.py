"""Sets that come as one official file: they decode to images, and a file that is another is refused."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from adbench_image_pairs import other_sets
from PIL import Image
from scipy.io import savemat

from adbench import DataMissing, DatasetError, Finder

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def checked_as(source, path):
    """Return the source with a made-up file's sum in place of the official one."""
    return replace(source, file=replace(source.file, checksum=f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"))


def write_svhn(path):
    savemat(path, {"X": COLOURS.transpose(1, 2, 3, 0), "y": np.ones((5, 1), np.uint8)})


def write_cifar100(path):
    rows = COLOURS.transpose(0, 3, 1, 2).reshape(5, -1)
    with tarfile.open(path, "w:gz") as archive:
        for name in ("train", "test"):
            contents = pickle.dumps({b"data": rows if name == "test" else rows[:1], b"fine_labels": [1] * 5})
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))


@pytest.mark.parametrize("source, write", [(other_sets.SVHN, write_svhn), (other_sets.CIFAR100, write_cifar100)])
def test_colour_sets_decode_to_images(tmp_path, source, write):
    """SVHN's matrix and CIFAR-100's planes become images (n, 32, 32, 3)."""
    path = tmp_path / source.file.path
    path.parent.mkdir()
    write(path)
    mine = checked_as(source, path)
    found = mine.locate(Finder((tmp_path,)))
    assert (found.variant, found.files) == ("", (path,))
    np.testing.assert_array_equal(mine.load_test(found), COLOURS)


def test_omniglot_becomes_white_on_black_of_28_pixels(tmp_path):
    """A black stroke on white paper, 105 x 105, is a white one at the same place; images come in the names' order."""
    path = tmp_path / "omniglot" / "images_evaluation.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for name, row in (("b/character01/0002_01.png", 75), ("a/character01/0001_01.png", 0)):
            drawing, file = np.full((105, 105), 255, np.uint8), io.BytesIO()
            drawing[row : row + 30] = 0
            Image.fromarray(drawing).convert("1").save(file, "PNG")
            archive.writestr(f"images_evaluation/{name}", file.getvalue())
    mine = checked_as(other_sets.OMNIGLOT, path)
    first, second = mine.load_test(mine.locate(Finder((tmp_path,))))
    assert first.shape == (28, 28, 1)
    assert (first[:7] == 255).all() and not first[9:].any()
    assert (second[21:] == 255).all() and not second[:19].any()


def test_notmnist_is_read_as_idx(tmp_path):
    """Its test images come in MNIST's format."""
    path = tmp_path / "notmnist" / "t10k-images-idx3-ubyte.gz"
    path.parent.mkdir()
    pixels = np.arange(10_000 * 784, dtype=np.uint64).astype(np.uint8)
    path.write_bytes(gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 10_000, 28, 28) + pixels.tobytes(), 1))
    images = other_sets.NOTMNIST.load_test(other_sets.NOTMNIST.locate(Finder((tmp_path,))))
    np.testing.assert_array_equal(images, pixels.reshape(-1, 28, 28, 1))


ALL = [other_sets.SVHN, other_sets.CIFAR100, other_sets.OMNIGLOT, other_sets.NOTMNIST]


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.title)
def test_another_file_is_one_line_of_error(tmp_path, source):
    """A web page in place of the file names the file, what was expected and what was found."""
    path = tmp_path / source.file.path
    path.parent.mkdir()
    path.write_bytes(b"<html>moved</html>")
    words = r"official file \(md5 .*found another" if source.file.checksum else "whole, readable file"
    with pytest.raises(DatasetError, match=rf"^{source.file.path}: expected .*{words}.*"):
        source.load_test(source.locate(Finder((tmp_path,))))


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.title)
def test_a_set_without_its_file_is_missing(source):
    """There is no stand-in, and the text says where the file belongs."""
    with pytest.raises(DataMissing, match=f"{source.title} is not on this machine: put {source.file.path} into"):
        source.locate(Finder(()))


def test_a_pickle_that_runs_a_command_is_refused(tmp_path):
    """Even a file of the right sum may ask for nothing but arrays."""

    class Command:
        def __reduce__(self):
            return print, ("ran",)

    path = tmp_path / "cifar-100-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        contents = pickle.dumps({b"data": Command()})
        member = tarfile.TarInfo("cifar-100-python/test")
        member.size = len(contents)
        archive.addfile(member, io.BytesIO(contents))
    mine = checked_as(other_sets.CIFAR100, path)
    with pytest.raises(DatasetError, match=r"asks for builtins\.print"):
        mine.load_test(mine.locate(Finder((tmp_path,))))
