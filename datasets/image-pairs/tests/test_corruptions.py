"""The 19 corruptions: each does what its name says, at five strengths, and the same for the same seed."""

import colorsys
import io
from itertools import pairwise

import numpy as np
import pytest
from adbench_image_pairs import filters
from adbench_image_pairs.corruptions import KINDS, SEVERITIES, corrupt
from PIL import Image

# The published settings do not grow in every step: fog becomes patchier instead of thicker, frost and snow replace
# instead of adding, saturate turns from paling to glowing, spatter from water to mud, and pixelate is kinder
# where its blocks meet the pixels. Elastic changes from bending the image to shaking it.
UNEVEN = {"snow", "frost", "fog", "saturate", "spatter", "pixelate"}
WITHOUT_CHANCE = {
    "defocus-blur", "zoom-blur", "gaussian-blur", "brightness", "contrast", "saturate", "pixelate", "jpeg-compression",
}  # fmt: skip


def rng(seed=0):
    return np.random.default_rng(seed)


def flat(value, n=20, side=28, channels=1):
    return np.full((n, side, side, channels), value, np.float32)


def test_there_are_19_kinds_at_five_severities():
    """The reference's list is complete."""
    assert len(KINDS) == 19
    assert all(len(settings) == len(SEVERITIES) == 5 for _, settings in KINDS.values())


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("kind", KINDS)
def test_corrupted_images_are_images(images, kind, severity):
    """Same shape, float32, in [0, 1], on the 256 levels of normal images; the originals are untouched."""
    before = images.copy()
    made = corrupt(images, kind, severity, rng())
    assert (made.shape, made.dtype) == (images.shape, np.float32)
    assert made.min() >= 0 and made.max() <= 1
    np.testing.assert_allclose(made * 255, np.rint(made * 255), atol=1e-4)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("kind", KINDS)
def test_chance_comes_from_the_seed_alone(grey, kind):
    """Same seed, same images; another seed, others, where there is any chance."""
    first, again, other = (corrupt(grey, kind, 3, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (kind in WITHOUT_CHANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_severity_is_distance_from_the_original(images, kind):
    """The mean absolute difference grows with severity, at least from the first to the last."""
    far = [np.abs(corrupt(images, kind, severity, rng()) - images).mean() for severity in SEVERITIES]
    if kind == "elastic-transform":
        assert far[1] > far[0] and far[4] > far[3] > far[2] > 0.01, far
    elif kind in UNEVEN:
        assert far[4] > far[0], far
    else:
        assert all(a < b for a, b in pairwise(far)), far


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_a_grey_image_has_no_colour_to_saturate(grey, severity):
    """Severities 1 to 3 multiply a saturation of 0: the test set's anomalies equal its normal images."""
    np.testing.assert_array_equal(corrupt(grey, "saturate", severity, rng()), grey)


def test_the_noises_have_their_published_moments():
    """Gaussian: sd .08; shot: variance of a Poisson count of 60; speckle: in proportion, so black stays black."""
    assert corrupt(flat(0.5), "gaussian-noise", 1, rng()).std() == pytest.approx(0.08, rel=0.05)
    assert corrupt(flat(0.5), "shot-noise", 1, rng()).std() == pytest.approx((0.5 / 60) ** 0.5, rel=0.05)
    assert corrupt(flat(0.5), "speckle-noise", 1, rng()).std() == pytest.approx(0.5 * 0.15, rel=0.05)
    assert not corrupt(flat(0), "speckle-noise", 5, rng()).any()


def test_impulse_noise_is_salt_and_pepper():
    """Three pixels in a hundred are black or white, as many of each; the rest is as it was."""
    made = corrupt(flat(128 / 255, n=100), "impulse-noise", 1, rng())
    shares = [(made == value).mean() for value in np.float32([0, 1])]
    assert shares == pytest.approx([0.015, 0.015], rel=0.1)
    assert set(np.unique(made * 255).round()) == {0, 128, 255}


def test_contrast_shrinks_deviations_from_the_mean(grey):
    """At severity 1 by .4, around each image's mean."""
    made = corrupt(grey, "contrast", 1, rng())
    np.testing.assert_allclose(made.mean((1, 2)), grey.mean((1, 2)), atol=0.002)
    np.testing.assert_allclose(made.std((1, 2)), 0.4 * grey.std((1, 2)), atol=0.002)


@pytest.mark.parametrize(
    "kind, change",
    [
        ("brightness", lambda h, s, v: (h, s, min(v + 0.1, 1))),
        ("saturate", lambda h, s, v: (h, 0.3 * s, v)),
    ],
)
def test_colours_change_in_hsv(colour, kind, change):
    """Brightness adds .1 to the value and saturate multiplies the saturation by .3, as Python's own colorsys has it."""
    few = colour[::8, ::4, ::4]
    expected = [colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*map(float, pixel)))) for pixel in few.reshape(-1, 3)]
    made = corrupt(few, kind, 1, rng())
    np.testing.assert_allclose(made.reshape(-1, 3), expected, atol=0.5 / 255 + 1e-5)


