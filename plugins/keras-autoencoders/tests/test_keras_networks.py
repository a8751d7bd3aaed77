"""The networks: the references' weights, any size of image, and the sampler."""

import numpy as np
import pytest
from adbench_keras_autoencoders import networks
from adbench_keras_autoencoders.backend import keras
from adbench_keras_autoencoders.cnn import CnnBottleneck, CnnShallow
from adbench_keras_autoencoders.plain import ConvAutoencoder, DeepAutoencoder, DenseAutoencoder
from adbench_keras_autoencoders.vae import ConvVAE

# Keras 3.15 takes arrays out of torch's tensors as NumPy 1 did; the detectors mute it, and these tests look inside.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def network(detector, shape=(28, 28, 1)):
    detector.shape_ = shape
    return detector.make_network(np.random.default_rng(0)).whole


@pytest.mark.parametrize("latent", [2, 4, 8, 16, 32, 64])
def test_vae_has_the_weights_of_the_reference(latent):
    """129,265 + 386 H weights; the plain twin has one linear code where the VAE has two."""
    assert network(ConvVAE(latent=latent)).count_params() == 129_265 + 386 * latent
    assert network(ConvVAE(latent=latent, variational=False)).count_params() == 129_265 + 257 * latent


@pytest.mark.parametrize(
    ("make", "n_weights"),
    [
        (DenseAutoencoder, 101_200),
        (DeepAutoencoder, 218_192),
        (ConvAutoencoder, 12_201),
        (CnnBottleneck, 4_385),
        (CnnShallow, 1_101),
    ],
)
def test_autoencoders_have_the_weights_of_the_references(make, n_weights):
    """As many as counted in the references' networks."""
    assert network(make()).count_params() == n_weights


@pytest.mark.parametrize("shape", [(32, 32, 3), (64, 33, 3), (5, 7, 2), (1, 1, 1)], ids=str)
@pytest.mark.parametrize(
    "make", [ConvVAE, DenseAutoencoder, DeepAutoencoder, ConvAutoencoder, CnnBottleneck, CnnShallow]
)
def test_images_of_any_size_come_back_in_their_shape(make, shape):
    """Odd, tiny and coloured images are rebuilt in their own shape."""
    images = np.random.default_rng(0).random((2, *shape), dtype=np.float32)

    assert network(make(), shape)(images).shape == images.shape


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (ConvAutoencoder, (7, 7, 8)),
        (CnnBottleneck, (4, 4, 8)),
        (CnnShallow, (14, 14, 10)),
    ],
)
def test_codes_have_the_references_shape(make, expected):
    """The code, the narrowest place, is the one that the reference's layers give."""
    detector = make()
    detector.shape_ = (28, 28, 1)

    assert detector.make_network(np.random.default_rng(0)).encode.output_shape[1:] == expected


@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_l2_penalises_the_references_layers(l2):
    """The penalty is that of all weight matrices but the first, the code's and the last two; no biases."""
    whole = network(ConvVAE(l2=l2, latent=5, variational=False))
    kernels = [weight.numpy() for weight in whole.weights if weight.path.endswith("kernel")]
    spared = [kernel for kernel in kernels if kernel.shape in {(3, 3, 1, 16), (128, 5), (3, 3, 32, 16), (3, 3, 16, 1)}]

    penalty = sum(float(keras.ops.stop_gradient(loss)) for loss in whole.losses)

    assert (len(kernels), len(spared)) == (18, 4)
    expected = sum(np.square(kernel).sum() for kernel in kernels) - sum(np.square(kernel).sum() for kernel in spared)
    assert penalty == pytest.approx(l2 * expected, rel=1e-5)


def test_dropout_acts_in_training_only():
    """The share that is asked for is dropped in training; scoring drops nothing."""
    decode = networks.conv_vae(
        (28, 28, 1), np.random.default_rng(0), latent=4, l2=0.0, dropout=0.5, variational=False, sampler=""
    ).decode
    code = np.ones((2, 4), np.float32)

    first, second = (keras.ops.convert_to_numpy(decode(code, training=True)) for _ in range(2))
    scored, again = (keras.ops.convert_to_numpy(decode(code, training=False)) for _ in range(2))

    assert not np.allclose(first, second) and (scored == again).all()


@pytest.mark.parametrize(("sampler", "deviation"), [("exp_half_logvar", np.exp(0.25)), ("exp_logvar", np.exp(0.5))])
def test_sampler_draws_with_its_deviation(sampler, deviation):
    """``exp_half_logvar`` draws with exp(log_var / 2), ``exp_logvar`` with exp(log_var)."""
    mean, log_var = np.full((20_000, 2), 3, np.float32), np.full((20_000, 2), 0.5, np.float32)

    draws = keras.ops.convert_to_numpy(networks.Sampling(sampler, seed=0)([mean, log_var]))

    assert draws.mean() == pytest.approx(3, abs=0.05)
    assert draws.std() == pytest.approx(deviation, rel=0.02)
