"""The one-class SVM at 20,000 x 784: Nystroem and SGD against libsvm's exact solution."""

import gzip
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import adbench

ROWS = 20_000


def images(folder):
    path = Path(os.environ["ADBENCH_DATA"]) / folder / "train-images-idx3-ubyte.gz"
    pixels = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16).reshape(-1, 784)
    return pixels[: 2 * ROWS].astype(np.float32) / 255


@pytest.mark.slow
@pytest.mark.skipif("ADBENCH_DATA" not in os.environ, reason="needs real images in ADBENCH_DATA")
def test_nystroem_against_exact(benchmark):
    """At least 50 x faster in fit and score, AUROC within .01; minutes, nearly all of them libsvm's."""
    ocsvm = pytest.importorskip("adbench_baselines.ocsvm", reason="needs the baselines")
    normal, other = images("mnist"), images("fashion_mnist")
    X, test = normal[:ROWS], np.concatenate([normal[ROWS : ROWS + ROWS // 2], other[: ROWS // 2]])
    y = np.repeat([0, 1], ROWS // 2)
    found = {}

    def run(solver):
        started = time.perf_counter()
        scores = ocsvm.OneClassSVM(solver=solver).fit(X, seed=0).score(test)
        found[solver] = time.perf_counter() - started, adbench.evaluate(y, scores).auroc

    run("exact")
    benchmark.pedantic(run, args=("nystroem",), rounds=1)
    (slow, exact), (fast, approximate) = found["exact"], found["nystroem"]
    benchmark.extra_info |= {"ratio": round(slow / fast, 1), "auroc_difference": round(approximate - exact, 4)}
    sys.__stdout__.write(
        f"\n{slow:.0f} s against {fast:.1f} s: {slow / fast:.0f} x; AUROC {exact:.4f}, {approximate:.4f}\n"
    )
