"""Training: seeds, batches, curves, validation, and processes that fork."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
from adbench_keras_autoencoders import adbench_detectors, networks
from adbench_keras_autoencoders.backend import keras
from adbench_keras_autoencoders.measures import squared_error
from adbench_keras_autoencoders.plain import DenseAutoencoder
from adbench_keras_autoencoders.training import evaluate, hold_out, train
from adbench_keras_autoencoders.vae import ConvVAE

from adbench import PluginError, tracking

# Keras 3.15 takes arrays out of torch's tensors as NumPy 1 did; the detectors mute it, and these tests look inside.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(0)


def bars(n, size=12):
    """Return images with one bright column each."""
    images = np.zeros((n, size, size, 1), np.float32)
    images[np.arange(n), :, RNG.integers(size, size=n)] = 1
    return images


@pytest.fixture
def heard(monkeypatch):
    """What training reports."""

    class Listener:
        def __init__(self):
            self.curve, self.steps = [], []

        def progress(self, label, done, total):
            self.steps.append((label, done, total))

        def log(self, step, values):
            self.curve.append((step, values))

    listener = Listener()
    monkeypatch.setattr(tracking, "_listener", listener)
    return listener


def test_seed_is_the_only_source_of_randomness():
    """One seed gives the same weights and noise, another others; Python's and NumPy's streams stay."""
    images = bars(30)
    before = global_streams()

    first, second, other = (ConvVAE(epochs=1, latent=3, dropout=0.2).fit(images, seed=seed) for seed in (1, 1, 2))

    assert global_streams() == before
    for same, different, weight in zip(*(d.network_.whole.get_weights() for d in (second, other, first)), strict=True):
        assert (weight == same).all()
        assert weight.size == 1 or not np.array_equal(weight, different)
    assert first.noise_ == second.noise_ != other.noise_


def global_streams():
    _, keys, position, *_ = np.random.get_state(legacy=True)  # noqa: NPY002 - the global stream is what is meant
    return random.getstate(), keys.tolist(), position


def test_training_curve_falls_and_progress_is_told(heard):
    """Each epoch logs its mean loss under its number."""
    DenseAutoencoder(epochs=6, batch_size=8).fit(bars(200), seed=0)

    assert [step for step, _ in heard.curve] == list(range(6))
    assert heard.steps == [("epoch", done, 6) for done in range(6)]
    assert heard.curve[-1][1]["loss"] < heard.curve[0][1]["loss"] / 2


@pytest.mark.parametrize(("n_rows", "batch_size", "n_batches", "size"), [(10, 4, 3, 4), (3, 8, 1, 3), (1, 8, 1, 2)])
def test_every_epoch_sees_every_row_in_batches_of_one_size(n_rows, batch_size, n_batches, size, monkeypatch):
    """A last batch that rows do not fill takes the first ones once more; fewer rows than a batch are one batch,
    of two at the least."""
    network = networks.dense((2, 2, 1), np.random.default_rng(0)).whole
    seen = []
    monkeypatch.setattr(network, "train_on_batch", lambda rows, _: seen.append(rows[:, 0, 0, 0]) or 0.0)
    rows = np.arange(4.0 * n_rows).reshape(n_rows, 2, 2, 1)

    fit(network, rows, epochs=2, batch_size=batch_size)

    assert [len(batch) for batch in seen] == [size] * n_batches * 2
    for epoch in (seen[:n_batches], seen[n_batches:]):
        assert set(np.concatenate(epoch)) == set(rows[:, 0, 0, 0])
    assert n_rows == 1 or not np.array_equal(seen[:n_batches], seen[n_batches:])


def test_weights_of_the_best_validation_loss_are_kept(heard):
    """After epochs that made it worse, the network has the least validation loss that was logged."""
    # Bars with a band beside them: they are rebuilt better at first, and worse once the band is known to be dark.
    images, validation = bars(40), np.maximum(bars(20), np.arange(12)[:, None] < 4).astype(np.float32)
    network = networks.dense((12, 12, 1), np.random.default_rng(0)).whole

    fit(network, images, epochs=12, batch_size=8, X_validation=validation)

    losses = [values["validation_loss"] for _, values in heard.curve]
    kept = evaluate(lambda rows: squared_error(rows, network(rows)), validation).mean()
    assert losses[-1] > 1.02 * min(losses)
    assert kept == pytest.approx(min(losses), rel=1e-4)


def test_validation_takes_part_in_a_detectors_training(heard):
    """``validation_share`` rows are held out, and their loss is logged beside the training rows'."""
    ConvVAE(epochs=2, latent=2, validation_share=0.2).fit(bars(20), seed=0)

    assert [sorted(values) for _, values in heard.curve] == [["loss", "validation_loss"]] * 2


@pytest.mark.parametrize(("n_rows", "share", "n_held"), [(100, 0.1, 10), (4, 0.1, 2), (3, 0.01, 2), (3, 0.99, 2)])
def test_rows_held_out_are_not_trained_on(n_rows, share, n_held):
    """The two parts are all rows, each once; at least two are held out, for a deviation, and one is left."""
    rows = np.arange(n_rows)

    trained, held = hold_out(rows, share, np.random.default_rng(0))

    assert len(held) == n_held
    assert sorted([*trained, *held]) == rows.tolist()


def test_divergence_is_an_error():
    """A loss that is no longer finite stops training, instead of giving NaN scores."""
    with pytest.raises(PluginError, match="no longer finite in epoch 0"):
        ConvVAE(epochs=1, latent=2, learning_rate=1e30, batch_size=4).fit(bars(20), seed=0)


def fit(network, rows, *, learning_rate=1e-3, **options):
    optimizer = keras.optimizers.Adam(learning_rate)
    train(network, rows, squared_error, optimizer=optimizer, rng=np.random.default_rng(0), **options)


# As the harness pins them; the last one keeps pyarrow, which pandas loads, from starting a thread.
PINNED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
PRELOAD = sorted({module for spec in adbench_detectors() for module in spec.preload})


@pytest.mark.slow
def test_preloads_start_no_thread_and_a_fork_can_train():
    """A host may fork after importing the preload modules: they leave it single-threaded, and children work."""
    code = f"""
import os, {", ".join(PRELOAD)}
print(len(os.listdir("/proc/self/task")), flush=True)
if (child := os.fork()) == 0:
    import numpy as np
    X = np.random.default_rng(0).random((8, 12, 12, 1), dtype=np.float32)
    scores = adbench_keras_autoencoders.plain.ConvAutoencoder(epochs=1).fit(X, seed=0).score(X)["mse"]
    print(np.isfinite(scores).sum(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **PINNED}, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["1", "8"]
