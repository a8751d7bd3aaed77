"""The variational autoencoders: published sizes, formulas worked out another way, and members that keep apart."""

import math
from importlib import import_module

import numpy as np
import pytest
import torch
from adbench_deep_ensembles import adbench_detectors
from adbench_deep_ensembles.layers import EnsembleLinear
from adbench_deep_ensembles.names import VAE_SCORES
from adbench_deep_ensembles.priors import ClippedAffine, FlowPrior, MixturePrior, NormalPrior, autoregressive_flow
from adbench_deep_ensembles.vae import VAE, conv_networks, dense_networks
from adbench_deep_ensembles.vae_detector import ConvVaeEnsemble, DenseVaeEnsemble
from adbench_torch_training.training import count_parameters
from torch import distributions

from adbench import PluginError, UsageError, tracking

TABLE = np.random.default_rng(0).normal(size=(300, 5))
SMALL = {
    "members": 3,
    "steps": 30,
    "batch_size": 16,
    "n_samples": 4,
    "n_train_samples": 2,
    "flow_hidden": 8,
    "flows": 2,
}


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_image_networks_have_the_published_sizes():
    """Encoder 383,040 and decoder 358,465 weights at 28 x 28 x 1."""
    encoder, decoder = conv_networks((28, 28, 1), latent=16, base_depth=32)

    assert (count_parameters(encoder), count_parameters(decoder)) == (383_040, 358_465)


def test_each_flow_has_the_published_size():
    """Six flows of 287,776 weights over 16 numbers."""
    assert count_parameters(autoregressive_flow(16, 6, (512, 512))) == 6 * 287_776


def test_table_networks_are_linear_as_published():
    """One dense layer from 30 features to 32 numbers, and one from 16 back to 30."""
    encoder, decoder = dense_networks(1, 30, 16, ())

    assert (count_parameters(encoder), count_parameters(decoder)) == (30 * 32 + 32, 16 * 30 + 30)
    assert [type(layer) for layer in [*encoder, *decoder]] == [EnsembleLinear, EnsembleLinear]


def test_a_fresh_encoder_has_scale_one():
    """An encoder that gives 0 means a standard deviation of softplus(log(e - 1)) = 1."""
    vae = VAE(torch.nn.Identity(), torch.nn.Identity(), NormalPrior(), torch.zeros(1, 1, 1, 2))

    posterior = vae.encode(torch.zeros(1, 3, 4))

    assert posterior.scale == pytest.approx(torch.ones(1, 3, 2)) and posterior.mean.abs().max() == 0


def test_rate_and_distortion_are_the_log_densities():
    """Both terms agree with torch's own distributions, for every member, code and row."""
    members, rows, latent, k = 2, 7, 3, 4
    encoder, decoder = dense_networks(members, 5, latent, ())
    vae = VAE(encoder, decoder, NormalPrior(), torch.zeros(members, k, 1, latent))
    X, noise = torch.rand(members, rows, 5), torch.randn(members, k, rows, latent)

    posterior = vae.encode(X)
    rate, distortion = vae.terms(X, posterior, noise)

    codes = posterior.mean[:, None] + posterior.scale[:, None] * noise
    log_q = distributions.Normal(posterior.mean[:, None], posterior.scale[:, None]).log_prob(codes).sum(-1)
    log_p = distributions.Normal(0, 1).log_prob(codes).sum(-1)
    for member in range(members):
        weight, bias = decoder[0].weight[member], decoder[0].bias[member]
        logits = codes[member] @ weight + bias
        # A Bernoulli of real-valued rows: the library's log_prob without its check.
        bernoulli = distributions.Bernoulli(logits=logits, validate_args=False)
        expected = -bernoulli.log_prob(X[member].expand_as(logits)).sum(-1)
        assert distortion[member].detach() == pytest.approx(expected.detach(), rel=1e-4)
    assert rate.detach() == pytest.approx((log_q - log_p).detach(), abs=1e-4)


def test_the_loss_is_beta_rate_plus_distortion():
    """With beta the rate weighs more: the difference of two losses is the mean rate."""
    encoder, decoder = dense_networks(2, 5, 3, ())
    vae = VAE(encoder, decoder, NormalPrior(), torch.zeros(2, 1, 1, 3))
    X = torch.rand(2, 6, 5)

    def losses(beta):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return vae.losses(X, 8, beta).detach()

    with torch.random.fork_rng():
        torch.manual_seed(1)
        posterior = vae.encode(X)
        rate = vae.terms(X, posterior, torch.randn(2, 8, *posterior.mean.shape[1:])).rate.mean((1, 2)).detach()
    assert losses(3.0) - losses(1.0) == pytest.approx(2 * rate, rel=1e-3)


