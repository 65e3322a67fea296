"""Features of edges: how long the contours are, how steep, and their energy at nine scales."""

from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.metrics.viqet.gabor import edge_bank

LOW, HIGH = 40, 80  # thresholds of the edge detector
FRAME = 10  # pixels at each border of which the energies know nothing
# gauss(13, 2) as 8-bit fixed point: rounded so that the sum is 256 exactly
FIXED_TAPS = np.array([1, 2, 7, 16, 31, 45, 52, 45, 31, 16, 7, 2, 1], np.float32)


class Edges(NamedTuple):
    """``strength``: summed gradient on the contours; ``length``: their pixels; ``energy`` [9], float64, by scale."""

    strength: float
    length: int
    energy: np.ndarray


def edges(grey: np.ndarray) -> Edges:
    """All of them for a prepared picture in grey."""
    contours = contours_of_rounded(grey)
    values = grey.astype(np.float64)
    soft = values
    for _ in range(2):
        soft = cv2.GaussianBlur(soft, (7, 7), 7 / 6, borderType=cv2.BORDER_CONSTANT)
    dx, dy = (
        cv2.Sobel(soft, cv2.CV_64F, *d, borderType=cv2.BORDER_CONSTANT)[contours]
        for d in ((1, 0), (0, 1))
    )
    strength = 0.5 * (np.abs(dx).sum() + np.abs(dy).sum())
    return Edges(
        float(strength),
        int(np.count_nonzero(contours)),
        energies(values, contours_of_fixed_point(grey)),
    )


def contours_of_rounded(grey: np.ndarray) -> np.ndarray:
    """Contours, bool [H, W], after a Gaussian blur (sigma 2) in floating point, rounded to 8 bits."""
    soft = cv2.GaussianBlur(grey.astype(np.float64), (13, 13), 2, borderType=cv2.BORDER_REFLECT)
    return canny(np.clip(np.rint(soft), 0, 255).astype(np.uint8))


def contours_of_fixed_point(grey: np.ndarray) -> np.ndarray:
    """The same in 8-bit fixed point, which rounds elsewhere and so gives other contours: VIQET uses both."""
    # in float32 every partial sum is an integer below 2^24: exact
    total = cv2.sepFilter2D(grey, cv2.CV_32F, FIXED_TAPS, FIXED_TAPS, borderType=cv2.BORDER_REFLECT)
    return canny((total.astype(np.int32) + 32768 >> 16).astype(np.uint8))


def canny(soft: np.ndarray) -> np.ndarray:
    """The contours of an 8-bit picture, bool [H, W]."""
    return cv2.Canny(soft, LOW, HIGH).view(bool)


def energies(values: np.ndarray, contours: np.ndarray) -> np.ndarray:
    """[9]: summed absolute responses of the edge bank on the contours, without the frame."""
    height, width = values.shape
    inner = np.zeros_like(contours)
    inner[FRAME : height - FRAME, FRAME : width - FRAME] = contours[
        FRAME : height - FRAME, FRAME : width - FRAME
    ]
    zeros = {"borderType": cv2.BORDER_CONSTANT}
    return np.array(
        [np.abs(cv2.filter2D(values, cv2.CV_64F, k, **zeros)[inner]).sum() for k in edge_bank()]
    )
