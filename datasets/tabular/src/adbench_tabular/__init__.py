"""Tables: ADBench's "Classical" sets, scikit-learn's breast cancer data, and a user's own tables and images."""

from __future__ import annotations

from adbench import DatasetSpec, hookimpl
from adbench_tabular.address import open_file
from adbench_tabular.classical import classical_specs
from adbench_tabular.tasks import NOVELTY, OUTLIER, PRELOAD, PYOD_6040


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer each ADBench file as a dataset of its own, and one table that is always there."""
    breast_cancer = DatasetSpec(
        name="breast-cancer",
        target="adbench_tabular.tables:BreastCancer",
        summary="Cell nuclei in breast tissue; malignant is the anomaly (scikit-learn's Wisconsin data).",
        source="Wolberg, Mangasarian, Street and Street (1993), doi:10.24432/C5DW2B",
        licence="CC BY 4.0",
        modality="table",
        tasks=(NOVELTY, OUTLIER, PYOD_6040),
        preload=PRELOAD,
    )
    return [breast_cancer, *classical_specs()]


@hookimpl
def adbench_open_dataset(address: str) -> DatasetSpec | None:
    """Open ``file:PATH#key=value&key=value``."""
    return open_file(address)
