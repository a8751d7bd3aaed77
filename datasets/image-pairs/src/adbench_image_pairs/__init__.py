"""MNIST against Fashion-MNIST, and out-of-distribution suites: what ``adbench list`` needs to know."""

from __future__ import annotations

from adbench_image_sources import remote

from adbench import DatasetSpec, RemoteFile, TaskSpec, hookimpl

_SIZES = {
    "quick": {"n_train": 2_000, "n_test": 1_000},
    "standard": {"n_train": 10_000, "n_test": 5_000},
    "full": {"n_train": None, "n_test": None},
}
_LECUN = "LeCun et al. (1998), Gradient-based learning applied to document recognition"
_XIAO = "Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747"
_LICENCE = "MNIST: CC BY-SA 3.0, as commonly given; Fashion-MNIST: MIT"

_OMNIGLOT = RemoteFile(
    path="omniglot/images_evaluation.zip",
    urls=("https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_evaluation.zip",),
    checksum="md5:6b91aef0f799c5bb55b94e3f2daec811",
)
_SVHN = RemoteFile(
    path="svhn/test_32x32.mat",
    urls=("http://ufldl.stanford.edu/housenumbers/test_32x32.mat",),
    checksum="md5:eb5a983be6a315427106f1b164d9cef3",
    size=64_275_384,
)
_CIFAR100 = RemoteFile(
    path="cifar100/cifar-100-python.tar.gz",
    urls=("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",),
    checksum="md5:eb9058c3a382ffc7106e4002c42a8d85",
)
_GREY = (*remote.MNIST, *remote.FASHION, *remote.EMNIST, *remote.KMNIST, _OMNIGLOT)
_COLOUR = (*remote.CIFAR10, *remote.MNIST, *remote.FASHION, _SVHN, _CIFAR100)
# Normal set -> its name, the files of its dataset, and how many normal images a test set holds in ``full``: in
# colour fewer, since all test sets of a split are in memory at once.
_NORMAL = {
    "mnist": ("MNIST", _GREY, 10_000, 10_000, 1_000),
    "fashion": ("Fashion-MNIST", _GREY, 10_000, 10_000, 1_000),
    "cifar10": ("CIFAR-10", _COLOUR, 5_000, 1_000, 500),
}


@hookimpl
def adbench_datasets() -> list[DatasetSpec]:
    """Offer the pair as one dataset with a task for each direction, and a suite for each normal set."""
    pair = DatasetSpec(
        name="mnist-vs-fashion",
        target="adbench_image_pairs.pair:ImagePair",
        summary="One of MNIST and Fashion-MNIST is normal, the other the anomaly.",
        source=f"{_LECUN}; {_XIAO}",
        licence=_LICENCE,
        modality="image",
        files=(*remote.MNIST, *remote.FASHION),
        tasks=tuple(
            TaskSpec(name=f"{normal}-normal", setting="novelty", params={"normal": normal}, sizes=_SIZES)
            for normal in ("mnist", "fashion")
        ),
    )
    return [pair, *map(_suite, _NORMAL)]


def _suite(normal: str) -> DatasetSpec:
    title, files, n_suite, n_published, n_corrupted = _NORMAL[normal]
    return DatasetSpec(
        name=f"ood-{normal}",
        target="adbench_image_pairs.ood:OutOfDistribution",
        params={"normal": normal},
        summary=f"{title} is normal; other sets, flips, noise, blobs and attacks are anomalies, a test set each.",
        source=f"Protocol: github.com/hschoi1/rich_latent, github.com/123epsilon/AnomalyDetection; {_LECUN}; {_XIAO}; "
        "Krizhevsky (2009), Learning multiple layers of features from tiny images; "
        "Cohen, Afshar, Tapson and van Schaik (2017), arXiv:1702.05373; Hendrycks and Dietterich (2019), "
        "Benchmarking neural network robustness to common corruptions and perturbations; "
        "Goodfellow, Shlens and Szegedy (2015), Explaining and harnessing adversarial examples",
        licence=f"{_LICENCE}; EMNIST: NIST data, US government work; CIFAR-10: none stated",
        modality="image",
        files=files,
        preload=("PIL.Image", "scipy.ndimage"),
        tasks=(
            _task("suite", "suite", {"quick": 300, "standard": 2_000, "full": n_suite}, default=True),
            _task(
                "suite-published",
                "published-suite",
                {"quick": 500, "standard": 1_000, "full": n_published},
                lane="published",
            ),
            _task("corruptions", "corruptions", {"quick": 100, "standard": 300, "full": n_corrupted}),
            _task(
                "perturbations",
                "perturbations",
                {"quick": 300, "standard": 1_000, "full": 2_000},
                n_sequences={"quick": 20, "standard": 50, "full": 100},
            ),
        ),
    )


def _task(
    name: str,
    anomalies: str,
    n_test: dict[str, int],
    n_sequences: dict[str, int] | None = None,
    *,
    default: bool = False,
    lane: str = "corrected",
) -> TaskSpec:
    n_train = {"quick": 2_000, "standard": 10_000, "full": None}
    sizes = {profile: {"n_train": n_train[profile], "n_test": n_test[profile]} for profile in n_train}
    for profile, n in (n_sequences or {}).items():
        sizes[profile]["n_sequences"] = n
    return TaskSpec(
        name=name, setting="novelty", lane=lane, default=default, params={"anomalies": anomalies}, sizes=sizes
    )
