"""Scale an image to a monitor of 1920x1200 pixels, in colour and in grey, as VIQET measures it.

VIQET rates what a viewer sees of an image on such a monitor. So all measures but Resolution are
taken on the scaled image, which may be larger or smaller than the original.
"""

from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.errors import ImageError

MONITOR_WIDTH, MONITOR_HEIGHT = 1920, 1200
# Pixels a side of the blocks in which noise is measured, the largest blocks of any feature. They
# lie in an image of three quarters of the monitor size.
NOISE_BLOCK = 80


class Prepared(NamedTuple):
    """An image that is scaled to the monitor.

    Attributes:
        colour: uint8 [H, W, 3], RGB.
        grey: uint8 [H, W], its brightness.
    """

    colour: np.ndarray
    grey: np.ndarray


def monitor_size(height: int, width: int) -> tuple[int, int]:
    """The height and width at which an image of ``height`` x ``width`` fills the monitor."""
    scaled_width = MONITOR_HEIGHT * width // height
    if scaled_width <= MONITOR_WIDTH:
        return MONITOR_HEIGHT, scaled_width
    return MONITOR_WIDTH * height // width, MONITOR_WIDTH


def noise_size(height: int, width: int) -> tuple[int, int]:
    """The height and width of the image in which noise is measured.

    They are three quarters of those of the prepared image, ``height`` x ``width``.
    """
    return 3 * height // 4, 3 * width // 4


def is_measurable(height: int, width: int) -> bool:
    """Whether an image of this size has room for a block of the noise measure.

    It has none if it is more than about 18 times as wide as high, or 11 times as high as wide.
    """
    return min(noise_size(*monitor_size(height, width))) >= NOISE_BLOCK


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scale uint8 [H, W, ...] to ``height`` x ``width`` as VIQET does.

    The interpolation is bilinear with two taps, without antialiasing, in OpenCV's 8-bit fixed
    point arithmetic.
    """
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def to_grey(colour: np.ndarray) -> np.ndarray:
    """Convert uint8 [H, W, 3] RGB to uint8 [H, W]: (9798 R + 19235 G + 3735 B + 16384) >> 15."""
    return cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)


def prepare(image: np.ndarray) -> Prepared:
    """Scale an image to the monitor.

    Args:
        image: uint8 [H, W, 3], RGB.

    Raises:
        ValueError: The dtype or the shape is another one.
        ImageError: The image has no pixels, or is too long and narrow, see :func:`is_measurable`.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        found = getattr(image, "dtype", type(image).__name__)
        raise ValueError(f"the image must be a uint8 array, not {found}")
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"the image must have the shape [height, width, 3], not {list(image.shape)}"
        )
    height, width = image.shape[:2]
    if not height or not width:
        raise ImageError(f"the image has no pixels ({width}x{height})")
    size = monitor_size(height, width)
    if not is_measurable(height, width):
        raise ImageError(
            f"{width}x{height} is too long and narrow: scaled to {MONITOR_WIDTH}x{MONITOR_HEIGHT} "
            f"it would be {size[1]}x{size[0]}, and VIQET needs 107 pixels both ways; cut it to a "
            f"wider shape"
        )
    colour = resize(np.ascontiguousarray(image), *size)
    return Prepared(colour, to_grey(colour))
