"""The training loop and the batched evaluation that all networks of this package share."""

from __future__ import annotations

import math
from contextlib import contextmanager

import numpy as np
import torch

from adbench import PluginError, log, track


def pick_device(name):
    """Return the torch device ``name``; ``auto`` is the first GPU, or the processor if there is none."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


@contextmanager
def seeded(seed, device):
    """Draw from ``seed`` inside the block and leave torch's global streams as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def train(network, X, loss_of, *, epochs, batch_size, learning_rate, device):
    """Minimise ``loss_of(network, batch)`` by Adam and log each epoch's mean.

    Parameters
    ----------
    network : nn.Module
        On ``device``; left in evaluation mode.
    X : ndarray of shape (n_samples, ...)
        Training rows; a batch at a time is copied to the device.
    loss_of : callable
        ``(network, batch) -> scalar tensor``, the mean over the batch.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=True)
    network.train()
    for epoch in track(range(epochs), "epoch"):
        total = 0.0
        for chosen in torch.randperm(len(X)).split(batch_size):
            batch = _tensor(X[chosen.numpy()], device)
            loss = loss_of(network, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if not math.isfinite(total):
            raise PluginError(f"the training loss is no longer finite in epoch {epoch}; try a lower learning_rate")
        log(epoch, loss=total / len(X))
    network.eval()


@torch.inference_mode()
def evaluate(function, X, device, batch_size=1024):
    """Apply ``function`` to the rows of ``X`` in batches; return its results as one array."""
    return np.concatenate(
        [
            function(_tensor(X[start : start + batch_size], device)).cpu().numpy()
            for start in range(0, max(len(X), 1), batch_size)
        ]
    )


def input_gradient(function, X, device, batch_size=1024):
    """Return the gradient of ``function``, one number a row, by each row of ``X``; in ``X``'s shape."""
    gradients = []
    for start in range(0, max(len(X), 1), batch_size):
        batch = _tensor(X[start : start + batch_size], device).requires_grad_()
        # Rows do not act on one another, so the gradient of the sum holds each row's own.
        (gradient,) = torch.autograd.grad(function(batch).sum(), batch)
        gradients.append(gradient.cpu().numpy())
    return np.concatenate(gradients)


def _tensor(rows, device):
    # A copy: torch warns of arrays it could not write to, such as memory-mapped ones.
    return torch.from_numpy(np.array(rows, dtype=np.float32)).to(device)
