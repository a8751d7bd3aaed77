"""MNIST against Fashion-MNIST, in both directions: what ``adbench list`` needs to know."""

from __future__ import annotations

from adbench_image_sources import remote

from adbench import DatasetSpec, TaskSpec, hookimpl

_SIZES = {
    "quick": {"n_train": 2_000, "n_test": 1_000},
    "standard": {"n_train": 10_000, "n_test": 5_000},
    "full": {"n_train": None, "n_test": None},
}


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer the pair as one dataset with a task for each direction."""
    return [
        DatasetSpec(
            name="mnist-vs-fashion",
            target="adbench_image_pairs.pair:ImagePair",
            summary="One of MNIST and Fashion-MNIST is normal, the other the anomaly.",
            source="LeCun et al. (1998), Gradient-based learning applied to document recognition; "
            "Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747",
            licence="MNIST: CC BY-SA 3.0, as commonly given; Fashion-MNIST: MIT",
            modality="image",
            files=(*remote.MNIST, *remote.FASHION),
            tasks=tuple(
                TaskSpec(name=f"{normal}-normal", setting="novelty", params={"normal": normal}, sizes=_SIZES)
                for normal in ("mnist", "fashion")
            ),
        )
    ]
