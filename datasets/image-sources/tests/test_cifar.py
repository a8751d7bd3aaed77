"""CIFAR-10's source as a whole: the stand-in, and what it takes to list it."""

import subprocess
import sys

import numpy as np
import pytest
from adbench_image_sources import photographs
from adbench_image_sources.cifar import CIFAR10
from adbench_image_sources.cifar_classes import CLASSES
from PIL import Image

from adbench import DatasetError, Finder, Found


@pytest.fixture(scope="module")
def stand_in():
    return CIFAR10.load(CIFAR10.locate(Finder(())))


@pytest.mark.parametrize(
    "code, absent",
    [
        ("import adbench_image_sources.cifar_classes", ("numpy", "PIL", "skimage", "sklearn")),
        (
            "from adbench import Finder; from adbench_image_sources.cifar import CIFAR10; CIFAR10.locate(Finder(()))",
            ("PIL", "skimage", "sklearn", "scipy"),
        ),
    ],
)
def test_looking_loads_no_heavy_library(code, absent):
    """The class names need no array library, and to look for the files needs no image library."""
    code = f"{code}; import sys; sys.exit(any(name in sys.modules for name in {absent}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_files_the_note_says_what_each_class_is():
    """The stand-in's classes bear CIFAR-10's names: the note says which photograph each is, and what to do."""
    found = CIFAR10.locate(Finder(()))
    assert found.variant == "standin"
    assert CIFAR10.describe(found, CIFAR10.load(found)) == found
    assert "'airplane' is astronaut" in found.note and "'truck' is rocket" in found.note
    assert all(f"'{name}' is " in found.note for name in CLASSES)
    assert "put cifar-10-python.tar.gz into cifar10/ of the data folder" in found.note


def test_the_stand_in_is_balanced_distinct_and_the_same_every_time(stand_in):
    """500 training and 100 test crops of each photograph, all different, equal at a second load."""
    assert (stand_in.train.shape, stand_in.test.shape) == ((5_000, 32, 32, 3), (1_000, 32, 32, 3))
    assert stand_in.train.dtype == stand_in.test.dtype == stand_in.train_labels.dtype == np.uint8
    assert np.bincount(stand_in.train_labels).tolist() == [500] * 10
    assert np.bincount(stand_in.test_labels).tolist() == [100] * 10
    assert len({crop.tobytes() for crop in (*stand_in.train, *stand_in.test)}) == 6_000
    again = CIFAR10.load(CIFAR10.locate(Finder(())))
    np.testing.assert_array_equal(again.train, stand_in.train)
    np.testing.assert_array_equal(again.test, stand_in.test)


def test_the_photographs_are_ten_and_crops_are_cut_from_them(stand_in):
    """A class is one photograph: each of its crops stands somewhere in the file."""
    found = CIFAR10.locate(Finder(()))
    assert len({path.name for path in found.files}) == len(photographs.NAMES) == 10
    with Image.open(found.files[1]) as chelsea:  # small enough to be taken as it is
        pixels = np.asarray(chelsea.convert("RGB"))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (32, 32, 3))[:, :, 0]  # (269, 420, 32, 32, 3)
    starts = windows[:, :, 0, :4].reshape(len(windows), -1, 12)
    for crop in stand_in.train[stand_in.train_labels == 1][:20]:
        places = np.argwhere((starts == crop[0, :4].ravel()).all(axis=2))
        assert any(np.array_equal(windows[top, left], crop) for top, left in places)


def stripes(folder, width=400, height=300):
    """Write a picture whose red tells the column, in twos, and return what stands for ten such photographs."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[..., 0] = np.arange(width) // 2
    path = folder / "stripes.png"
    Image.fromarray(pixels).save(path)
    return Found("standin", (path,) * 10, details={"form": "photographs"})


def test_training_and_test_crops_share_no_pixel(tmp_path):
    """Training crops end at three quarters of the width; test crops begin a crop's width later."""
    images = CIFAR10.load(stripes(tmp_path))
    assert images.train[..., 0].max() < 300 / 2
    assert images.test[..., 0].min() >= (300 + 32) / 2
    assert images.train[..., 0].min() < 5 and images.test[..., 0].max() > 190  # each part is used to its ends


@pytest.mark.parametrize(
    "make, found",
    [
        (lambda path: path.write_bytes(b"<html>moved</html>"), "UnidentifiedImageError"),
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "OSError"),
        (lambda path: Image.new("RGB", (400, 300), "navy").save(path), "a flat one"),
        (lambda path: Image.new("RGB", (40, 300)).save(path), "a small one"),
    ],
    ids=["no picture", "truncated", "flat", "small"],
)
def test_a_damaged_photograph_is_named(tmp_path, make, found):
    """A package's file that is not the photograph is named, and how to get it again."""
    stand_in = stripes(tmp_path)
    make(stand_in.files[0])
    with pytest.raises(DatasetError, match=rf"stripes.png: expected a colour photograph; found {found}. Get it again"):
        CIFAR10.load(stand_in)
