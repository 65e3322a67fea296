"""The interpolation kernels by name, as functions of the distance in samples. Numbers alone."""

import numpy as np


def lanczos3(x: np.ndarray) -> np.ndarray:
    """The Lanczos kernel of three lobes."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(np.divide(x, 3)), 0.0)


def keys_cubic(x: np.ndarray | float, a: float = -0.5) -> np.ndarray:
    """Keys' cubic convolution kernel (1981, eq. 4)."""
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0.0, 1 - np.abs(x))


def box(x: np.ndarray) -> np.ndarray:
    return (np.abs(x) < 0.5).astype(float)


def gaussian(x: np.ndarray) -> np.ndarray:
    """A Gaussian of deviation 1/2, cut off at 3/2: that of ``tf.image.resize``."""
    return np.where(np.abs(x) < 1.5, np.exp(-2 * np.square(x)), 0.0)


SHAPES = {
    "bilinear": triangle,
    "lanczos": lanczos3,
    "bicubic": keys_cubic,
    "box": box,
    "gaussian": gaussian,
}


def reduction_taps(kernel: str, offsets: np.ndarray) -> np.ndarray:
    """The weights with which samples at ``offsets`` from the centre of an output enter it when the size is halved.

    ``offsets`` in samples of the large picture, all that the kernel reaches; the kernel is stretched by two.
    """
    weights = SHAPES[kernel](offsets / 2)
    return weights / weights.sum()
