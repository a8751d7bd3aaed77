"""Tables: ADBench's "Classical" sets, scikit-learn's breast cancer data, and a user's own files."""

from __future__ import annotations

from adbench import DatasetSpec, hookimpl
from adbench_tabular.address import open_file
from adbench_tabular.tasks import FIRST_HALF, NOVELTY, OUTLIER, PRELOAD, PYOD_6040

# The 47 official files, with the field that ADBench's paper gives for each.
_CLASSICAL = """
1_ALOI image               2_annthyroid healthcare    3_backdoor network         4_breastw healthcare
5_campaign finance         6_cardio healthcare        7_Cardiotocography healthcare
8_celeba image             9_census sociology         10_cover botany            11_donors sociology
12_fault physical          13_fraud finance           14_glass forensic          15_Hepatitis healthcare
16_http web                17_InternetAds image       18_Ionosphere oryctognosy  19_landsat astronautics
20_letter image            21_Lymphography healthcare 22_magic.gamma physical    23_mammography healthcare
24_mnist image             25_musk chemistry          26_optdigits image         27_PageBlocks document
28_pendigits image         29_Pima healthcare         30_satellite astronautics  31_satimage-2 astronautics
32_shuttle astronautics    33_skin image              34_smtp web                35_SpamBase document
36_speech linguistics      37_Stamps document         38_thyroid healthcare      39_vertebral biology
40_vowels linguistics      41_Waveform physics        42_WBC healthcare          43_WDBC healthcare
44_Wilt botany             45_wine chemistry          46_WPBC healthcare         47_yeast biology
""".split()


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer each ADBench file as a dataset of its own, and one table that is always there."""
    return [
        DatasetSpec(
            name="breast-cancer",
            target="adbench_tabular.tables:BreastCancer",
            summary="Cell nuclei in breast tissue; malignant is the anomaly (scikit-learn's Wisconsin data).",
            source="Wolberg, Mangasarian, Street and Street (1993), doi:10.24432/C5DW2B",
            licence="CC BY 4.0",
            modality="table",
            tasks=(NOVELTY, OUTLIER),
            preload=PRELOAD,
        ),
        *(
            DatasetSpec(
                name=stem.partition("_")[2].lower(),
                target="adbench_tabular.tables:ClassicalTable",
                summary=f"ADBench Classical {stem} ({field}).",
                source="Han et al. (2022), ADBench: Anomaly Detection Benchmark, arXiv:2206.09426",
                licence="BSD-2-Clause (ADBench); the data from ODDS, UCI and similar public collections",
                modality="table",
                tasks=(NOVELTY, OUTLIER, PYOD_6040, FIRST_HALF),
                preload=PRELOAD,
                params={"file": f"{stem}.npz"},
            )
            for stem, field in zip(_CLASSICAL[::2], _CLASSICAL[1::2], strict=True)
        ),
    ]


@hookimpl
def adbench_open_dataset(address: str) -> DatasetSpec | None:
    """Open ``file:PATH#key=value&key=value``."""
    return open_file(address)
