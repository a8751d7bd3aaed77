"""The floors: what each of them knows, and no more."""

import io
import struct
import zlib

import numpy as np
import pytest
from adbench_baselines import floors
from adbench_baselines.floors import ConstantScores, ImageComplexity, MeanDistance, PixelEnergy, RandomScores

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


def complexity(images):
    return ImageComplexity().fit(images, seed=0).score(images)


def test_complexity_rises_with_what_there_is_to_say():
    """A black image needs least, then a ramp, then a ramp with one stroke, then noise: more than 8 bits a number."""
    ramp = np.tile(np.linspace(0, 1, 28, dtype=np.float32), (28, 1))
    stroke = np.where(np.eye(28, dtype=bool), np.float32(1), ramp)
    noise = np.random.default_rng(0).random((28, 28), dtype=np.float32)

    scores = complexity(np.stack([0 * ramp, ramp, stroke, noise])[..., None])

    assert (np.diff(scores) > 0).all()
    assert scores[0] < 0.3 and scores[-1] > 8


@pytest.mark.parametrize("channels", [1, 3])
def test_complexity_is_that_of_a_png_file(channels):
    """The filtered bytes are those that Pillow writes: each PNG line with Paeth's predictor decodes to the image."""
    images = np.random.default_rng(1).integers(0, 256, (1, 9, 7, channels), dtype=np.uint8)
    filtered = floors._paeth_filtered(images)[0]
    lines = b"".join(b"\x04" + line.tobytes() for line in filtered)  # 4: Paeth
    colour = 0 if channels == 1 else 2
    header = struct.pack(">IIBBBBB", 7, 9, 8, colour, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    )

    decoded = np.asarray(pytest.importorskip("PIL.Image").open(io.BytesIO(file))).reshape(9, 7, channels)

    assert (decoded == images[0]).all()


def test_complexity_is_blind_to_what_a_display_clips():
    """Values beyond [0, 1] count as 0 and 1, and differences below a grey level not at all."""
    images = np.random.default_rng(2).integers(0, 2, (3, 8, 8, 1)).astype(np.float32)

    assert (complexity(images * 3 - 1) == complexity(images)).all()
    assert (complexity(images * 0.999 + 0.0005) == complexity(images)).all()
