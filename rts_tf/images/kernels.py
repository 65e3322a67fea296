"""Interpolation kernels by name, as functions of the distance from the centre in samples.

This module needs NumPy alone. :mod:`rts_tf.images.resample` applies the kernels to images.
"""

from collections.abc import Callable

import numpy as np


def lanczos3(x: np.ndarray) -> np.ndarray:
    """The Lanczos kernel with three lobes; it is zero from a distance of 3 on."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(np.divide(x, 3)), 0.0)


def keys_cubic(x: np.ndarray | float, a: float = -0.5) -> np.ndarray:
    """The cubic convolution kernel of Keys (1981, eq. 4); it is zero from a distance of 2 on."""
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def triangle(x: np.ndarray) -> np.ndarray:
    """The kernel of bilinear interpolation; it is zero from a distance of 1 on."""
    return np.maximum(0.0, 1 - np.abs(x))


def box(x: np.ndarray) -> np.ndarray:
    """The kernel of area averaging; it is zero from a distance of 1/2 on."""
    return (np.abs(x) < 0.5).astype(float)


def gaussian(x: np.ndarray) -> np.ndarray:
    """A Gaussian of standard deviation 1/2, cut off at 3/2, as ``tf.image.resize`` has it."""
    return np.where(np.abs(x) < 1.5, np.exp(-2 * np.square(x)), 0.0)


SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": triangle,
    "lanczos": lanczos3,
    "bicubic": keys_cubic,
    "box": box,
    "gaussian": gaussian,
}


def reduction_taps(kernel: str, offsets: np.ndarray) -> np.ndarray:
    """The weights of the samples that make one output when an image is reduced to half its size.

    For antialiasing the kernel is stretched by the factor 2.

    Args:
        kernel: A key of SHAPES.
        offsets: The distances of the samples from the centre of the output, in samples of the
            large image. They must cover everything that the kernel reaches.

    Returns:
        float64 of the shape of ``offsets``, with the sum 1.
    """
    weights = SHAPES[kernel](offsets / 2)
    return weights / weights.sum()
