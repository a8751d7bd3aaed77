"""The letters that stand in for EMNIST: full size, the same every time, and letters."""

import numpy as np
import pytest
from adbench_image_sources.emnist import EMNIST_LETTERS, OFFICIAL_ROWS
from adbench_image_sources.letters import FONTS, font_files, rendered_letters
from sklearn.neighbors import KNeighborsClassifier

from adbench import Finder


@pytest.fixture(scope="module")
def few():
    return rendered_letters(26 * 220, 26 * 44)


def test_every_font_is_shipped_by_matplotlib():
    """The files are there, each once."""
    assert len(set(FONTS)) == 22
    assert [path.name for path in font_files() if not path.is_file()] == []


def test_each_letter_has_as_many_images_black_around_the_edge(few):
    """26 classes in order; white on black, from 0 to 255, hardly any ink on the outermost pixels, as in EMNIST."""
    assert (few.train.shape, few.test.shape) == ((5_720, 28, 28, 1), (1_144, 28, 28, 1))
    assert few.train.dtype == few.train_labels.dtype == np.uint8
    assert np.bincount(few.train_labels).tolist() == [220] * 26
    assert np.bincount(few.test_labels).tolist() == [44] * 26
    assert (few.train.min(axis=(1, 2, 3)) == 0).all() and (few.train.max(axis=(1, 2, 3)) == 255).all()
    border = np.concatenate([few.train[:, (0, -1)].reshape(-1), few.train[:, :, (0, -1)].reshape(-1)])
    assert border.mean() < 0.02 * 255
    assert 0.10 < (few.train > 127).mean() < 0.22  # EMNIST: .16


def test_letters_are_centred(few):
    """The middle of each letter's box is the image's, but for the bend."""
    for ink in ((few.train[..., 0] > 64).any(axis=2), (few.train[..., 0] > 64).any(axis=1)):
        middle = (ink.argmax(axis=1) + 27 - ink[:, ::-1].argmax(axis=1)) / 2
        assert np.abs(middle - 13.5).mean() < 1 and np.abs(middle - 13.5).max() < 5


def test_the_same_seed_draws_the_same_letters(few):
    """Two runs agree to the bit; another seed draws others."""
    again, other = rendered_letters(26 * 220, 26 * 44), rendered_letters(26 * 44, 0, seed=1)
    np.testing.assert_array_equal(few.train, again.train)
    np.testing.assert_array_equal(few.test, again.test)
    assert not np.array_equal(few.train[:44], other.train[:44])


def test_no_image_stands_twice(few):
    """Each image is bent anew, in both parts."""
    assert len({image.tobytes() for image in (*few.train, *few.test)}) == len(few.train) + len(few.test)


def test_letters_can_be_told_apart(few):
    """Three nearest neighbours name most test letters: chance is 1 in 26."""
    classifier = KNeighborsClassifier(3).fit(few.train.reshape(-1, 784) / 255.0, few.train_labels)
    assert classifier.score(few.test.reshape(-1, 784) / 255.0, few.test_labels) > 0.6


@pytest.mark.slow
def test_the_stand_in_has_the_official_size():
    """4,800 and 800 of each letter."""
    images = EMNIST_LETTERS.load(EMNIST_LETTERS.locate(Finder(())))
    assert {"train": len(images.train), "test": len(images.test)} == OFFICIAL_ROWS
    assert np.bincount(images.train_labels).tolist() == [4_800] * 26
    assert np.bincount(images.test_labels).tolist() == [800] * 26