def test_brightness_adds_to_grey_levels(grey):
    """A grey image becomes brighter by the same amount everywhere, up to white."""
    np.testing.assert_allclose(corrupt(grey, "brightness", 3, rng()), np.minimum(grey + 0.3, 1), atol=0.51 / 255)


def test_pixelate_averages_blocks(grey):
    """At severity 2, half the size: each block of 2 x 2 pixels has its own mean."""
    made = corrupt(grey, "pixelate", 2, rng())
    blocks = grey.reshape(-1, 14, 2, 14, 2).mean((2, 4))
    np.testing.assert_allclose(made[:, ::2, ::2, 0], blocks, atol=1.01 / 255)
    np.testing.assert_array_equal(made[:, ::2, ::2], made[:, 1::2, 1::2])


def test_jpeg_has_its_published_quality(colour):
    """Severity 5 is quality 7."""
    file = io.BytesIO()
    Image.fromarray(np.rint(colour[0] * 255).astype(np.uint8)).save(file, "JPEG", quality=7)
    expected = np.asarray(Image.open(file)) / np.float32(255)
    np.testing.assert_array_equal(corrupt(colour, "jpeg-compression", 5, rng())[0], expected)


@pytest.mark.parametrize("kind", ["gaussian-blur", "defocus-blur", "zoom-blur", "motion-blur", "glass-blur"])
def test_a_blur_leaves_an_even_image_as_it_is(kind):
    """Weights add up to 1, and nothing dark comes in from outside."""
    np.testing.assert_allclose(corrupt(flat(102 / 255), kind, 5, rng()), flat(102 / 255), atol=1.01 / 255)


def test_a_defocused_point_is_a_disk():
    """The radius at severity 1 is 3 pixels: 29 pixels of equal light."""
    point = np.zeros((1, 29, 29, 1), np.float32)
    point[0, 14, 14] = 1
    made = corrupt(point, "defocus-blur", 1, rng())[0, ..., 0]
    lit = np.argwhere(made > 0)
    assert len(lit) == 29 and np.hypot(*(lit - 14).T).max() == 3
    assert made[made > 0] == pytest.approx(1 / 29, abs=0.5 / 255 + 1e-6)


def test_motion_blurs_along_a_line():
    """A point becomes half a Gaussian, brightest where the point was, at the angle asked for."""
    point = np.zeros((2, 21, 21, 1), np.float32)
    point[:, 10, 10] = 1
    along_row, along_col = filters.motion_blur(point, 6, 2.0, np.array([0.0, 90.0]))[..., 0]
    assert set(np.argwhere(along_row > 0)[:, 0]) == {10} == set(np.argwhere(along_col > 0)[:, 1])
    np.testing.assert_allclose(along_row[10], along_col[:, 10])
    assert along_row.argmax() == point[0].argmax()
    np.testing.assert_allclose(along_row.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(along_row[10, 8] / along_row[10, 10], np.exp(-0.5), rtol=1e-5)


def test_fog_is_a_smooth_cloud_over_the_whole_image():
    """Clouds reach from 0 to 1, and neighbours differ less than strangers."""
    clouds = filters.plasma(50, 32, 2.0, rng())
    np.testing.assert_allclose([clouds.min((1, 2)), clouds.max((1, 2))], [[0] * 50, [1] * 50], atol=1e-6)
    near, far = np.abs(np.diff(clouds, axis=1)).mean(), np.abs(clouds[:, :16] - clouds[:, 16:]).mean()
    assert near < far / 3


def test_frost_is_drawn_as_bright_as_photographs_of_it():
    """Mean between .35 and .8, spread in an image about .1, bluish, another for each image."""
    ice = filters.ice(200, 32, 3, rng())
    means = ice.mean((1, 2, 3))
    assert 0.3 < means.min() < 0.4 and 0.7 < means.max() < 0.85
    assert ice.std((1, 2)).mean() == pytest.approx(0.1, abs=0.02)
    red, green, blue = ice.mean((0, 1, 2))
    assert red < green < blue


@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_image_is_spattered(severity):
    """At the published settings one small image in fifty would get no drop; here each has its own."""
    made = corrupt(flat(0, n=300), "spatter", severity, rng())
    assert made.any((1, 2, 3)).all()
    assert len({image.tobytes() for image in made}) == 300


def test_elastic_bends_and_does_not_repaint():
    """An even image stays even: only places change."""
    np.testing.assert_allclose(corrupt(flat(51 / 255), "elastic-transform", 2, rng()), flat(51 / 255), atol=1e-6)
