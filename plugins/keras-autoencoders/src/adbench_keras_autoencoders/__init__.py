"""Autoencoders in Keras for adbench."""

from adbench import DetectorSpec, hookimpl

_PRELOAD = (
    "adbench_keras_autoencoders.plain",
    "adbench_keras_autoencoders.cnn",
    "adbench_keras_autoencoders.vae",
)


@hookimpl
def adbench_detectors() -> list[DetectorSpec]:
    """List the autoencoders."""
    return [
        DetectorSpec(
            name="keras-conv-vae",
            target="adbench_keras_autoencoders.vae:ConvVAE",
            summary="Two-branched convolutional VAE; squared error of one draw, or negative ELBO.",
            source="github.com/LordAlucard90/Variational-AutoEncoder-For-Novelty-Detection",
            family="vae",
            groups=("deep",),
            accepts=("image",),
            scores=("mse", "elbo"),
            params={
                "quick": {"epochs": 1, "batch_size": 32},
                "standard": {"epochs": 12},
                # As the reference: the weights of the epoch with the lowest validation loss.
                "full": {"epochs": 300, "validation_share": 0.1},
            },
            preload=_PRELOAD,
        ),
        *(
            DetectorSpec(
                name=name,
                target=f"adbench_keras_autoencoders.plain:{target}",
                summary=summary,
                source="github.com/otenim/AnomalyDetectionUsingAutoencoder",
                family="autoencoder",
                groups=("deep",),
                accepts=("image",),
                scores=("mse",),
                params={"quick": quick},
                preload=_PRELOAD,
            )
            for name, target, summary, quick in (
                (
                    "keras-dense-ae",
                    "DenseAutoencoder",
                    "Dense autoencoder with a code of 64; reconstruction error.",
                    {"epochs": 8, "batch_size": 16},
                ),
                (
                    "keras-deep-ae",
                    "DeepAutoencoder",
                    "Dense autoencoder, 128 hidden units about a code of 64; reconstruction error.",
                    {"epochs": 6, "batch_size": 16},
                ),
                (
                    "keras-conv-ae",
                    "ConvAutoencoder",
                    "Purely convolutional autoencoder with a code of 7 x 7 x 8; reconstruction error.",
                    {"epochs": 1, "batch_size": 8},
                ),
            )
        ),
        *(
            DetectorSpec(
                name=name,
                target=f"adbench_keras_autoencoders.cnn:{target}",
                summary=summary,
                source="github.com/sohamk10/Image-reconstruction-and-Anomaly-detection",
                family="autoencoder",
                groups=("deep",),
                accepts=("image",),
                scores=("bce", "abs_z"),
                params={"quick": quick},
                preload=_PRELOAD,
            )
            for name, target, summary, quick in (
                (
                    "keras-cnn-bottleneck",
                    "CnnBottleneck",
                    "Small convolutional autoencoder with a code of 4 x 4 x 8; cross-entropy, or its two-sided z.",
                    {"epochs": 2, "batch_size": 32},
                ),
                (
                    "keras-cnn-shallow",
                    "CnnShallow",
                    "Shallow convolutional autoencoder with a wide code; cross-entropy, or its two-sided z.",
                    {"epochs": 2, "batch_size": 32},
                ),
            )
        ),
    ]
