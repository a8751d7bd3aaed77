"""The networks: layers only. Images are channels last and of any size.

Each network of a reference has exactly its layers at 28 x 28. Pooling rounds up, so that other sizes
come out of the decoder equal or too large; what is too much on the right and below is cut off.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adbench_keras_autoencoders.backend import keras
from adbench_keras_autoencoders.measures import divergence

layers = keras.layers


class Network(NamedTuple):
    """An autoencoder: the model that is trained, and its parts.

    ``encode`` gives the code, of a variational network ``(mean, log_var)``; ``decode`` is None where
    nothing but the whole is needed.
    """

    whole: Any
    encode: Any
    decode: Any = None


class Layers:
    """Makes layers as the references have them: 3 x 3 kernels, ReLU, ``same`` padding.

    Parameters
    ----------
    rng
        Seeds the initial weights (Glorot's uniform, as Keras' own default) and dropout.
    l2
        Penalty on the squared weights of layers that are ``penalised``.
    dropout
        Share of values that ``dropout()`` sets to 0 in training.
    """

    def __init__(self, rng, l2=0.0, dropout=0.0):
        self.rng, self.l2, self.rate = rng, l2, dropout

    def seed(self):
        """Return a seed of its own for the next layer: without one Keras draws from Python's global stream."""
        return int(self.rng.integers(2**31))

    def conv(self, filters, activation="relu", padding="same", penalised=False, kind=layers.Conv2D):
        """Return a convolution."""
        return kind(filters, 3, activation=activation, padding=padding, **self._kernel(penalised))

    def conv_transposed(self, filters, padding="same", penalised=False):
        """Return a transposed convolution; ``valid`` padding adds 2 to height and width."""
        return self.conv(filters, padding=padding, penalised=penalised, kind=layers.Conv2DTranspose)

    def dense(self, units, activation="relu", penalised=False):
        """Return a dense layer."""
        return layers.Dense(units, activation=activation, **self._kernel(penalised))

    def dropout(self):
        """Return a dropout layer."""
        return layers.Dropout(self.rate, seed=self.seed())

    def _kernel(self, penalised):
        return {
            "kernel_initializer": keras.initializers.GlorotUniform(self.seed()),
            "kernel_regularizer": keras.regularizers.L2(self.l2) if penalised and self.l2 else None,
        }


def dense(shape, rng, hidden=()):
    """Flattened image -> ``hidden`` units -> 64 -> ``hidden`` reversed -> image, sigmoid output."""
    make, images = Layers(rng), keras.Input(shape)
    code = chain(layers.Flatten()(images), *map(make.dense, (*hidden, 64)))
    flat = chain(code, *map(make.dense, hidden[::-1]), make.dense(shape[0] * shape[1] * shape[2], "sigmoid"))
    return _network(images, code, layers.Reshape(shape)(flat))


def conv(shape, rng):
    """Convolutions of 32, 16 and 8 filters with two poolings, and their mirror image."""
    make, images = Layers(rng), keras.Input(shape)
    code = chain(images, make.conv(32), pool(), make.conv(16), pool(), make.conv(8))  # (n, h/4, w/4, 8)
    made = chain(code, up(), make.conv(16), up(), make.conv(32), make.conv(shape[2], "sigmoid"))
    return _network(images, code, crop(made, shape))


def cnn_bottleneck(shape, rng):
    """Three convolutions with three poolings to 4 x 4 x 8, and back."""
    make, images = Layers(rng), keras.Input(shape)
    code = chain(images, make.conv(16), pool(), make.conv(8), pool(), make.conv(8), pool())  # (n, h/8, w/8, 8)
    # The unpadded convolution brings 4 x 4 back to 28 x 28, and would leave 32 x 32 too small.
    reached = min(8 * code.shape[axis] - 4 - shape[axis - 1] for axis in (1, 2))
    unpadded = make.conv(16, padding="valid" if reached >= 0 else "same")
    made = chain(code, make.conv(8), up(), make.conv(8), up(), unpadded, up(), make.conv(shape[2], "sigmoid"))
    return _network(images, code, crop(made, shape))


def cnn_shallow(shape, rng):
    """Two convolutions of 10 filters, the code at half the image's height and width."""
    make, images = Layers(rng), keras.Input(shape)
    code = chain(images, make.conv(10), pool(), make.conv(10))  # (n, h/2, w/2, 10)
    return _network(images, code, crop(chain(code, up(), make.conv(shape[2], "sigmoid")), shape))


