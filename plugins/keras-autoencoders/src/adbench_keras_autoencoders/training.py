"""The training loop and the batched evaluation that all networks of this package share."""

from __future__ import annotations

import math

import numpy as np

from adbench import PluginError, log, track
from adbench_keras_autoencoders.backend import keras


def train(network, X, loss, *, optimizer, epochs, batch_size, rng, X_validation=None, first_step=0):
    """Minimise ``loss`` between rows and their reconstructions, and log each epoch's mean.

    Parameters
    ----------
    network : keras.Model
        Its weights are not trainable afterwards.
    X : ndarray of shape (n_samples, height, width, channels)
        Training rows.
    loss : callable
        ``(rows, reconstructions) -> (n,)``; penalties that layers add come on top.
    optimizer : keras.optimizers.Optimizer
        New.
    rng : numpy.random.Generator
        Draws the order of the rows.
    X_validation : ndarray, optional
        Rows whose loss decides which epoch's weights are kept.
    first_step
        Number of the first epoch on the training curve.
    """
    # With XLA, TensorFlow compiles these networks for longer than it trains them; jax is slow without it.
    network.compile(optimizer=optimizer, loss=loss, jit_compile=keras.backend.backend() == "jax")
    # Its variables now, or the first step would be traced twice: once to make them, once to use them.
    optimizer.build(network.trainable_variables)
    kept, least = None, math.inf
    for epoch in track(range(epochs), "epoch"):
        losses = {"loss": np.mean([network.train_on_batch(rows, rows) for rows in _batches(X, batch_size, rng)])}
        if X_validation is not None:
            losses["validation_loss"] = _mean_loss(network, X_validation, batch_size)
        if not all(map(math.isfinite, losses.values())):
            raise PluginError(f"the training loss is no longer finite in epoch {epoch}; is the learning rate too high?")
        log(first_step + epoch, **losses)
        if X_validation is not None and losses["validation_loss"] < least:
            kept, least = network.get_weights(), losses["validation_loss"]
    if kept is not None:
        network.set_weights(kept)
    freeze(network)


def freeze(network):
    """Make a network ready for scoring: with torch, a trainable one records what it computes."""
    network.trainable = False


def evaluate(function, X, batch_size=256):
    """Apply ``function`` to the rows of ``X`` in batches; return its result, or dictionary of results, as arrays.

    Parameters
    ----------
    function : callable
        Takes a batch as a tensor and returns tensors with one entry a row.
    """
    if not len(X):  # TensorFlow cannot pool an empty batch
        return keras.tree.map_structure(lambda array: array[:0], evaluate(function, np.zeros((1, *X.shape[1:]))))
    # Calling a network beats `predict`: there is nothing to trace, and at this size little to save by it.
    parts = [
        keras.tree.map_structure(keras.ops.convert_to_numpy, function(_tensor(X[start : start + batch_size])))
        for start in range(0, len(X), batch_size)
    ]
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)


def hold_out(X, share, rng):
    """Return the rows to train on and those held out: a random ``share``, two at the least, not all."""
    order = rng.permutation(len(X))
    n_held = min(max(2, round(share * len(X))), len(X) - 1)
    return X[order[n_held:]], X[order[:n_held]]


def _batches(X, batch_size, rng):
    """Yield all rows in random order, in batches of one size: another size would be compiled anew.

    Where the rows do not fill the last batch, the first ones of the order come once more.
    """
    size = min(batch_size, max(len(X), 2))  # of one row torch's convolutions give gradients that they then refuse
    order = np.resize(rng.permutation(len(X)), (-(-len(X) // size), size))
    for chosen in order:
        yield np.asarray(X[chosen], np.float32)


def _mean_loss(network, X, batch_size):
    total = 0.0
    for start in range(0, len(X), batch_size):
        rows = np.asarray(X[start : start + batch_size], np.float32)
        total += network.test_on_batch(rows, rows) * len(rows)
    return total / len(X)


def _tensor(rows):
    # A copy: torch warns of arrays it could not write to, such as memory-mapped ones.
    return keras.ops.convert_to_tensor(np.array(rows, np.float32))
