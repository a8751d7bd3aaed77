"""How much a reconstruction differs from its image: one number a row, averaged over the image's values."""

from __future__ import annotations

from adbench_keras_autoencoders.backend import keras

ops = keras.ops


def squared_error(images, made):
    """Return each row's mean squared error."""
    return ops.mean(ops.square(_flat(images) - _flat(made)), axis=1)  # (n,)


def cross_entropy(images, made):
    """Return each row's mean binary cross-entropy in nats; ``made`` is kept 1e-7 off 0 and 1, as Keras does.

    Spelt out, since the backends' own differ: torch's raises on NaN, TensorFlow's may look behind the sigmoid.
    """
    x, p = _flat(images), ops.clip(_flat(made), 1e-7, 1 - 1e-7)
    return -ops.mean(x * ops.log(p) + (1 - x) * ops.log(1 - p), axis=1)  # (n,)


def divergence(mean, log_var):
    """Return each row's KL divergence of N(mean, exp(log_var)) from N(0, 1), in nats, summed over the code."""
    return -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=1)  # (n,)


def _flat(images):
    return ops.reshape(images, (ops.shape(images)[0], -1))
