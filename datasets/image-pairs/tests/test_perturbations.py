"""The 14 perturbation sequences: 30 steps each, small ones."""

import numpy as np
import pytest
from adbench_image_pairs.perturbations import KINDS, N_STEPS, perturb

NEUTRAL_AT_15 = ["brightness", "translate", "rotate", "tilt", "shear"]


@pytest.fixture
def few(images):
    return images[:4]


def test_there_are_14_kinds():
    """The reference's list is complete."""
    assert (len(KINDS), N_STEPS) == (14, 30)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_is_30_images(few, kind):
    """Each image has its 30 steps, float32 in [0, 1] on 256 levels, the same for the same seed."""
    made = perturb(few, kind, np.random.default_rng(1))
    assert (made.shape, made.dtype) == ((4, 30, *few.shape[1:]), np.float32)
    assert made.min() >= 0 and made.max() <= 1
    np.testing.assert_allclose(made * 255, np.rint(made * 255), atol=1e-4)
    np.testing.assert_array_equal(made, perturb(few, kind, np.random.default_rng(1)))
    assert len({step.tobytes() for step in made[0]}) > 20  # it moves


@pytest.mark.parametrize("kind", NEUTRAL_AT_15)
def test_the_middle_of_a_two_sided_sequence_is_the_image(few, kind):
    """Angles, shifts and brightness run from -15 to +14: step 15 changes nothing."""
    made = perturb(few, kind, np.random.default_rng(0))
    np.testing.assert_allclose(made[:, 15], few, atol=1e-6)
    assert np.abs(made[:, 0] - few).mean() > np.abs(made[:, 14] - few).mean() > 0


@pytest.mark.parametrize("kind", ["gaussian-noise", "shot-noise", "speckle-noise", "zoom-blur", "gaussian-blur"])
def test_a_growing_sequence_grows(few, kind):
    """Each ten steps lie farther from the image than the ten before."""
    far = np.abs(perturb(few, kind, np.random.default_rng(0)) - few[:, np.newaxis]).mean((0, 2, 3, 4))
    assert far[:10].mean() < far[10:20].mean() < far[20:].mean()


def test_translate_shifts_by_whole_pixels_and_black_comes_in(few):
    """Step 20 lies five pixels to the right."""
    made = perturb(few, "translate", np.random.default_rng(0))[:, 20]
    np.testing.assert_allclose(made[:, :, 5:], few[:, :, :-5], atol=1e-6)
    assert not made[:, :, :5].any()


def test_scale_shrinks_to_two_fifths_about_the_centre():
    """At step 0 a white image is a white square of .4 of its side in the middle, and at step 24 it is whole."""
    made = perturb(np.ones((1, 30, 30, 1), np.float32), "scale", np.random.default_rng(0))[0, ..., 0]
    # Up to the soft edge of one pixel around it.
    assert made[0].sum() == pytest.approx((0.4 * 30) ** 2, rel=0.05)
    np.testing.assert_array_equal(made[0], made[0, ::-1, ::-1])
    np.testing.assert_array_equal(made[24], np.ones((30, 30)))


def test_rotation_is_about_the_centre():
    """At step 0 a point in the middle stays where it is, and another moves by 15 degrees of its circle."""

    def moved(col):
        point = np.zeros((1, 29, 29, 1), np.float32)
        point[0, 14, col] = 1
        light = perturb(point, "rotate", np.random.default_rng(0))[0, 0].ravel()
        return np.average(np.indices((29, 29)).reshape(2, -1), axis=1, weights=light) - 14

    np.testing.assert_allclose(moved(14), 0, atol=1e-6)
    angle = np.deg2rad(-15)
    np.testing.assert_allclose(moved(24), [10 * np.sin(angle), 10 * np.cos(angle)], atol=0.1)


def test_drops_run_down():
    """What was spattered lies lower two steps later."""
    made = perturb(np.zeros((100, 28, 28, 1), np.float32), "spatter", np.random.default_rng(0))
    light = made[..., 0].sum((0, 3))  # (steps, rows)
    height = (light * np.arange(28)).sum(1) / light.sum(1)
    assert height[2] > height[0] + 0.5
