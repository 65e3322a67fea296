"""Which arithmetic the convolutions use, and which class of convolution is fastest in it here."""

import pathlib

import keras
import tensorflow as tf

from rts_tf.networks.layers import MatrixGradientConv2D


def resolve_precision(precision: str) -> str:
    """ "auto" -> "mixed_bfloat16" where GPU or CPU multiplies bfloat16 in hardware, else "float32"."""
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get(
            "compute_capability", (0, 0)
        )
        return "mixed_bfloat16" if capability >= (8, 0) else "float32"
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    return "mixed_bfloat16" if flags & {"avx512_bf16", "amx_bf16"} else "float32"


def convolution(precision: str) -> type:
    """The class of convolution that trains fastest here."""
    on_cpu = not tf.config.list_physical_devices("GPU")
    return MatrixGradientConv2D if on_cpu and precision == "float32" else keras.layers.Conv2D
