"""MATLAB's ``imresize(picture, factor, "bicubic")`` on 8 bits, with which the benchmarks of super-resolution make their LR.

Keys' cubic (a = -0.5), stretched by 1/factor when reducing (antialiasing), borders mirrored, rounded to 8 bits at the end.
"""

import math

import numpy as np

from rts_tf.networks.layers import keys_cubic


def matlab_bicubic(picture: np.ndarray, factor: float) -> np.ndarray:
    """uint8 [H, W, C] -> uint8 [ceil(factor H), ceil(factor W), C]."""
    rows, columns = (_weights(size, factor) for size in picture.shape[:2])
    resized = np.einsum("yi,ijc,xj->yxc", rows, picture.astype(np.float64), columns, optimize=True)
    return np.clip(np.floor(resized + 0.5), 0, 255).astype(np.uint8)  # MATLAB rounds halves up


def _weights(size: int, factor: float) -> np.ndarray:
    """[ceil(factor size), size] what each sample of a line gives to each resized one."""
    outputs, stretch = math.ceil(factor * size), max(1, 1 / factor)
    weights = np.zeros((outputs, size))
    for output in range(outputs):
        centre = (output + 0.5) / factor - 0.5
        taps = np.arange(math.floor(centre - 2 * stretch), math.ceil(centre + 2 * stretch) + 1)
        values = np.array([keys_cubic((centre - tap) / stretch) for tap in taps])
        mirrored = taps % (2 * size)
        np.add.at(
            weights[output],
            np.where(mirrored < size, mirrored, 2 * size - 1 - mirrored),
            values / values.sum(),
        )
    return weights