def test_the_mixture_is_a_mixture_of_diagonal_gaussians():
    """The expanded squares agree with torch's MixtureSameFamily, each member with its own."""
    prior = MixturePrior(2, 3, 5)
    torch.nn.init.normal_(prior.raw_scales)
    torch.nn.init.normal_(prior.logits)
    codes = torch.randn(2, 11, 3)

    found = prior.log_prob(codes).detach()

    for member in range(2):
        scale = torch.nn.functional.softplus(prior.raw_scales[member])
        components = distributions.Independent(distributions.Normal(prior.means[member], scale), 1)
        mixture = distributions.MixtureSameFamily(distributions.Categorical(logits=prior.logits[member, 0]), components)
        assert found[member] == pytest.approx(mixture.log_prob(codes[member]).detach(), abs=1e-3)


def test_the_flow_is_a_density():
    """In two dimensions exp(log_prob) sums to 1 over a fine grid."""
    prior = FlowPrior(1, 2, 2, (8, 8))
    axis = torch.linspace(-12, 12, 601)
    grid = torch.cartesian_prod(axis, axis)[None]

    mass = prior.log_prob(grid).exp().sum() * (axis[1] - axis[0]) ** 2

    assert mass.item() == pytest.approx(1, abs=0.01)


def test_the_log_scale_is_clipped():
    """To [-5, 3], and the inverse undoes the transform."""
    transform = ClippedAffine(torch.zeros(3), torch.tensor([-9.0, 1.0, 9.0]))
    x = torch.ones(3)

    y = transform(x)

    assert y == pytest.approx(torch.tensor([5.0, -1.0, -3.0]).exp(), rel=1e-5)
    assert transform.log_abs_det_jacobian(x, y) == pytest.approx(torch.tensor([5.0, -1.0, -3.0]))
    assert transform.inv(y) == pytest.approx(x)


@pytest.mark.parametrize("prior", ["normal", "mixture", "flows"])
def test_members_learn_nothing_from_each_other(prior):
    """The gradient of one member's loss by another member's weights is 0."""
    detector = DenseVaeEnsemble(**SMALL | {"prior": prior, "steps": 1})
    (group,) = detector.make_groups((5,))

    group.losses(torch.rand(3, 8, 5), 2, 1.0)[1].backward()

    gradient = group.encoder[0].weight.grad
    assert gradient[1].abs().sum() > 0 and gradient[[0, 2]].abs().sum() == 0


def test_scores_are_their_formulas():
    """Each score of the board is worked out anew in NumPy from the members' l_k."""
    detector = DenseVaeEnsemble(**SMALL).fit(TABLE, seed=0)
    X = TABLE[:20]
    (group, given), *_ = detector.network_.given(torch.from_numpy(X.astype(np.float32)))
    with torch.no_grad():
        posterior = group.encode(given)
        rate, distortion = (part.double().numpy() for part in group.terms(given, posterior, group.samples))
    bound = -(rate + distortion)
    energies = {
        "elbo": -bound.mean(1),
        "iwae": -(np.log(np.exp(bound - bound.max(1, keepdims=True)).mean(1)) + bound.max(1)),
        "rate": rate.mean(1),
        "distortion": distortion.mean(1),
    }
    expected = {}
    for name, energy in energies.items():
        expected |= {
            f"{name}-single": energy[0],
            f"{name}-mean": energy.mean(0),
            f"{name}-variance": energy.var(0),
            f"{name}-waic": energy.mean(0) + energy.var(0),
        }
    mean, variance = posterior.mean.numpy().mean(-1), np.square(posterior.scale.numpy()).mean(-1)
    expected |= {
        "posterior-mean-variance": mean.var(0),
        "posterior-mean-mean": mean.mean(0),
        "posterior-variance-mean": variance.mean(0),
        "posterior-variance-variance": variance.var(0),
    }

    found = detector.score(X)

    assert tuple(found) == VAE_SCORES and set(expected) == set(VAE_SCORES)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-3, abs=1e-5), name


def test_iwae_is_never_below_the_elbo():
    """Jensen: the importance-weighted bound is tighter, so its energy is lower; with one code they are equal."""
    many = DenseVaeEnsemble(**SMALL).fit(TABLE, seed=0).score(TABLE)
    one = DenseVaeEnsemble(**SMALL | {"n_samples": 1}).fit(TABLE, seed=0).score(TABLE)

    assert (many["iwae-single"] <= many["elbo-single"] + 1e-6).all()
    assert one["iwae-mean"] == pytest.approx(one["elbo-mean"], rel=1e-6)


