"""Scores and losses against the same formulas in NumPy."""

import numpy as np
import pytest
from adbench_keras_autoencoders.backend import keras
from adbench_keras_autoencoders.cnn import CnnShallow
from adbench_keras_autoencoders.plain import ConvAutoencoder, DenseAutoencoder
from adbench_keras_autoencoders.vae import ConvVAE

# Keras 3.15 takes arrays out of torch's tensors as NumPy 1 did; the detectors mute it, and these tests look inside.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(0)
IMAGES = RNG.random((40, 12, 10, 1), dtype=np.float32)
IMAGES[:5] = 0  # targets at the ends, where a cross-entropy is largest
IMAGES[5:9] = 1


def cross_entropy(images, made):
    p = np.clip(made.astype(np.float64), 1e-7, 1 - 1e-7)
    return -(images * np.log(p) + (1 - images) * np.log(1 - p)).reshape(len(images), -1).mean(1)


def squared_error(images, made):
    return np.square(images - made.astype(np.float64)).reshape(len(images), -1).mean(1)


@pytest.mark.parametrize("make", [DenseAutoencoder, ConvAutoencoder])
def test_mse_is_the_mean_squared_error_of_the_reconstruction(make):
    """Over all values of an image."""
    detector = make(epochs=1).fit(IMAGES, seed=0)

    assert detector.score(IMAGES)["mse"] == pytest.approx(squared_error(IMAGES, detector.reconstruct(IMAGES)), rel=1e-5)


def test_bce_is_the_mean_cross_entropy_of_the_reconstruction():
    """Over all values of an image, in nats."""
    detector = CnnShallow(epochs=1).fit(IMAGES, seed=0)

    assert detector.score(IMAGES)["bce"] == pytest.approx(cross_entropy(IMAGES, detector.reconstruct(IMAGES)), rel=1e-5)


def test_abs_z_is_measured_on_rows_that_were_not_trained_on():
    """It is the distance of ``bce`` from the mean of the held-out rows, in their deviations, either way."""
    detector = CnnShallow(epochs=1, held_out_share=0.25).fit(IMAGES, seed=3)
    held_out = IMAGES[np.random.default_rng(3).permutation(40)[:10]]

    errors = detector.score(held_out)["bce"]
    scores = detector.score(IMAGES)

    assert (detector.mean_, detector.deviation_) == pytest.approx((errors.mean(), errors.std()), rel=1e-5)
    assert scores["abs_z"] == pytest.approx(np.abs(scores["bce"] - errors.mean()) / errors.std(), rel=1e-4)


@pytest.mark.parametrize(("sampler", "factor"), [("exp_half_logvar", 0.5), ("exp_logvar", 1.0)])
def test_vae_scores_one_draw_with_the_divergence_it_was_drawn_from(sampler, factor):
    """``mse`` and ``elbo`` are of mean + scale * noise; the divergence is that of N(mean, scale) from N(0, 1)."""
    detector = ConvVAE(epochs=1, latent=3, sampler=sampler).fit(IMAGES, seed=0)
    mean, log_var = (np.asarray(keras.ops.convert_to_numpy(part)) for part in detector.network_.encode(IMAGES))
    scale = np.exp(factor * log_var)

    made = keras.ops.convert_to_numpy(detector.network_.decode(mean + scale * np.array(detector.noise_, np.float32)))
    scores = detector.score(IMAGES)
    divergence = 0.5 * (mean**2 + scale**2 - 1 - 2 * np.log(scale)).sum(1)

    assert np.std(log_var) > 0 and len(detector.noise_) == 3
    assert tuple(scores) == ("mse", "elbo")
    assert detector.reconstruct(IMAGES) == pytest.approx(made, abs=1e-6)
    assert scores["mse"] == pytest.approx(squared_error(IMAGES, made), rel=1e-4)
    assert scores["elbo"] == pytest.approx(120 * cross_entropy(IMAGES, made) + divergence, rel=1e-4)
    assert detector.embed(IMAGES) == pytest.approx(mean, abs=1e-6)


def test_plain_twin_has_no_noise_and_no_divergence():
    """With ``variational=False``, ``elbo`` is the summed cross-entropy of what the linear code decodes to."""
    detector = ConvVAE(epochs=1, latent=3, variational=False).fit(IMAGES, seed=0)

    made = keras.ops.convert_to_numpy(detector.network_.whole(IMAGES))

    assert detector.reconstruct(IMAGES) == pytest.approx(made, abs=1e-6)
    assert detector.score(IMAGES)["elbo"] == pytest.approx(120 * cross_entropy(IMAGES, made), rel=1e-4)
    assert detector.embed(IMAGES).min() < 0  # linear


@pytest.mark.parametrize("sampler", ["exp_half_logvar", "exp_logvar"])
def test_vae_trains_on_the_references_loss(sampler):
    """Values of an image x mean cross-entropy + mean KL divergence of exp(log_var), whatever the sampler, + L2."""
    detector = ConvVAE(epochs=1, latent=3, l2=0.01, sampler=sampler).fit(IMAGES, seed=0)
    whole, encode, decode = detector.network_
    # A deviation of almost 0 makes the draw the mean, and so the loss a known number.
    next(weight for weight in encode.weights[::-1] if weight.path.endswith("bias")).assign(np.full(3, -60.0))
    mean, log_var = (np.asarray(keras.ops.convert_to_numpy(part), np.float64) for part in encode(IMAGES))
    made = keras.ops.convert_to_numpy(decode(mean.astype(np.float32)))
    penalised = [weight.numpy() for weight in whole.weights if weight.regularizer is not None]

    whole.trainable = True  # as in training: Keras penalises nothing else
    loss = whole.test_on_batch(IMAGES, IMAGES)

    divergence = -0.5 * (1 + log_var - mean**2 - np.exp(log_var)).sum(1)
    penalty = 0.01 * sum(np.square(kernel).sum() for kernel in penalised)
    expected = 120 * cross_entropy(IMAGES, made).mean() + divergence.mean() + penalty
    assert log_var.max() < -40 and len(penalised) == 14 and penalty > 1
    assert loss == pytest.approx(expected, rel=1e-4)
