"""The layered autoencoder: published sizes, its three scores worked out anew, centroids of training rows."""

import numpy as np
import pytest
import torch
from adbench_torch_autoencoders.layered import LayeredAutoencoder
from adbench_torch_autoencoders.networks import LayeredNetwork
from adbench_torch_training.training import count_parameters

from adbench import UsageError

RNG = np.random.default_rng(0)
SCORES = ("mse", "latent-centroid", "layer-minimum")


def bars(n, height=12, width=12, channels=1):
    """Return images with one bright column each."""
    images = np.zeros((n, height, width, channels), np.float32)
    images[np.arange(n), :, RNG.integers(width, size=n)] = 1
    return images


IMAGES = bars(120)
NOISE = RNG.integers(0, 2, size=(20, 12, 12, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    return LayeredAutoencoder(epochs=15, batch_size=10, learning_rate=3e-3).fit(IMAGES, seed=0)


@pytest.mark.parametrize(("shape", "weights"), [((28, 28, 1), 8_513), ((32, 32, 3), 34_595)])
def test_networks_have_the_published_sizes(shape, weights):
    """8,513 weights for MNIST and 34,595 for CIFAR-10; the centroids are no weights."""
    assert count_parameters(LayeredNetwork(shape, k=5)) == weights


def test_taps_are_the_five_layers():
    """At 28 x 28 their sizes are 32 x 14 x 14, 16 x 7 x 7, 8 x 7 x 7 twice, and 8 x 14 x 14."""
    taps = LayeredNetwork((28, 28, 1), k=2).taps(torch.zeros(3, 28, 28, 1))

    assert [tuple(tap.shape) for tap in taps] == [(3, 6272), (3, 784), (3, 392), (3, 392), (3, 1568)]


@pytest.mark.parametrize("scaled", [True, False])
def test_scores_are_worked_out_anew(scaled):
    """The error in [-1, 1], and distances to the nearest centroid by NumPy, in units of the training median."""
    detector = LayeredAutoencoder(epochs=2, batch_size=10, scaled=scaled).fit(IMAGES, seed=0)
    with torch.inference_mode():
        taps = [tap.numpy() for tap in detector.network_.taps(torch.from_numpy(IMAGES))]
    distances = []
    for number, tap in enumerate(taps):
        centroids = detector.network_.get_buffer(f"centroids_{number}").numpy()
        nearest = np.linalg.norm(tap[:, None] - centroids[None], axis=2).min(1)
        distances.append(nearest / np.median(nearest) if scaled else nearest)
    rebuilt = 2 * detector.reconstruct(IMAGES) - 1

    scores = detector.score(IMAGES)

    assert tuple(scores) == SCORES
    assert scores["mse"] == pytest.approx(np.square(rebuilt - (2 * IMAGES - 1)).mean((1, 2, 3)), rel=1e-4)
    assert scores["latent-centroid"] == pytest.approx(distances[2], rel=1e-3, abs=1e-5)
    assert scores["layer-minimum"] == pytest.approx(np.min(distances, axis=0), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("score", SCORES)
def test_the_sign_of_every_score(score, fitted):
    """Noise scores above images with one bright column."""
    crowd, odd = fitted.score(IMAGES)[score], fitted.score(NOISE)[score]

    assert np.median(odd) > np.quantile(crowd, 0.95)


def test_centroids_are_of_training_rows(fitted):
    """Each lies within the range of the training rows' codes, and every code is near one."""
    with torch.inference_mode():
        codes = fitted.network_.taps(torch.from_numpy(IMAGES))[LayeredNetwork.LATENT].numpy()
    centroids = fitted.network_.get_buffer(f"centroids_{LayeredNetwork.LATENT}").numpy()

    assert (centroids >= codes.min(0) - 1e-4).all() and (centroids <= codes.max(0) + 1e-4).all()
    assert fitted.score(IMAGES)["latent-centroid"].max() < np.linalg.norm(codes - codes.mean(0), axis=1).max()


@pytest.mark.parametrize("n", [1, 3])
def test_fewer_images_than_centroids(n):
    """Some centroids are then twice there, and scores are finite."""
    detector = LayeredAutoencoder(epochs=1, k=5).fit(IMAGES[:n], seed=0)

    assert all(np.isfinite(values).all() for values in detector.score(NOISE).values())


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (13, 10, 2)])
def test_images_of_any_size(shape):
    """Odd and colour images come back in their own shape."""
    images = RNG.random((6, *shape), dtype=np.float32)

    assert LayeredAutoencoder(epochs=1).fit(images, seed=0).reconstruct(images).shape == images.shape


@pytest.mark.parametrize("settings", [{"k": 0}, {"centroid_rows": 0}, {"batch_size": 0}, {"epochs": -1}])
def test_wrong_settings_are_one_line(settings):
    """Each is refused by name."""
    with pytest.raises(UsageError, match=f"'{next(iter(settings))}' must be"):
        LayeredAutoencoder(**settings)
