"""VIQET's features of edges: the length of the contours, their steepness and their energy by scale.

The features are computed on the grey image that :mod:`rts_tf.metrics.viqet.preparation` makes.
"""

from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.metrics.viqet.gabor import edge_bank

LOW, HIGH = 40, 80  # the thresholds of the edge detector
FRAME = 10  # pixels at each border that the energies leave out
# A Gaussian of sigma 2 in 8-bit fixed point, rounded so that the sum is exactly 256
FIXED_TAPS = np.array([1, 2, 7, 16, 31, 45, 52, 45, 31, 16, 7, 2, 1], np.float32)


class Edges(NamedTuple):
    """The features of edges.

    Attributes:
        strength: The sum of the gradient over the contours.
        length: The number of pixels of the contours.
        energy: float64 [9], the energy at each of the scales of the edge bank.
    """

    strength: float
    length: int
    energy: np.ndarray


def extract_edges(grey: np.ndarray) -> Edges:
    """Compute the features of edges of a prepared image, ``grey`` uint8 [H, W]."""
    contours = contours_of_rounded(grey)
    soft = grey.astype(np.float64)
    for _ in range(2):
        soft = np.asarray(cv2.GaussianBlur(soft, (7, 7), 7 / 6, borderType=cv2.BORDER_CONSTANT))
    dx, dy = (
        cv2.Sobel(soft, cv2.CV_64F, *order, borderType=cv2.BORDER_CONSTANT)[contours]
        for order in ((1, 0), (0, 1))
    )
    strength = 0.5 * (np.abs(dx).sum() + np.abs(dy).sum())
    return Edges(
        float(strength),
        int(np.count_nonzero(contours)),
        energies(grey.astype(np.float64), contours_of_fixed_point(grey)),
    )


def contours_of_rounded(grey: np.ndarray) -> np.ndarray:
    """Find contours after a Gaussian blur in floating point that is rounded to 8 bits.

    Args:
        grey: uint8 [H, W].

    Returns:
        bool [H, W].
    """
    soft = cv2.GaussianBlur(grey.astype(np.float64), (13, 13), 2, borderType=cv2.BORDER_REFLECT)
    return canny(np.clip(np.rint(soft), 0, 255).astype(np.uint8))


def contours_of_fixed_point(grey: np.ndarray) -> np.ndarray:
    """Find contours after the same Gaussian blur in 8-bit fixed point.

    Its rounding differs, which gives other contours. VIQET uses both: these for the energies, the
    others for strength and length.

    Args:
        grey: uint8 [H, W].

    Returns:
        bool [H, W].
    """
    # float32 is exact here, since every partial sum is an integer below 2^24.
    total = cv2.sepFilter2D(grey, cv2.CV_32F, FIXED_TAPS, FIXED_TAPS, borderType=cv2.BORDER_REFLECT)
    return canny((total.astype(np.int32) + 32768 >> 16).astype(np.uint8))


def canny(soft: np.ndarray) -> np.ndarray:
    """Find the contours of a blurred image, uint8 [H, W], as bool [H, W]."""
    return cv2.Canny(soft, LOW, HIGH).view(bool)


def energies(values: np.ndarray, contours: np.ndarray) -> np.ndarray:
    """Sum the absolute responses of the edge bank over the contours.

    Args:
        values: float64 [H, W].
        contours: bool [H, W]; those within FRAME pixels of a border are left out.

    Returns:
        float64 [9].
    """
    height, width = values.shape
    inner = np.zeros_like(contours)
    within = slice(FRAME, height - FRAME), slice(FRAME, width - FRAME)
    inner[within] = contours[within]
    return np.array([_absolute_response(values, kernel)[inner].sum() for kernel in edge_bank()])


def _absolute_response(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return np.abs(cv2.filter2D(values, cv2.CV_64F, kernel, borderType=cv2.BORDER_CONSTANT))
