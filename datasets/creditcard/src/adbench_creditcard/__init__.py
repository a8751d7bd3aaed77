"""Credit card fraud: what ``adbench list`` and ``adbench data`` need to know."""

from __future__ import annotations

from typing import Any

from adbench import DatasetSpec, RemoteFile, TaskSpec, hookimpl


def _task(name: str, setting: str, quick: dict[str, int], standard: dict[str, int], **rest: Any) -> TaskSpec:
    sizes = {"quick": quick, "standard": standard}  # full: all rows
    return TaskSpec(name=name, setting=setting, params={"protocol": name}, sizes=sizes, **rest)


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer the table under four sound protocols, and under the two published ones of rich_latent."""
    published: dict[str, Any] = {"lane": "published", "default": False}
    return [
        DatasetSpec(
            name="creditcard",
            target="adbench_creditcard.dataset:CreditCard",
            summary="European card payments of two days in 2013, or their synthetic twin; the anomalies are frauds.",
            source="Dal Pozzolo, Caelen, Johnson and Bontempi (2015), Calibrating probability with undersampling for "
            "unbalanced classification, IEEE SSCI, doi:10.1109/SSCI.2015.33",
            licence="DbCL 1.0, the database ODbL 1.0 (Machine Learning Group, ULB); the synthetic twin: MIT",
            modality="table",
            tasks=(
                _task("novelty", "novelty", {"n_train": 4_000, "n_test": 4_000}, {"n_train": 50_000, "n_test": 50_000}),
                _task("outlier", "outlier", {"n_train": 10_000}, {"n_train": 50_000}),
                _task("balanced", "novelty", {"n_train": 4_000}, {"n_train": 50_000}),
                _task(
                    "supervised",
                    "supervised",
                    {"n_train": 20_000, "n_test": 20_000},
                    {"n_train": 100_000, "n_test": 100_000},
                ),
                _task("balanced-published", "novelty", {"n_train": 4_000}, {"n_train": 50_000}, **published),
                _task("supervised-published", "supervised", {"n_train": 20_000}, {"n_train": 100_000}, **published),
            ),
            files=(
                RemoteFile(
                    path="creditcard/creditcard.csv",
                    # Three copies with the same bytes; Kaggle's is the original, and may ask for an account.
                    urls=(
                        "https://storage.googleapis.com/download.tensorflow.org/data/creditcard.csv",
                        "https://zenodo.org/records/7395559/files/creditcard.csv",
                        "kaggle:mlg-ulb/creditcardfraud/creditcard.csv",
                    ),
                    checksum="md5:e90efcb83d69faf99fcab8b0255024de",
                    size=150_828_752,
                ),
            ),
            preload=("sklearn.preprocessing", "adbench_creditcard.protocols"),
        )
    ]