CURVE = 1 / (1 + np.exp(-np.random.default_rng(1).uniform(-2, 2, size=(400, 1)) * np.linspace(-3, 3, 12)))
ZEROS_AND_ONES = np.random.default_rng(2).integers(0, 2, size=(40, 12)).astype(float)


@pytest.fixture(scope="module")
def fitted():
    """An ensemble that knows a curve within [0, 1]^12, and one that knows a Gaussian crowd."""
    settings = SMALL | {"prior": "normal", "steps": 400, "learning_rate": 1e-2, "latent": 2}
    return {len(X): (DenseVaeEnsemble(**settings).fit(X, seed=0), X) for X in (CURVE, TABLE)}


# What the posterior's statistics say of odd rows is an open question; their signs are fixed by the formulas alone.
@pytest.mark.parametrize("score", [name for name in VAE_SCORES if not name.startswith("posterior")])
def test_the_sign_of_every_score(score, fitted):
    """What odd rows cost to describe scores above the crowd.

    The code of a row ten times as far from the middle is far from the prior: its rate is high, and members
    disagree. Zeros and ones at random are in no decoder's range: their distortion is high.
    """
    by_code = score.startswith("rate") or score.endswith("variance")
    detector, crowd = fitted[len(TABLE) if by_code else len(CURVE)]
    odd = TABLE[:40] * 10 if by_code else ZEROS_AND_ONES

    assert np.median(detector.score(odd)[score]) > np.quantile(detector.score(crowd)[score], 0.75)


def test_the_mean_of_posterior_means_is_signed_as_published():
    """A high mean is taken as anomalous: a row whose codes are larger scores higher."""
    detector = DenseVaeEnsemble(**SMALL).fit(TABLE, seed=0)
    with torch.no_grad():
        for group in detector.network_.groups:
            group.encoder[0].weight.fill_(0.1)

    low, high = detector.score(np.array([[-3.0] * 5, [3.0] * 5]))["posterior-mean-mean"]

    assert high > low


def test_training_together_is_training_alone():
    """Members of one batched group reach the losses of members trained one after the other, within noise."""

    class OneByOne(DenseVaeEnsemble):
        def make_groups(self, shape):
            return [self.make_group(1, *dense_networks(1, shape[0], self.latent, ())) for _ in range(self.members)]

    settings = SMALL | {"prior": "normal", "steps": 600, "members": 5, "learning_rate": 1e-2}
    together, alone = (kind(**settings).fit(TABLE, seed=0).score(TABLE) for kind in (DenseVaeEnsemble, OneByOne))

    means = [scores["elbo-mean"].mean() for scores in (together, alone)]
    assert means[0] == pytest.approx(means[1], rel=0.02)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (29, 31, 2)])
def test_images_of_several_sizes(shape):
    """Odd sizes and colours come back in their own shape."""
    images = np.random.default_rng(0).random((6, *shape), dtype=np.float32)
    settings = {"members": 2, "steps": 2, "base_depth": 4, "latent": 4, "flow_hidden": 8, "n_samples": 2}

    detector = ConvVaeEnsemble(**settings).fit(images, seed=0)

    assert detector.reconstruct(images).shape == images.shape
    assert detector.embed(images).shape == (6, 4)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: DenseVaeEnsemble(members=1), "'members' must be 2 or more"),
        (lambda: DenseVaeEnsemble(prior="vamp"), "'prior' must be flows, mixture or normal; got 'vamp'"),
        (lambda: DenseVaeEnsemble(n_samples=0), "'n_samples' must be 1 or more"),
        (lambda: DenseVaeEnsemble(steps=-1), "'steps' must be 0 or more"),
        (lambda: DenseVaeEnsemble(learning_rate=0), "'learning_rate' must be above 0"),
        (lambda: DenseVaeEnsemble(**SMALL).fit(TABLE, seed=0).bootstrap(TABLE, rounds=0), "'rounds' and 'size'"),
        (lambda: ConvVaeEnsemble().fit(np.zeros((3, 12, 12, 1), np.float32), seed=0), "25 x 25 pixels and more"),
        (lambda: DenseVaeEnsemble(device="tpu").fit(TABLE, seed=0), "'device' must be auto, cpu or a GPU"),
    ],
)
def test_wrong_settings_are_one_line(make, told):
    """Each is refused with what was expected."""
    with pytest.raises(UsageError, match=told):
        make()


