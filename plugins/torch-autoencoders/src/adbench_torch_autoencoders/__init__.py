"""Autoencoders in PyTorch for adbench."""

from adbench import DetectorSpec, hookimpl

# The first optimizer imports torch._dynamo: 0.8 s that would fall on every trial.
_PRELOAD = ("torch", "torch._dynamo", "adbench_torch_autoencoders.detector")
_LAYERED_PRELOAD = ("torch", "torch._dynamo", "sklearn.cluster", "adbench_torch_autoencoders.layered")


@hookimpl
def adbench_detectors() -> list[DetectorSpec]:
    """List the autoencoders."""
    return [
        DetectorSpec(
            name="torch-conv-ae",
            target="adbench_torch_autoencoders.detector:ConvAutoencoder",
            summary="Convolutional autoencoder with a dense bottleneck; reconstruction error.",
            source="Masci et al. (2011), ICANN",
            family="autoencoder",
            groups=("deep",),
            accepts=("image",),
            scores=("mse",),
            params={"quick": {"epochs": 10}, "standard": {"epochs": 15}, "full": {"epochs": 30}},
            preload=_PRELOAD,
        ),
        DetectorSpec(
            name="torch-dense-ae",
            target="adbench_torch_autoencoders.detector:DenseAutoencoder",
            summary="Dense autoencoder; reconstruction error.",
            source="Sakurada & Yairi (2014), MLSDA Workshop",
            family="autoencoder",
            groups=("deep",),
            scores=("mse",),
            params={"quick": {"epochs": 20}, "standard": {"epochs": 30}, "full": {"epochs": 50}},
            preload=_PRELOAD,
        ),
        DetectorSpec(
            name="torch-layered-ae",
            target="adbench_torch_autoencoders.layered:LayeredAutoencoder",
            summary="Convolutional autoencoder; its error, distance to latent centroids, least over its layers.",
            source="github.com/123epsilon/AnomalyDetection",
            family="autoencoder",
            groups=("deep",),
            accepts=("image",),
            scores=("mse", "latent-centroid", "layer-minimum"),
            params={
                "quick": {"epochs": 2, "centroid_rows": 300},
                "standard": {"epochs": 5, "centroid_rows": 2_000},
                "full": {"epochs": 20, "centroid_rows": 5_000},
            },
            preload=_LAYERED_PRELOAD,
        ),
    ]
