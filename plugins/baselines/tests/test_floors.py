"""The floors: what each of them knows, and no more."""

import numpy as np
import pytest
from adbench_baselines.floors import ConstantScores, MeanDistance, PixelEnergy, RandomScores

ROWS = np.random.default_rng(0).normal(size=(2000, 3))


def test_random_scores_are_uniform():
    """Random scores fill [0, 1) evenly."""
    scores = RandomScores().fit(ROWS, seed=0).score(ROWS)

    assert scores.min() >= 0 and scores.max() < 1
    assert np.histogram(scores, bins=4, range=(0, 1))[0] == pytest.approx([500] * 4, rel=0.15)


def test_random_score_belongs_to_the_row():
    """A random score depends on the row and the seed, not on the batch or the order."""
    floor = RandomScores().fit(ROWS, seed=3)

    assert (floor.score(ROWS[::-1])[:5] == floor.score(ROWS)[::-1][:5]).all()
    assert (floor.score(ROWS[7:8]) == floor.score(ROWS)[7]).all()
    assert (floor.score(ROWS) != RandomScores().fit(ROWS, seed=4).score(ROWS)).all()


def test_random_scores_know_equal_rows_of_a_strided_array():
    """A row's number comes from its values, however the array is laid out in memory."""
    floor = RandomScores().fit(ROWS, seed=0)

    assert (floor.score(np.asfortranarray(ROWS)) == floor.score(ROWS)).all()


def test_constant_scores_are_equal():
    """The constant floor tells no two rows apart."""
    assert set(ConstantScores().fit(ROWS, seed=0).score(ROWS)) == {0.0}


@pytest.mark.parametrize("shape", [(2,), (1, 2, 1)])
def test_mean_distance_is_euclidean(shape):
    """Around the mean (1, 0), the point (4, 4) lies at distance 5, as a row and as an image."""
    train = np.array([[0.0, 0.0], [2.0, 0.0]]).reshape(-1, *shape)

    scores = MeanDistance().fit(train, seed=0).score(np.array([[4.0, 4.0], [1.0, 0.0]]).reshape(-1, *shape))

    assert scores == pytest.approx([5, 0])


def test_pixel_energy_is_the_mean_square():
    """An image of pixels 0 and 1/2 in equal parts has energy 1/8."""
    image = np.tile(np.float32([0, 0.5]), 8).reshape(1, 4, 4, 1)

    assert PixelEnergy().fit(image, seed=0).score(image) == pytest.approx([0.125])
