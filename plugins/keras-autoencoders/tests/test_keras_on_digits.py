"""What the detectors are worth on real images, through the harness as a user runs it."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

import adbench

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "mnist").is_dir(), reason="needs mnist and fashion_mnist in ADBENCH_DATA"),
    pytest.mark.skipif(find_spec("adbench_image_pairs") is None, reason="needs adbench-image-pairs"),
]


@pytest.mark.parametrize(
    ("name", "score", "n_train", "budget"),
    [
        ("keras-dense-ae", "mse", 8_000, {"epochs": 10, "batch_size": 32}),
        ("keras-deep-ae", "mse", 8_000, {"epochs": 10, "batch_size": 32}),
        ("keras-conv-ae", "mse", 5_000, {"epochs": 3, "batch_size": 16}),
        ("keras-conv-vae", "elbo", 4_000, {"epochs": 2, "batch_size": 32}),
        ("keras-cnn-shallow", "bce", 2_000, {"epochs": 2, "batch_size": 32}),
    ],
)
def test_garments_are_told_from_digits(name, score, n_train, budget, tmp_path, monkeypatch):
    """With digits normal, the AUROC against garments is .99 or more after moderate training."""
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "cache"))

    results = adbench.run(
        [name],
        ["mnist-vs-fashion/mnist-normal"],
        seeds=1,
        jobs=1,
        store=tmp_path / "store",
        settings={name: budget, "mnist-vs-fashion": {"n_train": n_train, "n_test": 1_000}},
    ).to_frame()

    assert set(results.status) == {"ok"}
    found = results[(results.score == score) & (results.metric == "auroc")].value
    assert len(found) == 1 and found.iloc[0] >= 0.99
