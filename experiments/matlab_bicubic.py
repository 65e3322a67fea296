"""MATLAB's ``imresize(image, factor, "bicubic")`` on 8 bits, with which benchmarks make their LR.

This is Keys' cubic (a = -0.5), stretched by 1/factor for a reduction (antialiasing), with mirrored
borders. The result is rounded to 8 bits at the end.
"""

import math

import numpy as np

from rts_tf.images.kernels import keys_cubic


def matlab_bicubic(image: np.ndarray, factor: float) -> np.ndarray:
    """Resize an image.

    Args:
        image: uint8 [H, W, C].
        factor: Above 1 to enlarge, below 1 to reduce.

    Returns:
        uint8 [ceil(factor H), ceil(factor W), C].
    """
    rows, columns = (_weights(size, factor) for size in image.shape[:2])
    resized = np.einsum("yi,ijc,xj->yxc", rows, image.astype(np.float64), columns, optimize=True)
    return np.clip(np.floor(resized + 0.5), 0, 255).astype(np.uint8)  # MATLAB rounds halves up


def _weights(size: int, factor: float) -> np.ndarray:
    """[ceil(factor size), size]: the weight of each sample of a line in each resized sample."""
    outputs, stretch = math.ceil(factor * size), max(1, 1 / factor)
    weights = np.zeros((outputs, size))
    for output in range(outputs):
        centre = (output + 0.5) / factor - 0.5
        taps = np.arange(math.floor(centre - 2 * stretch), math.ceil(centre + 2 * stretch) + 1)
        values = keys_cubic((centre - taps) / stretch)
        mirrored = taps % (2 * size)
        samples = np.where(mirrored < size, mirrored, 2 * size - 1 - mirrored)
        np.add.at(weights[output], samples, values / values.sum())
    return weights
