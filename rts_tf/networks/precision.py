"""Which arithmetic this machine is fast in: the precision of the convolutions, and their class.

It also names the instruction set, since results are promised to the last bit only between machines
that compute with the same one: oneDNN has other kernels, which round elsewhere, for each.
"""

import keras

from rts_tf.networks.cpu import instruction_set, multiplies_bfloat16
from rts_tf.networks.devices import visible_gpus
from rts_tf.networks.layers import MatrixGradientConv2D

__all__ = ["convolution", "instruction_set", "resolve_precision"]

_BFLOAT16_FROM = (8, 0)  # the compute capability of NVIDIA's Ampere


def resolve_precision(precision: str) -> str:
    """Turn ``"auto"`` into a precision; other values are returned as they are.

    ``"auto"`` is ``"mixed_bfloat16"`` where the GPU or the CPU multiplies bfloat16 in hardware,
    else ``"float32"``, and also where neither is known. GPUs that were hidden from TensorFlow do
    not count.
    """
    if precision != "auto":
        return precision
    gpus = visible_gpus()
    fast = gpus[0].capability >= _BFLOAT16_FROM if gpus else multiplies_bfloat16()
    return "mixed_bfloat16" if fast else "float32"


def convolution(precision: str) -> type:
    """The class of convolution that trains fastest in ``precision`` on this machine."""
    on_cpu = not visible_gpus()
    return MatrixGradientConv2D if on_cpu and precision == "float32" else keras.layers.Conv2D
