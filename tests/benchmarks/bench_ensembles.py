"""Five dense VAEs on the credit card data: trained as one batched computation, and one after the other."""

import os
import statistics
import time

import numpy as np
import pytest

STEPS = 300


@pytest.fixture(scope="module")
def rows():
    """The training rows of creditcard/novelty, in [0, 1]."""
    if "ADBENCH_DATA" not in os.environ:
        pytest.skip("needs the real table in ADBENCH_DATA")
    creditcard = pytest.importorskip("adbench_creditcard.dataset")
    from pathlib import Path

    from adbench import Finder

    dataset = creditcard.CreditCard()
    arrays = dataset.load(dataset.locate(Finder((Path(os.environ["ADBENCH_DATA"]),))))
    X = dataset.split(arrays, seed=0, repetition=0, protocol="novelty").X_train
    return ((X - X.min(axis=0)) / np.ptp(X, axis=0)).astype(np.float32)


@pytest.mark.parametrize("batch_size", [128, 512])
@pytest.mark.parametrize("prior", ["normal", "mixture", "flows"])
def test_five_members_together_and_in_sequence(benchmark, tell, rows, prior, batch_size):
    """Seconds of both, alternating, on one thread; the flows' arithmetic is the same either way."""
    pytest.importorskip("adbench_deep_ensembles")
    import torch
    from adbench_deep_ensembles.vae import dense_networks
    from adbench_deep_ensembles.vae_detector import DenseVaeEnsemble

    class OneByOne(DenseVaeEnsemble):
        def make_groups(self, shape):
            return [self.make_group(1, *dense_networks(1, shape[0], self.latent, ())) for _ in range(self.members)]

    torch.set_num_threads(1)
    steps = STEPS if prior != "flows" else STEPS // 10
    settings = {"prior": prior, "steps": steps, "batch_size": batch_size, "n_train_samples": 1, "n_samples": 1}
    seconds = {DenseVaeEnsemble: [], OneByOne: []}
    losses = {}

    def train(kind):
        detector = kind(**settings, learning_rate=1e-2, flow_hidden=64)
        started = time.perf_counter()
        detector.fit(rows, seed=0)
        seconds[kind].append(time.perf_counter() - started)
        losses[kind] = detector.score(rows[:2000])["elbo-mean"].mean()

    train(DenseVaeEnsemble)  # the first optimizer takes a second
    seconds[DenseVaeEnsemble].clear()
    for _ in range(3):
        train(OneByOne)
        train(DenseVaeEnsemble)
    benchmark.pedantic(train, args=(DenseVaeEnsemble,), rounds=1)
    together, alone = (statistics.median(seconds[kind][:3]) for kind in (DenseVaeEnsemble, OneByOne))
    benchmark.extra_info |= {"ratio": round(alone / together, 2)}
    tell(
        f"prior {prior}, batch {batch_size}: {1e3 * together / steps:.2f} ms a step together, "
        f"{1e3 * alone / steps:.2f} in sequence: {alone / together:.2f} x; "
        f"mean energy {losses[DenseVaeEnsemble]:.3f}, {losses[OneByOne]:.3f}"
    )
