"""The precisions that tests are repeated in, and whether this machine can compute in them."""

import pytest
import tensorflow as tf


def _bfloat16_works() -> bool:
    """Whether TensorFlow can convolve in bfloat16 here.

    It cannot on a CPU with AVX-512 if ONEDNN_MAX_CPU_ISA is AVX2: TensorFlow asks the CPU, finds
    AVX-512 and calls oneDNN, which has no such kernel for AVX2. On a CPU without AVX-512 it uses
    kernels of its own.
    """
    image, kernel = tf.zeros([1, 8, 8, 3], tf.bfloat16), tf.zeros([3, 3, 3, 8], tf.bfloat16)
    try:
        tf.nn.conv2d(image, kernel, 1, "SAME")
    except tf.errors.AbortedError:
        return False
    return True


needs_bfloat16 = pytest.mark.skipif(
    not _bfloat16_works(), reason="ONEDNN_MAX_CPU_ISA keeps oneDNN below its kernels for bfloat16"
)
PRECISIONS = ("float32", pytest.param("mixed_bfloat16", marks=needs_bfloat16))
