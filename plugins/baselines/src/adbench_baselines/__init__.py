"""Baselines for adbench: trivial floors, one-class SVMs and PyOD's detectors."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from adbench import DetectorSpec, hookimpl

_SVM_MODULES = ("numpy", "sklearn.svm", "sklearn.linear_model", "sklearn.kernel_approximation")
_PYOD_MODULES = (
    "numpy",
    "sklearn.cluster",
    "sklearn.covariance",
    "sklearn.decomposition",
    "sklearn.ensemble",
    "sklearn.mixture",
    "sklearn.neighbors",
    "sklearn.svm",
    "pyod.models.base",
    "adbench_baselines.pyod_wrapper",
)
# These call numba functions: compiled once before forking, not again in every trial.
_COMPILED_MODULES = (*_PYOD_MODULES, "adbench_baselines.pyod_compiled")
_TORCH_MODULES = (*_PYOD_MODULES, "torch", "torch._dynamo")


@hookimpl
def adbench_detectors() -> list[DetectorSpec]:
    """List the floors, the one-class SVMs, logistic regression and PyOD's detectors."""
    return [
        _floor("random", "RandomScores", "A uniform number made from the seed and the row: AUROC .5."),
        _floor("constant", "ConstantScores", "The same score for every row: one great tie, AUROC .5."),
        _floor("mean-distance", "MeanDistance", "Euclidean distance to the training mean."),
        _floor("pixel-energy", "PixelEnergy", "Mean squared intensity of an image.", accepts=("image",)),
        _floor(
            "image-complexity",
            "ImageComplexity",
            "Bits a number that lossless compression of an image takes.",
            source="Serrà et al. (2020), ICLR",
            accepts=("image",),
        ),
        DetectorSpec(
            name="ocsvm",
            target="adbench_baselines.ocsvm:OneClassSVM",
            summary="One-class SVM, RBF kernel: exact for few rows, Nystroem features and SGD for many.",
            source="Schölkopf et al. (2001), Neural Computation 13(7); Williams & Seeger (2001), NeurIPS",
            family="one-class-svm",
            groups=("baselines",),
            preload=_SVM_MODULES,
        ),
        DetectorSpec(
            name="ocsvm-gammas",
            target="adbench_baselines.ocsvm_gammas:OneClassSVMGammas",
            summary="One-class SVM, RBF kernel, nu = 25/825, one score for each gamma from 1e-1 to 1e-9.",
            source="LordAlucard90/Variational-AutoEncoder-For-Novelty-Detection; Schölkopf et al. (2001)",
            family="one-class-svm",
            groups=("baselines",),
            # The headline, declared: the power of ten nearest to 1 / (n_features * variance) of images.
            scores=tuple(f"gamma-1e-{exponent}" for exponent in (2, 1, 3, 4, 5, 6, 7, 8, 9)),
            preload=_SVM_MODULES,
        ),
        DetectorSpec(
            name="logistic-regression",
            target="adbench_baselines.supervised:LogisticRegression",
            summary="Logistic regression with balanced classes: log-odds of being an anomaly.",
            source="King & Zeng (2001), Political Analysis 9(2)",
            family="linear",
            groups=("baselines", "supervised"),
            supervision="labels",
            preload=_SVM_MODULES,
        ),
        _pyod(
            name="pyod-iforest",
            detector="IForest",
            summary="Isolation forest: how few random cuts isolate a row.",
            source="Liu, Ting & Zhou (2008), ICDM",
            family="ensemble",
        ),
        _pyod(
            name="pyod-ecod",
            detector="ECOD",
            summary="Sum over features of the empirical tail probability's logarithm.",
            source="Li et al. (2022), IEEE TKDE",
            family="probabilistic",
            preload=_COMPILED_MODULES,
        ),
        _pyod(
            name="pyod-copod",
            detector="COPOD",
            summary="Tail probabilities of an empirical copula.",
            source="Li et al. (2020), ICDM",
            family="probabilistic",
            preload=_COMPILED_MODULES,
        ),
        _pyod(
            name="pyod-knn",
            detector="KNN",
            summary="Distance to the k-th nearest training row (k = 5).",
            source="Ramaswamy, Rastogi & Shim (2000), SIGMOD",
            family="neighbours",
        ),
        _pyod(
            name="pyod-lof",
            detector="LOF",
            summary="Local outlier factor: density against that of 20 neighbours.",
            source="Breunig et al. (2000), SIGMOD",
            family="density",
        ),
        _pyod(
            name="pyod-hbos",
            detector="HBOS",
            summary="Product of one histogram a feature.",
            source="Goldstein & Dengel (2012), KI",
            family="density",
            preload=_COMPILED_MODULES,
        ),
        _pyod(
            name="pyod-pca",
            detector="PCA",
            summary="Distances to the principal axes, weighted by inverse variance.",
            source="Shyu et al. (2003), ICDM Workshop",
            family="linear",
        ),
        _pyod(
            name="pyod-mcd",
            detector="MCD",
            summary="Mahalanobis distance, covariance by minimum determinant.",
            source="Rousseeuw & Van Driessen (1999), Technometrics 41(3)",
            family="linear",
            # 3,000 images of 784 pixels take 8 minutes.
            limits={"quick": 100, "standard": 300},
        ),
        _pyod(
            name="pyod-cblof",
            detector="CBLOF",
            summary="Distance to the nearest large cluster of k-means (k = 8).",
            source="He, Xu & Deng (2003), Pattern Recognition Letters 24",
            family="clustering",
            preload=_COMPILED_MODULES,
        ),
        _pyod(
            name="pyod-ocsvm",
            detector="OCSVM",
            summary="One-class SVM, RBF kernel, by libsvm.",
            source="Schölkopf et al. (2001), Neural Computation 13(7)",
            family="one-class-svm",
        ),
        _pyod(
            name="pyod-deepsvdd",
            detector="DeepSVDD",
            summary="Distance to a fixed centre in the output of a trained network.",
            source="Ruff et al. (2018), ICML",
            family="deep-one-class",
            groups=("baselines", "deep"),
            preload=_TORCH_MODULES,
            needs="adbench-baselines[deep]",
        ),
        _pyod(
            name="pyod-gmm",
            detector="GMM",
            summary="Negative log-likelihood under one full-covariance Gaussian (PyOD's default mixture).",
            source="McLachlan & Peel (2000), Finite Mixture Models",
            family="probabilistic",
        ),
        _pyod(
            name="pyod",
            detector="",
            summary="Any other PyOD detector, by --set pyod.detector=CLASS.",
            source="Zhao, Nasrullah & Li (2019), JMLR 20(96)",
            family="pyod",
            default=False,
        ),
    ]


def _floor(
    name: str, class_name: str, summary: str, *, source: str = "", accepts: tuple[str, ...] = ("vector", "image")
) -> DetectorSpec:
    return DetectorSpec(
        name=name,
        target=f"adbench_baselines.floors:{class_name}",
        summary=summary,
        source=source,
        family="floor",
        groups=("floors",),
        role="floor",
        accepts=accepts,
        preload=("numpy",),
    )


def _pyod(
    *,
    detector: str,
    groups: tuple[str, ...] = ("baselines",),
    limits: Mapping[str, int] = MappingProxyType({}),
    preload: tuple[str, ...] = _PYOD_MODULES,
    **fields: Any,
) -> DetectorSpec:
    params = {
        profile: ({"detector": detector} if detector else {})
        | ({"feature_limit": limits[profile]} if profile in limits else {})
        for profile in ("quick", "standard", "full")
    }
    return DetectorSpec(
        target="adbench_baselines.pyod_wrapper:PyOD", groups=groups, params=params, preload=preload, **fields
    )
