"""The training loop, and the parts of it that a loop with two networks is built of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from adbench import PluginError, log, track
from adbench_torch_training.batches import Batches

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": lambda parameters, lr: torch.optim.Adam(parameters, lr=lr, fused=True),
    # As the generator and the critic of a WGAN like it: no memory of earlier gradients' direction.
    "adam-0.5-0.9": lambda parameters, lr: torch.optim.Adam(parameters, lr=lr, betas=(0.5, 0.9), fused=True),
    "rmsprop": lambda parameters, lr: _tensorflows_rmsprop(parameters, lr),
}


def _tensorflows_rmsprop(parameters: list[nn.Parameter], lr: float) -> torch.optim.RMSprop:
    """Return RMSprop as TensorFlow 1 has it: the mean square starts at 1, not at 0.

    The detectors here that use it were published with it; torch's own would begin with steps a thousand
    times as large.
    """
    optimizer = torch.optim.RMSprop(parameters, lr=lr, alpha=0.9, eps=1e-10, foreach=True)
    for parameter in parameters:
        optimizer.state[parameter] = {"step": torch.tensor(0.0), "square_avg": torch.ones_like(parameter)}
    return optimizer


class Descent:
    """An optimizer, its learning rate's schedule, and the step down a loss.

    Parameters
    ----------
    parameters
        What is learnt.
    optimizer
        A name in ``OPTIMIZERS``.
    learning_rate
        At the start.
    cosine_over
        Steps over which the rate falls to 0 along half a cosine; None: it stays.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], optimizer: str, learning_rate: float, cosine_over: int | None = None
    ) -> None:
        self.optimizer = OPTIMIZERS[optimizer](list(parameters), learning_rate)
        self.schedule = cosine_over and torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, cosine_over)

    def step(self, loss: Tensor) -> None:
        """Move the parameters along the loss's negative gradient."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.schedule:
            self.schedule.step()


class Curve:
    """The training curve: the mean of each loss since the last logged point.

    Parameters
    ----------
    names
        One for each loss.
    unit
        What the points count: ``epoch`` or ``step``.
    every
        Updates between two points.
    after
        Updates before the first one, of an earlier curve.
    """

    def __init__(self, names: Sequence[str], unit: str, every: int, after: int = 0) -> None:
        self.names, self.unit, self.every, self.after = names, unit, max(every, 1), after
        self._seen = 0
        self._total = [0.0] * len(names)

    def add(self, losses: Tensor) -> None:
        """Take one update's losses, shape ``()`` or ``(n_names,)``.

        Raises
        ------
        PluginError
            If one is not finite.
        """
        self._seen += 1
        if not torch.isfinite(losses).all():
            raise PluginError(
                f"the training loss is no longer finite in {self.unit} {self._at}; try a lower learning_rate"
            )
        self._total = [total + loss for total, loss in zip(self._total, losses.reshape(-1).tolist(), strict=True)]
        if self._seen % self.every:
            return
        log(self._at, **{name: total / self.every for name, total in zip(self.names, self._total, strict=True)})
        self._total = [0.0] * len(self.names)

    @property
    def _at(self) -> int:
        # Epochs are counted from 0, updates by how many there were.
        return (self._seen - 1) // self.every if self.unit == "epoch" else self.after + self._seen


def train(
    network: nn.Module,
    losses_of: Callable[..., Tensor],
    batches: Batches,
    *,
    learning_rate: float,
    optimizer: str = "adam",
    cosine: bool = False,
    names: Sequence[str] = ("loss",),
    after: int = 0,
) -> None:
    """Minimise a loss, or the sum of several that share no parameter, and log the curve.

    Parameters
    ----------
    network
        On the batches' device; left in evaluation mode.
    losses_of
        Called with the tensors of a batch; returns shape ``()``, or ``(n_names,)``: one loss a member.
    batches
        In epochs, a point of the curve is an epoch's mean; in steps, there are fifty points.
    learning_rate, optimizer
        See :class:`Descent`.
    cosine
        Whether the rate falls to 0 along half a cosine.
    names
        Of the losses in the curve.
    after
        Updates before the first one, where several networks are trained one after the other.
    """
    descent = Descent(network.parameters(), optimizer, learning_rate, len(batches) if cosine else None)
    by_epoch = batches.epochs is not None
    every = len(batches) // batches.epochs if batches.epochs else len(batches) // 50
    curve = Curve(names, "epoch" if by_epoch else "step", every, after)
    network.train()
    for batch in track(batches, "step"):
        losses = losses_of(*batch)
        descent.step(losses.sum())
        curve.add(losses.detach())
    network.eval()


def count_parameters(network: nn.Module) -> int:
    """Return the number of a network's parameters.

    Examples
    --------
    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in network.parameters())
