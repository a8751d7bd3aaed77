"""Deep ensembles for adbench: variational autoencoders, Wasserstein GANs, a flow and a supervised network."""

from typing import Any

from adbench import DetectorSpec, hookimpl
from adbench_deep_ensembles.names import VAE_SCORES, WGAN_SCORES

_CHOI = "Choi, Jang & Alemi (2018), arXiv:1810.01392"


@hookimpl
def adbench_detectors() -> list[DetectorSpec]:
    """List the ensembles, the flow and the classifiers. In ``full``, defaults are the published sizes."""
    return [
        _deep(
            name="vae-ensemble",
            target="vae_detector:ConvVaeEnsemble",
            summary="Convolutional VAEs with flow priors; WAIC of their likelihoods.",
            source=_CHOI,
            family="vae",
            groups=("deep", "ensembles"),
            accepts=("image",),
            scores=VAE_SCORES,
            params={
                "quick": _vae(members=2, steps=25, base_depth=8, flow_hidden=32, n_samples=1, learning_rate=3e-3),
                "standard": _vae(members=5, steps=500, base_depth=16, flow_hidden=128, n_samples=4),
            },
        ),
        _deep(
            name="dense-vae-ensemble",
            target="vae_detector:DenseVaeEnsemble",
            summary="Linear VAEs with flow priors on rows in [0, 1], trained as one; WAIC of their likelihoods.",
            source=_CHOI,
            family="vae",
            groups=("deep", "ensembles"),
            scores=VAE_SCORES,
            params={
                "quick": _vae(members=3, steps=100, batch_size=64, flow_hidden=32, n_samples=2, learning_rate=1e-2),
                "standard": _vae(members=5, steps=1000, batch_size=256, flow_hidden=64, learning_rate=3e-3),
                "full": {"learning_rate": 1e-4},
            },
        ),
        _deep(
            name="wgan-ensemble",
            target="wgan_detector:ConvWganEnsemble",
            summary="Convolutional Wasserstein GANs; mean and variance of their critics.",
            source=_CHOI,
            family="gan",
            groups=("deep", "ensembles"),
            accepts=("image",),
            scores=WGAN_SCORES,
            params={
                "quick": _wgan(
                    members=2, base_depth=4, latent=16, steps=6, critic_steps=2, extra_steps=40, batch_size=32
                ),
                "standard": _wgan(members=5, base_depth=8, latent=32, steps=120, critic_steps=3, extra_steps=120),
            },
        ),
        _deep(
            name="dense-wgan-ensemble",
            target="wgan_detector:DenseWganEnsemble",
            summary="Dense Wasserstein GANs on rows in [0, 1], trained as one; mean and variance of their critics.",
            source=_CHOI,
            family="gan",
            groups=("deep", "ensembles"),
            scores=WGAN_SCORES,
            params={
                "quick": _wgan(members=2, latent=16, steps=50, critic_steps=2, extra_steps=50, batch_size=32),
                "standard": _wgan(members=5, latent=32, steps=800, critic_steps=4, extra_steps=500),
            },
        ),
        _deep(
            name="flow",
            target="flow_detector:Flow",
            summary="Masked autoregressive flow over the rows themselves; negative log-density.",
            source="Papamakarios, Pavlakou & Murray (2017), NeurIPS",
            family="flow",
            params={"quick": {"steps": 150, "hidden": 64, "learning_rate": 5e-3}, "standard": {"steps": 2000}},
        ),
        _deep(
            name="supervised-dnn",
            target="classifier:SupervisedNetwork",
            summary="Dense network trained on labelled anomalies; logit.",
            source="github.com/hschoi1/rich_latent, with working activations",
            family="supervised",
            supervision="labels",
            params={profile: {"learning_rate": 1e-3} for profile in ("quick", "standard")},
        ),
        _deep(
            name="supervised-dnn-linear",
            target="classifier:SupervisedNetwork",
            summary="The same network without activations, as it was published: a linear model.",
            source="github.com/hschoi1/rich_latent",
            family="supervised",
            supervision="labels",
            params={
                profile: {"activation": "none"} | ({"learning_rate": 1e-3} if profile != "full" else {})
                for profile in ("quick", "standard", "full")
            },
        ),
    ]


def _deep(*, target: str, groups: tuple[str, ...] = ("deep",), **fields: Any) -> DetectorSpec:
    module = f"adbench_deep_ensembles.{target.partition(':')[0]}"
    # The first optimizer imports torch._dynamo: 0.8 s that would fall on every trial.
    preload = ("torch", "torch._dynamo", module)
    return DetectorSpec(target=f"adbench_deep_ensembles.{target}", groups=groups, preload=preload, **fields)


def _vae(**params: Any) -> dict[str, Any]:
    """Return a budget below the published one: one code a row in training."""
    return {"n_train_samples": 1, "n_samples": 8} | params


def _wgan(**params: Any) -> dict[str, Any]:
    """Return a budget below the published one: few steps, so a rate that moves further."""
    return {
        "optimizer": "adam-0.5-0.9",
        "learning_rate": 1e-3,
        "first_critic_steps": params["critic_steps"],
    } | params