def conv_vae(shape, rng, *, latent, l2, dropout, variational, sampler):
    """Two-branched convolutional encoder and decoder about a dense code.

    Parameters
    ----------
    variational
        Whether the code is ``(mean, log_var)`` of a normal distribution; else it is plain numbers.
    sampler
        See :class:`Sampling`.
    """
    make, images = Layers(rng, l2, dropout), keras.Input(shape)
    hidden = _vae_hidden(images, make)
    if variational:
        code = [make.dense(latent, None)(hidden), make.dense(latent, None)(hidden)]
        sample = Sampling(sampler, make.seed())(code)
    else:
        code = sample = make.dense(latent, None)(hidden)
    drawn = keras.Input((latent,))
    decode = keras.Model(drawn, _vae_image(drawn, make, shape))
    return Network(keras.Model(images, decode(sample)), keras.Model(images, code), decode)


class Sampling(layers.Layer):
    """Draw ``mean + scale * noise`` and add the mean KL divergence to the loss.

    Parameters
    ----------
    sampler
        ``exp_half_logvar``: ``log_var`` is the log-variance, so scale = exp(log_var / 2).
        ``exp_logvar``: scale = exp(log_var), though the divergence still takes it for the log-variance.
    seed
        Of the noise.
    """

    def __init__(self, sampler, seed):
        super().__init__()
        self.sampler, self.noise = sampler, keras.random.SeedGenerator(seed)

    def call(self, code):
        """Return a draw for each row, shape ``(n, latent)``."""
        mean, log_var = code
        self.add_loss(keras.ops.mean(divergence(mean, log_var)))
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.noise)
        return mean + keras.ops.exp(log_deviation(log_var, self.sampler)) * noise


def log_deviation(log_var, sampler):
    """Return the logarithm of the standard deviation that ``sampler`` draws with."""
    return log_var if sampler == "exp_logvar" else log_var / 2


def _vae_hidden(images, make):
    """Return 128 hidden units, from one branch that pools maxima and one that pools averages."""
    first = make.conv(16)(images)
    branches = [
        chain(
            first,
            pool(kind),
            make.conv(16, penalised=True),
            make.dropout(),
            pool(kind),
            make.conv(16, penalised=True),
            make.dropout(),
            pool(kind),
        )
        for kind in (layers.MaxPooling2D, layers.AveragePooling2D)
    ]
    return chain(layers.Concatenate()(branches), layers.Flatten(), make.dense(128, penalised=True))


def _vae_image(drawn, make, shape):
    """Return the image, from one branch of convolutions and one of transposed convolutions.

    At a start of s x s the branches end with 8 s - 4 and 4 s + 12: both 28 for the reference's s = 4.
    For other images s is the smallest start from which both reach the image's size.
    """
    start = tuple(max(1, -(-(size + 4) // 8), -(-(size - 12) // 4)) for size in shape[:2])
    grid = chain(
        drawn,
        make.dense(128, penalised=True),
        make.dense(start[0] * start[1] * 16, penalised=True),
        layers.Reshape((*start, 16)),
        make.dropout(),
    )
    convolved = chain(
        grid,
        make.conv(16, penalised=True),
        make.dropout(),
        up(),
        make.conv(16, penalised=True),
        up(),
        make.conv(16, padding="valid", penalised=True),
        make.dropout(),
        up(),
        make.conv(16, penalised=True),
    )
    transposed = chain(
        grid,
        make.conv_transposed(16, "valid", penalised=True),
        make.dropout(),
        up(),
        make.conv_transposed(16, "valid", penalised=True),
        make.dropout(),
        up(),
        make.conv_transposed(16, penalised=True),
    )
    both = layers.Concatenate()([crop(convolved, shape), crop(transposed, shape)])
    return chain(both, make.conv(16), make.conv(shape[2], "sigmoid"))


def chain(x, *steps):
    """Apply layers one after the other."""
    for step in steps:
        x = step(x)
    return x


def pool(kind=layers.MaxPooling2D):
    """Return a pooling that halves height and width, rounding up."""
    return kind(2, padding="same")


def up():
    """Return a layer that doubles height and width by repetition."""
    return layers.UpSampling2D(2)


def crop(images, shape):
    """Cut off what is too much on the right and below."""
    spare = [(0, images.shape[axis] - shape[axis - 1]) for axis in (1, 2)]
    return layers.Cropping2D(spare)(images) if spare != [(0, 0), (0, 0)] else images


def _network(images, code, made):
    return Network(keras.Model(images, made), keras.Model(images, code))
