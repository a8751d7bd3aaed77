"""One regular class with a few impurities of all others: what ``adbench list`` needs to know."""

from __future__ import annotations

from adbench_image_sources import remote

from adbench import DatasetSpec, TaskSpec, hookimpl

# Regular images; impurities come on top. ``full`` is the reference's 4,000 + 125 and 800 + 25.
_SIZES = {
    "quick": {"n_train": 800, "n_test": 800},
    "standard": {"n_train": 1_600, "n_test": 800},
    "full": {"n_train": 4_000, "n_test": 800},
}
_LETTERS = {"images": "letters", "normal": "A"}


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer the protocol over letters, digits and fashion, and over letters as it was published."""
    return [
        DatasetSpec(
            name="emnist-impurities",
            target="adbench_image_letters.impurities:Impurities",
            summary="One letter (digit, garment) is regular; 3 % of the training images are impurities of the others.",
            source="Protocol: github.com/LordAlucard90/Variational-AutoEncoder-For-Novelty-Detection; data: "
            "Cohen, Afshar, Tapson and van Schaik (2017), arXiv:1702.05373; LeCun et al. (1998), Gradient-based "
            "learning applied to document recognition; Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747",
            licence="EMNIST: NIST data, US government work; MNIST: CC BY-SA 3.0, as commonly given; Fashion-MNIST: MIT",
            modality="image",
            files=(*remote.EMNIST, *remote.MNIST, *remote.FASHION),
            tasks=(
                TaskSpec(name="letters", setting="outlier", params=_LETTERS, sizes=_SIZES),
                TaskSpec(name="digits", setting="outlier", params={"images": "digits", "normal": 0}, sizes=_SIZES),
                TaskSpec(
                    name="fashion",
                    setting="outlier",
                    params={"images": "fashion", "normal": 0},
                    sizes=_SIZES,
                    images_licence="MIT",
                ),
                TaskSpec(
                    name="letters-published",
                    setting="outlier",
                    lane="published",
                    default=False,
                    params={**_LETTERS, "n_train": 4_000, "n_test": 800, "n_validation": 800},
                ),
            ),
        )
    ]
