"""Ensembles of Wasserstein GANs, whose critics judge: convolutional for images, dense for tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from adbench_torch_training.batches import Batches
from adbench_torch_training.settings import require
from adbench_torch_training.training import OPTIMIZERS, Curve, Descent

from adbench import UsageError, track
from adbench_deep_ensembles.ensemble import ConvEnsemble, Ensemble
from adbench_deep_ensembles.names import WGAN_SCORES
from adbench_deep_ensembles.wgan import conv_wgan, dense_wgan


@dataclass
class WganEnsemble(Ensemble):
    """Wasserstein GANs; after training, their critics go on as classifiers of real against generated rows.

    An energy is a critic's logit with the sign turned, so that it is higher for what does not look
    real; it is given of one critic, as the critics' mean and variance, and as the sum of both.

    Parameters
    ----------
    latent
        Length of the generator's noise.
    steps
        Of each generator.
    critic_steps, first_critic_steps
        Of the critic before a step of the generator; and before each of the generator's first
        25 steps and every 500th, so that the critic is near its optimum.
    extra_steps
        Of the critic as a classifier, when the generator has stopped.
    mode
        What bounds the critic's slope: ``gradient-penalty`` or ``clipping`` (of its weights).
    penalty, clip
        Weight of the penalty; largest size of a weight.
    optimizer
        ``rmsprop`` or ``adam-0.5-0.9``, for both networks.
    learning_rate, batch_size
        Of both networks.

    References
    ----------
    Arjovsky, Chintala & Bottou (2017). Wasserstein GAN. ICML.
    Gulrajani et al. (2017). Improved training of Wasserstein GANs. NeurIPS.
    Choi, Jang & Alemi (2018). arXiv:1810.01392. Code: github.com/hschoi1/rich_latent.
    """

    latent: int = 128
    steps: int = 20_000
    critic_steps: int = 5
    first_critic_steps: int = 100
    extra_steps: int = 4_000
    mode: Literal["gradient-penalty", "clipping"] = "gradient-penalty"
    penalty: float = 10.0
    clip: float = 0.01
    optimizer: str = "rmsprop"
    learning_rate: float = 5e-5
    batch_size: int = 64

    score_names = WGAN_SCORES

    def __post_init__(self):
        super().__post_init__()
        counts = ("latent", "batch_size", "critic_steps", "first_critic_steps")
        require(self, steps=0, extra_steps=0, **dict.fromkeys(counts, 1), positive=("learning_rate", "clip"))
        if self.mode not in ("gradient-penalty", "clipping"):
            raise UsageError(f"'mode' must be gradient-penalty or clipping; got {self.mode!r}")
        if self.optimizer not in OPTIMIZERS:
            raise UsageError(f"'optimizer' must be one of {', '.join(OPTIMIZERS)}; got {self.optimizer!r}")

    def train_group(self, group, X, numbers):
        """Train critic against generator, then the critic alone."""
        critic = Descent(group.critic.parameters(), self.optimizer, self.learning_rate)
        generator = Descent(group.generator.parameters(), self.optimizer, self.learning_rate)
        updates = [self._critic_steps_before(step) for step in range(self.steps)]
        steps = sum(updates) + self.extra_steps
        batches = iter(Batches((X,), self.batch_size, self.device_, steps=steps, members=group.members))
        group.train()
        before = numbers[0] * (self.steps + self.extra_steps) if group.members == 1 else 0
        curve = Curve([f"critic {number}" for number in numbers], "step", self.steps // 40, before)
        for n_updates in track(updates, "generator step"):
            for _ in range(n_updates):
                (rows,) = next(batches)
                losses = group.critic_losses(rows, self.penalty if self.mode == "gradient-penalty" else 0.0)
                critic.step(losses.sum())
                if self.mode == "clipping":
                    self._clip(group.critic)
            generator.step(group.generator_losses(self.batch_size).sum())
            curve.add(losses.detach())
        names = [f"classifier {number}" for number in numbers]
        curve = Curve(names, "step", self.extra_steps // 10, before + self.steps)
        for _ in track(range(self.extra_steps), "extra step"):
            (rows,) = next(batches)
            losses = group.classifier_losses(rows)
            critic.step(losses.sum())
            curve.add(losses.detach())
        group.eval()

    def energies_of(self, rows):
        """Return minus each critic's logit."""
        logits = torch.cat([group.judge(given) for group, given in self.network_.given(rows)])  # (members, n)
        return {"logit": -logits.T.double()}

    def _critic_steps_before(self, step):
        return self.first_critic_steps if step < 25 or step % 500 == 0 else self.critic_steps

    @torch.no_grad()
    def _clip(self, critic):
        for parameter in critic.parameters():
            parameter.clamp_(-self.clip, self.clip)


@dataclass
class ConvWganEnsemble(ConvEnsemble, WganEnsemble):
    """Convolutional GANs."""

    called = "wgan-ensemble"

    def make_member(self, shape):
        """Return one member."""
        return conv_wgan(shape, self.latent, self.base_depth)


@dataclass
class DenseWganEnsemble(WganEnsemble):
    """Dense GANs on rows scaled to [0, 1] by the training rows, trained all at once.

    Parameters
    ----------
    hidden
        Units of the hidden layers of generator and critic.
    """

    hidden: tuple[int, ...] = (128, 128)

    def make_groups(self, shape):
        """Return one group of all members."""
        return [dense_wgan(self.members, shape[0], self.latent, tuple(self.hidden))]
