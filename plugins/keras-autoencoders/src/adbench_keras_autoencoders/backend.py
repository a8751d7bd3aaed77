"""Keras, quiet: every module of this package takes it from here."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager, nullcontext

from adbench import PluginError

# TensorFlow tells its start-up on standard error, unless this is set before it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

__all__ = ["has_gpu", "keras", "on_device"]


@contextmanager
def on_device(name):
    """Compute on ``cpu`` or ``cuda`` inside the block; ``auto`` leaves the choice to Keras, which takes a GPU first."""
    if name not in ("auto", "cpu", "cuda"):
        raise PluginError(f"'device' must be auto, cpu or cuda; got {name!r}")
    if name == "cuda" and not has_gpu():
        raise PluginError("device 'cuda': Keras sees no GPU; leave it at auto to compute where it can")
    device = nullcontext() if name == "auto" else keras.device("gpu" if name == "cuda" else "cpu")
    with device, warnings.catch_warnings():
        # Keras 3.15 takes arrays out of variables and torch's tensors as NumPy 1 did.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


def has_gpu():
    """Tell whether the backend can compute on a GPU: asked for a missing one, TensorFlow silently takes the CPU."""
    try:
        with keras.device("gpu"):
            where = str(keras.ops.zeros(1).device).lower()
    except Exception:  # noqa: BLE001 - the other backends refuse, each with errors of its own
        return False
    return "gpu" in where or "cuda" in where
