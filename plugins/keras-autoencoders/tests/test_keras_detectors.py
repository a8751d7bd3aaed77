"""The detectors: signs, networks that collapse, bad input, and what is saved."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
from adbench_keras_autoencoders import adbench_detectors
from adbench_keras_autoencoders.backend import has_gpu, keras
from adbench_keras_autoencoders.cnn import CnnBottleneck, CnnShallow
from adbench_keras_autoencoders.plain import ConvAutoencoder, DeepAutoencoder, DenseAutoencoder
from adbench_keras_autoencoders.vae import ConvVAE

from adbench import PluginError, UsageError, tracking

# Keras 3.15 takes arrays out of torch's tensors as NumPy 1 did; the detectors mute it, and these tests look inside.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPECS = {spec.name: spec for spec in adbench_detectors()}
RNG = np.random.default_rng(0)


def blobs(n, size=12, channels=1):
    """Return images with a smooth bright spot near the centre."""
    grid, at = np.linspace(-1, 1, size), RNG.normal(0, 0.2, size=(n, 2, 1, 1))
    spots = np.exp(-((grid[:, None] - at[:, 0]) ** 2 + (grid - at[:, 1]) ** 2) / 0.15)
    return np.repeat(spots[..., None], channels, axis=3).astype(np.float32)


IMAGES = blobs(150)

DETECTORS = [
    ConvVAE(epochs=4, latent=4, batch_size=16),
    DenseAutoencoder(epochs=8, batch_size=16),
    DeepAutoencoder(epochs=8, batch_size=16),
    ConvAutoencoder(epochs=4, batch_size=16),
    CnnBottleneck(epochs=4, batch_size=16),
    CnnShallow(epochs=4, batch_size=16),
]
EACH = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: type(detector).__name__)
PLAIN = pytest.mark.parametrize("make", [DenseAutoencoder, DeepAutoencoder, ConvAutoencoder])


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("profile", ["quick", "standard", "full"])
def test_spec_can_be_built(name, profile):
    """Every spec's target imports and takes the parameters of each profile; ``full`` is the reference's budget."""
    module, target = SPECS[name].target.split(":")

    made = asdict(getattr(import_module(module), target)(**SPECS[name].params.get(profile, {})))

    if profile == "full":
        assert (made["epochs"], made["batch_size"]) == BUDGETS[name]


BUDGETS = {
    "keras-conv-vae": (300, 128),
    "keras-dense-ae": (10, 64),
    "keras-deep-ae": (10, 64),
    "keras-conv-ae": (10, 64),
    "keras-cnn-bottleneck": (25, 60),
    "keras-cnn-shallow": (25, 60),
}


@EACH
def test_noise_scores_above_the_crowd(detector):
    """Each score but the two-sided one ranks images of noise above nearly all blobs it has not seen."""
    noise, crowd = RNG.random((20, 12, 12, 1), dtype=np.float32), blobs(50)

    scores, odd = detector.fit(IMAGES, seed=0).score(crowd), detector.score(noise)

    for name in scores.keys() - {"abs_z"}:
        assert odd[name].min() > np.quantile(scores[name], 0.95), name
        assert scores[name].dtype == np.float64


def test_abs_z_finds_errors_that_are_too_small():
    """A black image is rebuilt better than any normal one: ``bce`` ranks it lowest, ``abs_z`` high."""
    detector = CnnShallow(epochs=8, batch_size=8).fit(IMAGES, seed=0)
    crowd, black = detector.score(blobs(50)), detector.score(np.zeros((1, 12, 12, 1), np.float32))

    assert black["bce"][0] < crowd["bce"].min()
    assert black["abs_z"][0] > np.quantile(crowd["abs_z"], 0.95)


@PLAIN
def test_trained_network_is_not_collapsed(make):
    """It explains most of what the mean image leaves."""
    assert not make(epochs=6, batch_size=8).fit(IMAGES, seed=0).collapsed_


@pytest.mark.parametrize("untrainable", [{"epochs": 0}, {"optimizer": "sgd", "epochs": 1, "batch_size": 64}], ids=str)
@PLAIN
def test_collapsed_network_is_tried_twice_and_told(make, untrainable, monkeypatch):
    """One that does no better than the mean image starts anew once; if that fails too, the curve and a note
    say so, and scores are given all the same."""
    heard, notes = [], []
    told = {"progress": lambda *_: None, "log": heard_by(heard), "note": lambda _, text: notes.append(text)}
    monkeypatch.setattr(tracking, "_listener", type("", (), told)())
    epochs = untrainable["epochs"]

    detector = make(**untrainable).fit(IMAGES, seed=0)

    assert detector.collapsed_
    assert ["trained again" in notes[0], "after a second training" in notes[1]] == [True, True]
    assert [step for step, values in heard if "collapsed" in values] == [epochs, 2 * epochs + 1]
    assert [step for step, _ in heard] == list(range(2 * epochs + 2))
    assert detector.score(IMAGES)["mse"].std() > 0


def heard_by(steps):
    return lambda _, step, values: steps.append((step, values))


def test_second_attempt_may_succeed(monkeypatch):
    """A network that is not collapsed after the second start is as good as any, and starts differ."""
    starts, explained = [], iter([0.01, 0.6])

    def pretend(self, X, rng):
        starts.append(self.network_.whole.get_weights()[0])
        return next(explained)

    monkeypatch.setattr(DenseAutoencoder, "_explained", pretend)

    detector = DenseAutoencoder(epochs=0).fit(IMAGES, seed=0)

    assert not detector.collapsed_
    assert not np.allclose(*starts) and (detector.network_.whole.get_weights()[0] == starts[1]).all()


def test_better_one_of_two_collapsed_networks_is_kept(monkeypatch):
    """Even if it is the first."""
    starts, explained = [], iter([0.01, -0.2])
    monkeypatch.setattr(
        DenseAutoencoder, "_explained", lambda self, X, rng: starts.append(self.network_) or next(explained)
    )

    detector = DenseAutoencoder(epochs=0).fit(IMAGES, seed=0)

    assert detector.collapsed_ and detector.network_ is starts[0]


@pytest.mark.parametrize("images", [np.full((10, 12, 12, 1), 0.5, np.float32), IMAGES[:1]], ids=["equal", "one"])
def test_equal_images_are_not_called_collapsed(images):
    """Where the mean image is perfect, no network can do better than it."""
    assert not DenseAutoencoder(epochs=1).fit(images, seed=0).collapsed_


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DenseAutoencoder(optimizer="lion"), "'optimizer' must be one of adam, sgd, adagrad; got 'lion'"),
        (lambda: DenseAutoencoder(loss="mae"), "'loss' must be one of mse, bce; got 'mae'"),
        (lambda: DenseAutoencoder(batch_size=0), "'batch_size' must be 1 or more; got 0"),
        (lambda: DenseAutoencoder(epochs=-1), "'epochs' must be 0 or more; got -1"),
        (lambda: ConvVAE(sampler="exp"), "'sampler' must be exp_half_logvar or exp_logvar; got 'exp'"),
        (lambda: ConvVAE(dropout=1.0), r"'dropout' must be in \[0, 1\); got 1.0"),
        (lambda: ConvVAE(validation_share=-0.1), r"'validation_share' must be in \[0, 1\); got -0.1"),
        (lambda: ConvVAE(learning_rate=-1.0), "'learning_rate' must be above 0; got 32, -1.0"),
        (lambda: CnnShallow(held_out_share=0), r"'held_out_share' must be in \(0, 1\); got 0"),
    ],
)
def test_wrong_parameters_are_refused(make, message):
    """With their names, what is allowed and what was given, before a trial is run."""
    with pytest.raises(UsageError, match=message):
        make()


def test_unknown_devices_are_refused():
    """With what is allowed."""
    with pytest.raises(PluginError, match="'device' must be auto, cpu or cuda; got 'tpu'"):
        CnnShallow(device="tpu").fit(IMAGES, seed=0)


@pytest.mark.parametrize("damage", ["missing", "text", "another network"])
def test_damaged_models_are_refused(tmp_path, damage):
    """In one line, with what was expected."""
    DenseAutoencoder(epochs=1).fit(IMAGES, seed=0).save(tmp_path)
    if damage == "missing":
        (tmp_path / "network.weights.h5").unlink()
    elif damage == "text":
        (tmp_path / "learnt.json").write_text("[]", encoding="utf-8")
    loaded = DeepAutoencoder() if damage == "another network" else DenseAutoencoder()

    with pytest.raises(PluginError, match="expected a network that was saved"):
        loaded.load(tmp_path)


@pytest.mark.skipif(has_gpu(), reason="there is a GPU")
def test_missing_gpu_is_told():
    """TensorFlow would silently compute on the processor."""
    with pytest.raises(PluginError, match="no GPU"):
        DenseAutoencoder(device="cuda").fit(IMAGES, seed=0)


def test_processor_can_be_asked_for():
    """``device="cpu"`` gives what ``auto`` gives where there is no GPU."""
    detector = DenseAutoencoder(epochs=1, device="cpu").fit(IMAGES, seed=0)

    assert np.isfinite(detector.score(IMAGES)["mse"]).all()


@EACH
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (IMAGES.reshape(150, -1), r"images .* are needed; got an array \(150, 144\)"),
        (np.where(np.arange(150)[:, None, None, None] == 7, np.nan, IMAGES), "NaN or infinite values, first in row 7"),
        (np.where(np.arange(150)[:, None, None, None] == 3, np.inf, IMAGES), "NaN or infinite values, first in row 3"),
        (IMAGES[:0], "at least [13] rows are needed; got 0"),
    ],
    ids=["flat", "nan", "infinite", "none"],
)
def test_bad_training_rows_are_refused(detector, X, message):
    """Before any training, with what is wrong."""
    with pytest.raises(PluginError, match=message):
        detector.fit(X, seed=0)


@pytest.mark.parametrize("detector", [CnnShallow(), CnnBottleneck(), ConvVAE(validation_share=0.5)], ids=str)
def test_rows_that_cannot_be_held_out_are_refused(detector):
    """Two rows are held out, and one at least is trained on."""
    with pytest.raises(PluginError, match="at least 3 rows"):
        detector.fit(IMAGES[:2], seed=0)


@EACH
def test_unusual_rows_are_handled(detector):
    """Equal images, a batch of one and no rows give finite scores; images of another size or kind are refused."""
    few = type(detector)(**{**asdict(detector), "epochs": 1})
    few.fit(np.full((5, 12, 12, 1), 0.25, np.float32), seed=0)

    for X in (IMAGES[:1], IMAGES[:0]):
        for scores in few.score(X).values():
            assert scores.shape == (len(X),) and np.isfinite(scores).all()
    for bad in (blobs(2, size=13), blobs(2, channels=3), IMAGES[:2].reshape(2, -1)):
        with pytest.raises(PluginError, match=r"fitted on rows of shape \(12, 12, 1\)"):
            few.score(bad)
    with pytest.raises(PluginError, match="NaN or infinite"):
        few.score(np.full((1, 12, 12, 1), np.nan, np.float32))


@EACH
def test_coloured_read_only_images_are_taken(detector):
    """Memory-mapped colour images of another size, which cannot be written to, are trained on and scored."""
    images = blobs(6, size=10, channels=3)
    images.flags.writeable = False

    few = type(detector)(**{**asdict(detector), "epochs": 1}).fit(images, seed=0)

    assert few.reconstruct(images).shape == images.shape
    assert few.embed(images).ndim == 2


LOAD_AND_SCORE = """
import json, sys
import numpy as np
from importlib import import_module
module, name, folder, params = sys.argv[1:]
images = np.load(folder + "/images.npy")
detector = getattr(import_module(module), name)(**json.loads(params))
np.savez(folder + "/scores.npz", **detector.load(folder).score(images))
detector.fit(images, seed=0).score(images)
"""
OTHER = "tensorflow" if keras.backend.backend() == "torch" else "torch"


@pytest.mark.slow
@pytest.mark.skipif(find_spec(OTHER) is None, reason=f"needs {OTHER}")
@pytest.mark.parametrize("backend", [keras.backend.backend(), OTHER])
@pytest.mark.parametrize(
    "detector",
    [ConvVAE(epochs=1, latent=3), ConvAutoencoder(epochs=1), CnnBottleneck(epochs=1)],
    ids=lambda detector: type(detector).__name__,
)
def test_saved_weights_score_the_same_in_another_process_and_backend(detector, backend, tmp_path):
    """What one process saved, another loads and scores alike, under either backend; there it can train, too."""
    detector.fit(IMAGES, seed=0).save(tmp_path)
    np.save(tmp_path / "images.npy", IMAGES)

    arguments = [type(detector).__module__, type(detector).__name__, os.fspath(tmp_path), json.dumps(asdict(detector))]
    subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", LOAD_AND_SCORE, *arguments],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
    )

    with np.load(tmp_path / "scores.npz") as found:
        for name, expected in detector.score(IMAGES).items():
            assert found[name] == pytest.approx(expected, rel=1e-3, abs=1e-3 * expected.max())
