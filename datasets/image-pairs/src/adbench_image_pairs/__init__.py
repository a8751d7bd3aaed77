"""MNIST against Fashion-MNIST, and out-of-distribution suites: what ``adbench list`` needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adbench_image_sources import remote

from adbench import DatasetSpec, RemoteFile, TaskSpec, hookimpl

_SIZES = {
    "quick": {"n_train": 2_000, "n_test": 1_000},
    "standard": {"n_train": 10_000, "n_test": 5_000},
    "full": {"n_train": None, "n_test": None},
}
_PROTOCOLS = (
    "Protocol: github.com/hschoi1/rich_latent, github.com/123epsilon/AnomalyDetection",
    "Hendrycks and Dietterich (2019), Benchmarking neural network robustness to common corruptions and perturbations",
    "Goodfellow, Shlens and Szegedy (2015), Explaining and harnessing adversarial examples",
)
_KRIZHEVSKY = "Krizhevsky (2009), Learning multiple layers of features from tiny images"


@dataclass(frozen=True)
class _Set:
    """What a reader must know of a set of images: its name, who made it, on what terms, and where it is."""

    title: str
    source: str
    licence: str
    files: tuple[RemoteFile, ...] = ()


_MNIST = _Set(
    "MNIST",
    "LeCun et al. (1998), Gradient-based learning applied to document recognition",
    "CC BY-SA 3.0, as commonly given",
    remote.MNIST,
)
_FASHION = _Set("Fashion-MNIST", "Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747", "MIT", remote.FASHION)
_CIFAR10 = _Set("CIFAR-10", _KRIZHEVSKY, "none stated", remote.CIFAR10)
_GREY = (
    _Set(
        "EMNIST",
        "Cohen, Afshar, Tapson and van Schaik (2017), arXiv:1702.05373",
        "NIST data, US government work",
        remote.EMNIST,
    ),
    _Set("KMNIST", "Clanuwat et al. (2018), arXiv:1812.01718, doi:10.20676/00000341", "CC BY-SA 4.0", remote.KMNIST),
    _Set("notMNIST", "Bulatov (2011), yaroslavvb.blogspot.com/2011/09/notmnist-dataset.html", "none stated"),
    _Set(
        "Omniglot",
        "Lake, Salakhutdinov and Tenenbaum (2015), doi:10.1126/science.aab3050",
        "MIT",
        (remote.OMNIGLOT,),
    ),
)
_COLOUR = (
    _Set(
        "SVHN",
        "Netzer et al. (2011), Reading digits in natural images with unsupervised feature learning",
        "non-commercial use only",
        (remote.SVHN,),
    ),
    _Set("CIFAR-100", _KRIZHEVSKY, "none stated", (remote.CIFAR100,)),
)
# Normal set -> all sets that its suite can hold, how many images train in ``quick``, and how many normal images a
# test set holds in ``full``: in
# colour fewer, since all test sets of a split are in memory at once.
_NORMAL = {
    "mnist": ((_MNIST, _FASHION, *_GREY), 1_000, 10_000, 10_000, 1_000),
    "fashion": ((_FASHION, _MNIST, *_GREY), 1_000, 10_000, 10_000, 1_000),
    "cifar10": ((_CIFAR10, _MNIST, _FASHION, *_COLOUR), 500, 5_000, 1_000, 500),
}


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer the pair as one dataset with a task for each direction, and a suite for each normal set."""
    pair = DatasetSpec(
        name="mnist-vs-fashion",
        target="adbench_image_pairs.pair:ImagePair",
        summary="One of MNIST and Fashion-MNIST is normal, the other the anomaly.",
        modality="image",
        **_told_of((_MNIST, _FASHION)),
        tasks=(
            *(
                TaskSpec(name=f"{normal}-normal", setting="novelty", params={"normal": normal}, sizes=_SIZES)
                for normal in ("mnist", "fashion")
            ),
            # Three dense and convolutional autoencoders, judged by eye on the first 50 images of each set.
            _published("mnist-normal-first-50", "mnist", {"n_test": 50, "first": True}),
            # A CNN autoencoder with a two-sided rule, in both directions.
            *(
                _published(
                    f"{normal}-normal-4000", normal, {"n_train": 10_000, "n_test": 1_000, "n_of_each_part": 2_000}
                )
                for normal in ("mnist", "fashion")
            ),
        ),
    )
    return [pair, *map(_suite, _NORMAL)]


def _published(name: str, normal: str, params: dict[str, Any]) -> TaskSpec:
    params = {"normal": normal, **params}
    return TaskSpec(name=name, setting="novelty", lane="published", default=False, params=params)


def _suite(normal: str) -> DatasetSpec:
    sets, n_train, n_suite, n_published, n_corrupted = _NORMAL[normal]
    title = sets[0].title
    return DatasetSpec(
        name=f"ood-{normal}",
        target="adbench_image_pairs.ood:OutOfDistribution",
        params={"normal": normal},
        summary=f"{title} is normal; other sets, flips, noise, blobs and attacks are anomalies, a test set each.",
        modality="image",
        **_told_of(sets, *_PROTOCOLS),
        preload=("PIL.Image", "scipy.ndimage"),
        tasks=(
            _task("suite", {"quick": 100, "standard": 2_000, "full": n_suite}, n_train, default=True),
            _task("suite-published", {"quick": 500, "standard": 1_000, "full": n_published}, n_train, lane="published"),
            _task("corruptions", {"quick": 100, "standard": 300, "full": n_corrupted}, n_train),
            _task(
                "perturbations",
                {"quick": 300, "standard": 1_000, "full": 2_000},
                n_train,
                n_sequences={"quick": 20, "standard": 50, "full": 100},
            ),
        ),
    )


def _told_of(sets: tuple[_Set, ...], *others: str) -> dict[str, Any]:
    """Return source, licence and files of a dataset that can hold these sets."""
    return {
        "source": "; ".join(dict.fromkeys((*others, *(each.source for each in sets)))),
        "licence": "; ".join(f"{each.title}: {each.licence}" for each in sets),
        "files": tuple(file for each in sets for file in each.files),
    }


def _task(
    name: str,
    n_test: dict[str, int],
    n_train: int,
    n_sequences: dict[str, int] | None = None,
    *,
    default: bool = False,
    lane: str = "corrected",
) -> TaskSpec:
    trained = {"quick": n_train, "standard": 10_000, "full": None}
    sizes = {profile: {"n_train": n, "n_test": n_test[profile]} for profile, n in trained.items()}
    for profile, n in (n_sequences or {}).items():
        sizes[profile]["n_sequences"] = n
    return TaskSpec(name=name, setting="novelty", lane=lane, default=default, params={"anomalies": name}, sizes=sizes)
