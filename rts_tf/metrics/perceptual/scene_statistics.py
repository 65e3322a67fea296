"""Statistics of natural scenes, which NIQE and BRISQUE compare with those of undistorted images.

Both instruments look at the mean-subtracted, contrast-normalized (MSCN) levels of grey, and at the
products of neighbours, through fits of an asymmetric generalized Gaussian distribution (Mittal et
al., "No-Reference Image Quality Assessment in the Spatial Domain", IEEE TIP 2012; the fit is that
of Lasmar et al., ICIP 2009).
"""

from typing import NamedTuple

import cv2
import numpy as np
from scipy.special import gamma

_SHAPES = np.arange(0.2, 10, 0.001)
# E[|x|]^2 / E[x^2] of a generalized Gaussian, which grows with its shape
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))


class Fit(NamedTuple):
    """An asymmetric generalized Gaussian for each row of values; nan where none can be fitted.

    Attributes:
        shape: From 0.2 to 10: 2 for a Gaussian, 1 for a Laplacian.
        mean: The mean of the distribution.
        left: The root of the mean square of the values below 0.
        right: The same of the others.
        scale: The factor from ``left`` and ``right`` to the scales of the distribution.
    """

    shape: np.ndarray
    mean: np.ndarray
    left: np.ndarray
    right: np.ndarray
    scale: np.ndarray


def mscn(grey: np.ndarray, border: int) -> np.ndarray:
    """Subtract the local mean and divide by the local deviation plus 1.

    The window is a Gaussian of 7x7 pixels and sigma 7/6.

    Args:
        grey: float64 [H, W] in 0..255.
        border: What is beyond the edges: cv2.BORDER_CONSTANT (zeros) or another border of OpenCV.
    """
    mean, power = (
        cv2.GaussianBlur(array, (7, 7), 7 / 6, borderType=border) for array in (grey, grey**2)
    )
    return (grey - mean) / (np.sqrt(np.abs(power - mean**2)) + 1)


def neighbour_products(values: np.ndarray, wrap: bool) -> list[np.ndarray]:
    """Multiply each value by its neighbour to the left, above, above left, and above right.

    Args:
        values: [n, H, W].
        wrap: Whether the neighbours of an edge are those at the opposite edge. Otherwise values
            without a neighbour are left out.

    Returns:
        Four arrays of the same shape, without ``wrap`` one row or column less.
    """
    products = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        product = values * np.roll(values, (down, right), axis=(1, 2))
        if not wrap:
            columns = slice(1, None) if right > 0 else slice(right or None)
            product = product[:, down:, columns]
        products.append(product)
    return products


def fit(values: np.ndarray) -> Fit:
    """Fit by moments an asymmetric generalized Gaussian to each row of ``values``, [..., n]."""
    square = values**2
    below = values < 0
    counts = below.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):  # nan marks a row that is constant
        left = np.sqrt((square * below).sum(-1) / counts)
        right = np.sqrt((square * ~below).sum(-1) / (values.shape[-1] - counts))
        skew = left / right
        ratio = np.abs(values).mean(-1) ** 2 / square.mean(-1)
        ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
        shape = np.interp(ratio, _RATIOS, _SHAPES)
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    mean = (right - left) * scale * gamma(2 / shape) / gamma(1 / shape)
    return Fit(shape, mean, left, right, scale)
