"""CIFAR-10, one class against the other nine: what ``adbench list`` needs to know."""

from __future__ import annotations

from adbench_image_sources import remote
from adbench_image_sources.cifar_classes import CLASSES

from adbench import DatasetSpec, TaskSpec, hookimpl

# One to nine, as in the full test set: average precision can be compared between profiles. The ten tasks are
# one dataset of many trials, so each is small in quick; the stand-in has twice as many images.
_SIZES = {
    "quick": {"n_train": 250, "n_normal": 50, "n_anomaly": 450},
    "standard": {"n_train": 2_500, "n_normal": 500, "n_anomaly": 4_500},
    "full": {"n_train": None, "n_normal": None, "n_anomaly": None},
}


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer a task for each class, and the reference's own."""
    return [
        DatasetSpec(
            name="cifar10",
            target="adbench_cifar10.one_class:OneClass",
            summary="One class of CIFAR-10 is normal, the other nine are anomalies.",
            source="Krizhevsky (2009), Learning multiple layers of features from tiny images",
            licence="none stated; cite Krizhevsky (2009)",
            modality="image",
            files=remote.CIFAR10,
            tasks=(
                *(TaskSpec(name=name, setting="novelty", params={"normal": name}, sizes=_SIZES) for name in CLASSES),
                # All rows in every profile.
                TaskSpec(
                    name="cat-published", setting="novelty", lane="published", default=False, params={"normal": "cat"}
                ),
            ),
        )
    ]