def test_far_rows_stay_finite():
    """A feature that hardly varied in training does not make other rows infinite."""
    X = TABLE.copy()
    X[:, 2] *= 1e-9

    scores = DenseVaeEnsemble(**SMALL).fit(X, seed=0).score(TABLE * 1e6)

    assert all(np.isfinite(values).all() for values in scores.values())
    assert math.isfinite(sum(values.sum() for values in scores.values()))


def test_the_bootstrap_draws_members_with_replacement():
    """Ten rounds of five: other draws give other means, all between the members' least and greatest."""
    detector = DenseVaeEnsemble(**SMALL).fit(TABLE, seed=0)
    X = TABLE[:20]
    energies = detector._evaluate(detector.energies_of, X)["elbo"]

    rounds = detector.bootstrap(X, seed=1)

    assert tuple(rounds) == VAE_SCORES and rounds["elbo-mean"].shape == (10, 20)
    assert len(np.unique(rounds["elbo-mean"], axis=0)) > 3
    assert (rounds["elbo-mean"] >= energies.min(1) - 1e-9).all() and (
        rounds["elbo-mean"] <= energies.max(1) + 1e-9
    ).all()
    # A draw of one member alone has no variance, and its mean is that member's energy.
    single = detector.bootstrap(X, size=1)
    assert np.abs(single["iwae-variance"]).max() == 0
    assert all(np.isclose(scores[:, None], energies).all(0).any() for scores in single["elbo-mean"])


def test_everything_survives_saving(tmp_path):
    """A loaded ensemble reconstructs, embeds, differentiates and bootstraps as the saved one."""
    detector = DenseVaeEnsemble(**SMALL).fit(TABLE, seed=0)
    detector.save(tmp_path)

    loaded = DenseVaeEnsemble(**SMALL).load(tmp_path)

    for ability in ("reconstruct", "embed", "input_gradient"):
        assert np.allclose(getattr(loaded, ability)(TABLE), getattr(detector, ability)(TABLE)), ability
    assert np.allclose(loaded.bootstrap(TABLE)["rate-waic"], detector.bootstrap(TABLE)["rate-waic"])


def test_another_network_is_refused(tmp_path):
    """Saved with other hyperparameters: one line."""
    DenseVaeEnsemble(**SMALL).fit(TABLE, seed=0).save(tmp_path)

    with pytest.raises(PluginError, match="were the hyperparameters the same"):
        DenseVaeEnsemble(**SMALL | {"latent": 3}).load(tmp_path)


def test_members_have_curves_of_their_own(monkeypatch):
    """Members trained in sequence are logged one after the other, at steps that rise."""
    heard = []
    told = {"progress": lambda *_: None, "log": lambda _, step, values: heard.append((step, *values))}
    monkeypatch.setattr(tracking, "_listener", type("", (), told)())
    images = np.random.default_rng(0).random((6, 28, 28, 1), dtype=np.float32)

    ConvVaeEnsemble(members=2, steps=3, base_depth=2, latent=2, prior="normal", n_train_samples=1).fit(images, seed=0)

    assert heard == [(step, f"member {0 if step <= 3 else 1}") for step in range(1, 7)]


def test_full_is_the_published_budget():
    """Sizes of ``full``, parameter by parameter."""
    specs = {spec.name: spec for spec in adbench_detectors()}

    def full(name):
        module, target = specs[name].target.split(":")
        return getattr(import_module(module), target)(**specs[name].params.get("full", {}))

    for name, rate in (("vae-ensemble", 1e-3), ("dense-vae-ensemble", 1e-4)):
        vae = full(name)
        assert (vae.members, vae.steps, vae.batch_size, vae.n_samples, vae.n_train_samples) == (5, 5000, 32, 16, 16)
        assert (vae.learning_rate, vae.latent, vae.prior, vae.flows, vae.flow_hidden) == (rate, 16, "flows", 6, 512)
    wgan = full("wgan-ensemble")
    assert (wgan.members, wgan.steps, wgan.extra_steps, wgan.batch_size, wgan.latent) == (5, 20_000, 4_000, 64, 128)
    assert (wgan.optimizer, wgan.learning_rate, wgan.penalty, wgan.critic_steps) == ("rmsprop", 5e-5, 10.0, 5)
    for name, activation in (("supervised-dnn", "relu"), ("supervised-dnn-linear", "none")):
        network = full(name)
        assert (network.activation, network.hidden, network.epochs) == (activation, (512, 512), 10)
        assert (network.batch_size, network.learning_rate) == (100, 1e-5)
