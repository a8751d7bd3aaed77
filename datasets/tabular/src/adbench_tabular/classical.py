"""ADBench's "Classical" files: what there is, where it comes from, and how it is checked after fetching."""

from __future__ import annotations

from adbench import DatasetSpec, RemoteFile
from adbench_tabular.tasks import FIRST_HALF, NOVELTY, OUTLIER, PRELOAD, PYOD_6040

_UPSTREAM = "https://raw.githubusercontent.com/Minqi824/ADBench/main/adbench/datasets/Classical"

# The 47 official files, with the field that ADBench's paper gives for each.
_FILES = """
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

# Names that a reader would take for another dataset. ODDS tells how mnist was made; fraud is the credit card
# data (284,807 rows) without the column Time.
_REMARKS = {
    "24_mnist": "a table of MNIST digits, 0 normal and 6 anomalous, 100 of 784 pixels; not the image set",
    "13_fraud": "the credit card data without Time, as ADBench has it",
}

# sha256 of the files at commit 3dac8221; none is published, so the others are judged by their contents alone.
_SHA256 = {
    "2_annthyroid": "e738f7c58a8740d2c4aac4c71ff49ce5e1d1aa16f44178135fc9c09df05fad1b",
    "4_breastw": "4f37ce07dbc25ddad8178fdc6d664ab46d2d0000ee28c2787c3c7ff3c03ef9f6",
    "6_cardio": "bc5009bde6930b4d298b594f31b34485a9a17210cff0e8fb00a8c3068b885a2d",
    "14_glass": "aa7a8db1d475ba01a10488af454bc15220a3d5951b010b03b7020567d8152cdc",
    "18_Ionosphere": "bca46cb0cfd1bf9ddef6cde5ad2215d54fb0189508d0d4c4eb98e788cad69001",
    "23_mammography": "a0308ac9712d78321073b1c2dc98dc37665c0f35c1cc33019416fe8f8d7de7ea",
    "29_Pima": "215454bb263a2f040945c9ea7bd7f06f1e89a61a3143bdb6f196e3887e801a7d",
    "38_thyroid": "8de161b3f235b7647bb0b39a836d983ff61d67bf234edac461da2d71e889cb87",
    "40_vowels": "4bfc4244d1c882773bbbc50d4a5db5e52276e53506e46b2d45e02d074cfcb1b6",
    "45_wine": "d5ad8965d92cc57122fe1e6572bb301adbaf795b3e166d187ae00a704d8f6e20",
}


def classical_specs() -> list[DatasetSpec]:
    """Return each file as a dataset of its own, named by its set in lower case."""
    return [_spec(stem, field) for stem, field in zip(_FILES[::2], _FILES[1::2], strict=True)]


def _spec(stem: str, field: str) -> DatasetSpec:
    remark = f": {_REMARKS[stem]}" if stem in _REMARKS else ""
    checksum = f"sha256:{_SHA256[stem]}" if stem in _SHA256 else ""
    return DatasetSpec(
        name=stem.partition("_")[2].lower(),
        target="adbench_tabular.tables:ClassicalTable",
        summary=f"ADBench Classical {stem} ({field}){remark}.",
        source="Han et al. (2022), ADBench: Anomaly Detection Benchmark, arXiv:2206.09426",
        licence="BSD-2-Clause (ADBench); the data from ODDS, UCI and similar public collections",
        modality="table",
        tasks=(NOVELTY, OUTLIER, PYOD_6040, FIRST_HALF),
        preload=PRELOAD,
        params={"file": f"{stem}.npz", "checksum": checksum},
        files=(RemoteFile(path=f"adbench_classical/{stem}.npz", urls=(f"{_UPSTREAM}/{stem}.npz",), checksum=checksum),),
    )
