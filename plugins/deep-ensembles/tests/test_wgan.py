"""The Wasserstein GANs: published networks, the losses, both ways to bound the slope, the critic's last training."""

import numpy as np
import pytest
import torch
from adbench_deep_ensembles.names import WGAN_SCORES
from adbench_deep_ensembles.wgan import WGAN, conv_wgan, dense_wgan
from adbench_deep_ensembles.wgan_detector import ConvWganEnsemble, DenseWganEnsemble
from adbench_torch_training.training import count_parameters
from torch import nn

from adbench import UsageError

TABLE = np.random.default_rng(0).normal(size=(400, 2)) * 0.5 + 5
SMALL = {
    **{"members": 3, "latent": 4, "steps": 60, "critic_steps": 2, "first_critic_steps": 2, "extra_steps": 60},
    **{"learning_rate": 1e-3, "optimizer": "adam-0.5-0.9", "hidden": (32, 32)},
}


class Slope(nn.Module):
    """A critic whose slope is known: ``2 * sum(x)``, so that its gradient has length ``2 sqrt(d)``."""

    def forward(self, rows):
        return 2 * rows.flatten(2).sum(-1, keepdim=True)


class Zeros(nn.Module):
    """A generator of zeros in the shape of the rows."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, noise):
        return torch.zeros(*noise.shape[:2], 4)


def test_networks_have_the_published_layers():
    """A 512-filter layer and 128 units before the critic's one output; the generator from 128 numbers."""
    wgan = conv_wgan((28, 28, 1), latent=128, base_depth=32)

    # As the encoder's 180,192 up to its last convolution, then 64 * 49 * 512 + 512, 512 * 128 + 128 and 128 + 1.
    assert count_parameters(wgan.critic) == 180_192 + 1_606_144 + 65_664 + 129
    # As the decoder, its first layer from 128 numbers: (128 - 16) * 64 * 49 weights more.
    assert count_parameters(wgan.generator) == 358_465 + 112 * 64 * 49


def test_the_critics_loss_is_worked_out_by_hand():
    """E[D(generated)] - E[D(real)] + 10 (|gradient| - 1)^2, with a critic of known slope."""
    wgan = WGAN(Zeros(), Slope(), members=2, latent=3)
    rows = torch.rand(2, 50, 4)

    losses = wgan.critic_losses(rows, penalty=10.0)

    expected = -2 * rows.sum(-1).mean(1) + 10 * (2 * np.sqrt(4) - 1) ** 2
    assert losses.detach() == pytest.approx(expected, rel=1e-5)
    assert wgan.critic_losses(rows, penalty=0.0) == pytest.approx(-2 * rows.sum(-1).mean(1), rel=1e-5)
    assert wgan.generator_losses(50) == pytest.approx(torch.zeros(2))


def test_the_last_training_is_a_classifiers_cross_entropy():
    """Of real (1) against generated (0) rows, as torch's own loss has it."""
    wgan = WGAN(Zeros(), Slope(), members=1, latent=3)
    rows = torch.rand(1, 50, 4)
    logits = torch.cat([2 * rows.sum(-1), torch.zeros(1, 50)], dim=1)
    truth = torch.cat([torch.ones(1, 50), torch.zeros(1, 50)], dim=1)

    expected = 2 * nn.functional.binary_cross_entropy_with_logits(logits, truth)

    assert wgan.classifier_losses(rows)[0].item() == pytest.approx(expected.item(), rel=1e-5)


def test_clipping_keeps_every_weight_small():
    """With ``mode=clipping`` no weight of a critic is larger than ``clip`` after its training as a critic."""
    detector = DenseWganEnsemble(**SMALL | {"mode": "clipping", "clip": 0.02, "extra_steps": 0}).fit(TABLE, seed=0)

    sizes = [weight.abs().max().item() for weight in detector.network_.groups[0].critic.parameters()]

    assert max(sizes) <= 0.02


@pytest.mark.parametrize("score", WGAN_SCORES)
def test_the_sign_of_every_score(score):
    """Points far from a Gaussian at (5, 5) score above it."""
    detector = DenseWganEnsemble(**SMALL | {"steps": 300, "extra_steps": 300}).fit(TABLE, seed=0)
    far = np.random.default_rng(1).uniform(-3, 2, size=(40, 2))

    crowd, odd = detector.score(TABLE)[score], detector.score(far)[score]

    assert np.median(odd) > np.quantile(crowd, 0.75)


def test_scores_are_statistics_of_the_negative_logits():
    """Single, mean, population variance and their sum, worked out in NumPy."""
    detector = DenseWganEnsemble(**SMALL).fit(TABLE, seed=0)
    (group, given), *_ = detector.network_.given(torch.from_numpy(TABLE.astype(np.float32)))
    with torch.no_grad():
        energies = -group.judge(given).double().numpy()

    scores = detector.score(TABLE)

    assert scores["logit-single"] == pytest.approx(energies[0])
    assert scores["logit-mean"] == pytest.approx(energies.mean(0))
    assert scores["logit-variance"] == pytest.approx(energies.var(0))
    assert scores["logit-waic"] == pytest.approx(energies.mean(0) + energies.var(0))


def test_the_generator_learns():
    """Training brings generated points nearer to the training points than the untrained generator's."""

    def distance(steps):
        settings = SMALL | {"steps": steps, "critic_steps": 5, "first_critic_steps": 20, "extra_steps": 0}
        detector = DenseWganEnsemble(**settings).fit(TABLE, seed=0)
        (group,) = detector.network_.groups
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(0)
            made = detector.network_.scaling.undo(group.generate(500)).mean(1).numpy()  # (members, 2)
        return np.linalg.norm(made - 5, axis=1).mean()

    assert distance(1000) < distance(0)


def test_critics_warm_up():
    """Before its first 25 steps and every 500th the generator waits for more of the critic's."""
    detector = DenseWganEnsemble()

    steps = [detector._critic_steps_before(step) for step in (0, 24, 25, 499, 500, 501, 1000)]

    assert steps == [100, 100, 5, 5, 100, 5, 100]


@pytest.mark.parametrize("settings", [{"mode": "spectral"}, {"optimizer": "sgd"}, {"members": 1}])
def test_wrong_settings_are_one_line(settings):
    """Each is refused by name."""
    with pytest.raises(UsageError, match=next(iter(settings))):
        ConvWganEnsemble(**settings)


def test_dense_members_learn_nothing_from_each_other():
    """The gradient of one critic's loss, penalty included, by another's weights is 0."""
    wgan = dense_wgan(3, 5, 4, (8,))

    wgan.critic_losses(torch.rand(3, 6, 5), 10.0)[1].backward()

    gradient = wgan.critic[0].weight.grad
    assert gradient[1].abs().sum() > 0 and gradient[[0, 2]].abs().sum() == 0
