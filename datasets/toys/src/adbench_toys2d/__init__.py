"""Toy sets in two dimensions, for documentation and tests: what a good score looks like is known there."""

from __future__ import annotations

from adbench import DatasetSpec, TaskSpec, hookimpl

_SUMMARIES = {
    "gaussian": "Normal rows from N((5, 5), I)",
    "gaussian-narrow": "Normal rows from N((5, 5), 0.25 I)",
    "moons": "Normal rows around two interleaved half circles",
    "rings": "Normal rows around two concentric circles",
    "clusters": "Normal rows in three clusters of different density",
}
_SIZES = {
    "quick": {"n_train": 1_000, "n_test": 500},
    "standard": {"n_train": 5_000, "n_test": 1_000},
    "full": {"n_train": 10_000, "n_test": 2_000},
}
_RICH_LATENT = (
    "the 2-D notebooks of github.com/hschoi1/rich_latent, after Choi, Jang and Alemi (2018), arXiv:1810.01392"
)
# Not by default: the main board is of real data.
_NOVELTY = TaskSpec(name="novelty", setting="novelty", default=False, sizes=_SIZES)


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer each shape as a dataset of its own."""
    return [
        DatasetSpec(
            name=f"toy-{shape}",
            target="adbench_toys2d.toys:Toy",
            summary=f"{summary}; anomalies uniform over [0, 10]^2 (generated).",
            source=_RICH_LATENT if shape.startswith("gaussian") else "ours",
            licence="MIT (generated)",
            modality="table",
            tasks=(_NOVELTY,),
            params={"shape": shape},
        )
        for shape, summary in _SUMMARIES.items()
    ]
