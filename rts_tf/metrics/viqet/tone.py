"""VIQET's features of brightness and colour: contrast, exposure, saturation and clipping."""

from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.metrics.viqet.preparation import Prepared

BLOCK = 7  # pixels a side of the blocks of contrast and exposure


class Tone(NamedTuple):
    """The features of brightness and colour.

    Attributes:
        contrast: The mean contrast of the blocks, from 0 to 1.
        exposure: The mean brightness of the busy blocks, in 8-bit levels.
        divergence: The divergence of the histogram from a uniform one, in nats.
        saturation: The mean saturation, in 8-bit levels.
        over_exposed: The share of large white areas, in percent.
        under_exposed: The share of large black areas, in percent.
    """

    contrast: float
    exposure: float
    divergence: float
    saturation: float
    over_exposed: float
    under_exposed: float


def extract_tone(image: Prepared) -> Tone:
    """Compute the features of brightness and colour of a prepared image."""
    return Tone(
        *contrast_and_exposure(image.grey),
        divergence(image.grey),
        saturation(image.colour),
        *clipped(image.grey),
    )


def contrast_and_exposure(grey: np.ndarray) -> tuple[float, float]:
    """Compute contrast and exposure from blocks of 7x7 pixels.

    The contrast is the mean Michelson contrast of the blocks. The exposure is the mean brightness
    of the blocks whose std is above the mean. Blocks that the right or lower border cuts off count
    with the size that they have. In VIQET's definition of the exposure, both denominators are too
    large by one.

    Args:
        grey: uint8 [H, W].
    """
    height, width = grey.shape
    size, corner = (BLOCK, BLOCK), (0, 0)

    def of_blocks(moving: np.ndarray) -> np.ndarray:
        """From a statistic of the window to the right and below each pixel, take the blocks'."""
        return moving[::BLOCK, ::BLOCK].astype(np.float64)

    window = np.ones(size, np.uint8)  # dilate and erode ignore what lies outside the image
    high = of_blocks(cv2.dilate(grey, window, anchor=corner))
    low = of_blocks(cv2.erode(grey, window, anchor=corner))
    contrast = ((high - low) / (high + low + 1e-19)).mean()

    zeros = cv2.BORDER_CONSTANT
    total = of_blocks(
        cv2.boxFilter(grey, cv2.CV_32S, size, anchor=corner, normalize=False, borderType=zeros)
    )
    squares = of_blocks(
        cv2.sqrBoxFilter(grey, cv2.CV_64F, size, anchor=corner, normalize=False, borderType=zeros)
    )
    rows, columns = (np.minimum(BLOCK, n - np.arange(0, n, BLOCK)) for n in (height, width))
    count = rows[:, None] * columns
    std = np.sqrt(count * squares - total**2) / count
    busy = std > std.sum() / (std.size + 1)
    exposure = (total / count)[busy].sum() / (busy.sum() + 1)
    return float(contrast), float(exposure)


def divergence(grey: np.ndarray) -> float:
    """Compute the Kullback-Leibler divergence of the histogram from a uniform one, in nats.

    The histogram has the levels 0 to 254, the uniform one all 256 levels. An image that is white
    everywhere has none of these levels; its divergence is 0.

    Args:
        grey: uint8 [H, W].
    """
    counts = np.bincount(grey.ravel(), minlength=256)[:255]
    p = counts[counts > 0] / max(1, counts.sum())
    return float((p * np.log(256 * p)).sum())


def saturation(colour: np.ndarray) -> float:
    """Compute the mean 8-bit HSV saturation of uint8 [H, W, 3] RGB, in levels."""
    return cv2.mean(cv2.cvtColor(colour, cv2.COLOR_RGB2HSV))[1]


def clipped(grey: np.ndarray) -> tuple[float, float]:
    """Compute the shares of large white and of large black areas, in percent of the pixels.

    A pixel belongs to such an area if the mean over a square around it, with an eighth of the
    shorter side of the image, is above 254 or below 2.

    Args:
        grey: uint8 [H, W].
    """
    n = min(grey.shape) // 8
    total = cv2.boxFilter(
        grey,
        cv2.CV_32S,
        (n, n),
        anchor=(n // 2, n // 2),
        normalize=False,
        borderType=cv2.BORDER_REFLECT,
    )
    white = 100 * np.count_nonzero(total > 254 * n * n) / grey.size
    black = 100 * np.count_nonzero(total < 2 * n * n) / grey.size
    return white, black
