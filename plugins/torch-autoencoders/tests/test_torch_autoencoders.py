"""The autoencoders: shapes, seeds, signs, and that training learns."""

from dataclasses import asdict
from importlib import import_module

import numpy as np
import pytest
import torch
from adbench_torch_autoencoders import adbench_detectors
from adbench_torch_autoencoders.detector import ConvAutoencoder, DenseAutoencoder

from adbench import PluginError, tracking

SPECS = {spec.name: spec for spec in adbench_detectors()}
RNG = np.random.default_rng(0)


def bars(n, height=12, width=12, channels=1):
    """Return images with one bright column each."""
    images = np.zeros((n, height, width, channels), np.float32)
    images[np.arange(n), :, RNG.integers(width, size=n)] = 1
    return images


# A table on a plane in five dimensions.
TABLE = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 5))
IMAGES = bars(200)

CASES = pytest.mark.parametrize(
    ("detector", "X"),
    [
        pytest.param(ConvAutoencoder(epochs=8, width=4, latent=8), IMAGES, id="conv"),
        pytest.param(DenseAutoencoder(epochs=8, hidden=32), TABLE, id="dense"),
    ],
)


@pytest.mark.parametrize("name", SPECS)
def test_spec_can_be_built(name):
    """Every spec's target imports and takes the parameters of each profile."""
    module, target = SPECS[name].target.split(":")

    for params in SPECS[name].params.values():
        assert asdict(getattr(import_module(module), target)(**params))["epochs"] == params["epochs"]


@CASES
def test_noise_scores_above_the_crowd(detector, X):
    """Rows of another kind are rebuilt worse than the training rows."""
    noise = RNG.random(X.shape) * 2

    scores, odd = detector.fit(X, seed=0).score(X), detector.score(noise[:20])

    assert odd.min() > np.quantile(scores, 0.95)
    assert scores.dtype == np.float64 and scores.shape == (len(X),)


@CASES
def test_seed_is_the_only_source_of_randomness(detector, X):
    """The same seed gives the same scores, another gives others, and torch's global stream stays."""
    torch.manual_seed(5)
    untouched = torch.get_rng_state().tolist()

    first, second, other = (detector.fit(X, seed=seed).score(X) for seed in (1, 1, 2))

    assert (first == second).all() and not np.allclose(first, other)
    assert torch.get_rng_state().tolist() == untouched


@CASES
def test_score_is_the_error_of_the_reconstruction(detector, X):
    """The score is the mean squared difference between a row and its reconstruction."""
    detector.fit(X, seed=0)

    rebuilt = detector.reconstruct(X)

    assert rebuilt.shape == X.shape
    assert detector.score(X) == pytest.approx(np.square(rebuilt - X).reshape(len(X), -1).mean(1), rel=1e-4)


@CASES
def test_score_does_not_depend_on_the_batch(detector, X):
    """A row scores the same alone, among others, and on a second call."""
    detector.fit(X, seed=0)
    together = detector.score(X)

    assert [detector.score(X[i : i + 1])[0] for i in range(5)] == pytest.approx(together[:5], rel=1e-4)
    assert (detector.score(X) == together).all()


@CASES
def test_no_rows_give_no_scores(detector, X):
    """An empty test set is scored with an empty array."""
    assert detector.fit(X, seed=0).score(X[:0]).shape == (0,)


@CASES
def test_saved_weights_give_the_same_scores(detector, X, tmp_path):
    """A detector loaded from a folder scores as the one that was saved."""
    expected = detector.fit(X, seed=0).score(X)

    detector.save(tmp_path)
    loaded = type(detector)(**asdict(detector)).load(tmp_path)

    assert (loaded.score(X) == expected).all()


@CASES
def test_training_curve_falls(detector, X, monkeypatch):
    """Each epoch logs its mean loss, which falls, and reports its progress."""
    heard = Listener()
    monkeypatch.setattr(tracking, "_listener", heard)

    detector.fit(X, seed=0)

    assert list(heard.losses) == list(range(8))
    assert heard.steps == list(range(8 * -(-len(X) // detector.batch_size)))
    assert heard.losses[7] < heard.losses[0]


class Listener:
    """Keeps what training reports."""

    def __init__(self):
        self.losses, self.steps = {}, []

    def progress(self, label, done, total):
        self.steps.append(done)

    def log(self, step, values):
        self.losses[step] = values["loss"]


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (5, 7, 2), (1, 1, 1)])
def test_conv_takes_images_of_any_size(shape):
    """Odd and tiny images come back in their own shape."""
    images = RNG.random((6, *shape), dtype=np.float32)

    detector = ConvAutoencoder(epochs=1, width=4, latent=3).fit(images, seed=0)

    assert detector.reconstruct(images).shape == images.shape
    assert detector.embed(images).shape == (6, 3)


@pytest.mark.parametrize(("n_features", "n_code"), [(1, 1), (5, 3), (200, 64)])
def test_dense_code_is_narrower_than_the_row(n_features, n_code):
    """A short row cannot be copied through the code."""
    rows = RNG.normal(size=(4, n_features))

    assert DenseAutoencoder(epochs=1).fit(rows, seed=0).embed(rows).shape == (4, n_code)


def test_dense_separates_points_off_a_plane():
    """Points lifted off the plane of the training rows are nearly all found."""
    normal = np.linalg.svd(TABLE)[2][-1]
    lifted = TABLE[:100] + 2 * normal

    detector = DenseAutoencoder(epochs=15).fit(TABLE, seed=0)

    assert np.median(detector.score(lifted)) > np.quantile(detector.score(TABLE), 0.95)


@CASES
def test_read_only_rows_are_left_alone(detector, X):
    """Memory-mapped data, which cannot be written to, is trained on and scored."""
    frozen = X.copy()
    frozen.flags.writeable = False

    assert (detector.fit(frozen, seed=0).score(frozen) == detector.fit(X, seed=0).score(X)).all()


def test_divergence_is_an_error():
    """A loss that overflows stops training with its epoch, instead of giving NaN scores."""
    with pytest.raises(PluginError, match="no longer finite in epoch 0"):
        DenseAutoencoder(epochs=1).fit(np.full((4, 2), 1e30), seed=0)
