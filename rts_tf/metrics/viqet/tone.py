"""Features of brightness and colour: contrast, exposure, dynamic range, saturation, clipped areas."""

from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.metrics.viqet.preparation import Prepared

BLOCK = 7  # pixels a side of the blocks of contrast and exposure


class Tone(NamedTuple):
    """``contrast`` in [0, 1]; ``exposure`` in levels; ``divergence`` in nats; ``saturation`` in levels; clipped areas in %."""

    contrast: float
    exposure: float
    divergence: float
    saturation: float
    over_exposed: float
    under_exposed: float


def tone(picture: Prepared) -> Tone:
    """All of them for a prepared picture."""
    return Tone(
        *contrast_and_exposure(picture.grey),
        divergence(picture.grey),
        saturation(picture.colour),
        *clipped(picture.grey),
    )


def contrast_and_exposure(grey: np.ndarray) -> tuple[float, float]:
    """Mean Michelson contrast of the 7x7 blocks, and the mean brightness of those with more than the mean deviation.

    Blocks cut off at the right and at the bottom take part at the size they have. Both denominators of the exposure are
    one too large; that is VIQET's definition.
    """
    height, width = grey.shape
    size, corner = (BLOCK, BLOCK), (0, 0)

    def of_blocks(moving: np.ndarray) -> np.ndarray:
        """A moving figure of the window whose top left corner is the pixel, at the corners of the blocks."""
        return moving[::BLOCK, ::BLOCK].astype(np.float64)

    window = np.ones(size, np.uint8)  # outside the picture, dilate and erode take no part
    high, low = (of_blocks(f(grey, window, anchor=corner)) for f in (cv2.dilate, cv2.erode))
    contrast = ((high - low) / (high + low + 1e-19)).mean()

    zeros = {"anchor": corner, "normalize": False, "borderType": cv2.BORDER_CONSTANT}
    total = of_blocks(cv2.boxFilter(grey, cv2.CV_32S, size, **zeros))
    squares = of_blocks(cv2.sqrBoxFilter(grey, cv2.CV_64F, size, **zeros))
    rows, columns = (np.minimum(BLOCK, n - np.arange(0, n, BLOCK)) for n in (height, width))
    count = rows[:, None] * columns
    deviation = np.sqrt(count * squares - total**2) / count
    busy = deviation > deviation.sum() / (deviation.size + 1)
    exposure = (total / count)[busy].sum() / (busy.sum() + 1)
    return float(contrast), float(exposure)


def divergence(grey: np.ndarray) -> float:
    """Kullback-Leibler divergence of the histogram of levels 0..254 from the uniform one over 256 levels, in nats.

    A picture that is white everywhere has no such levels; its histogram counts as empty, its divergence as 0.
    """
    counts = np.bincount(grey.ravel(), minlength=256)[:255]
    p = counts[counts > 0] / max(1, counts.sum())
    return float((p * np.log(256 * p)).sum())


def saturation(colour: np.ndarray) -> float:
    """Mean 8-bit HSV saturation, in levels."""
    return cv2.mean(cv2.cvtColor(colour, cv2.COLOR_RGB2HSV))[1]


def clipped(grey: np.ndarray) -> tuple[float, float]:
    """Percent of the pixels whose surroundings, an eighth of the shorter side, are above 254 and below 2 in the mean."""
    n = min(grey.shape) // 8
    total = cv2.boxFilter(
        grey,
        cv2.CV_32S,
        (n, n),
        anchor=(n // 2, n // 2),
        normalize=False,
        borderType=cv2.BORDER_REFLECT,
    )
    return tuple(
        100 * np.count_nonzero(outside) / grey.size
        for outside in (total > 254 * n * n, total < 2 * n * n)
    )
