"""From a photograph to what is measured: a copy that fills a monitor of 1920x1200 pixels, in colour and in grey.

VIQET judges what a viewer sees of the picture on such a monitor, so every measure but Resolution is taken there.
"""

from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.errors import ImageError

MONITOR_WIDTH, MONITOR_HEIGHT = 1920, 1200
NOISE_BLOCK = 80  # pixels a side; the largest block that any feature needs, and it needs it at three quarters of the size


class Prepared(NamedTuple):
    """``colour`` uint8 [H, W, 3], RGB, at monitor size; ``grey`` uint8 [H, W], its brightness."""

    colour: np.ndarray
    grey: np.ndarray


def monitor_size(height: int, width: int) -> tuple[int, int]:
    """(H, W) at which a picture of ``height`` x ``width`` fills the monitor, larger or smaller than it was."""
    scaled_width = MONITOR_HEIGHT * width // height
    if scaled_width <= MONITOR_WIDTH:
        return MONITOR_HEIGHT, scaled_width
    return MONITOR_WIDTH * height // width, MONITOR_WIDTH


def noise_size(height: int, width: int) -> tuple[int, int]:
    """(H, W) of the picture in which noise is looked for: three quarters of the monitor's."""
    return 3 * height // 4, 3 * width // 4


def is_measurable(height: int, width: int) -> bool:
    """Whether a block of the noise measure fits into a picture of this shape: not beyond about 18 : 1 or 1 : 11."""
    return min(noise_size(*monitor_size(height, width))) >= NOISE_BLOCK


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Two-tap bilinear without antialiasing, in OpenCV's 8-bit fixed point; uint8 in and out."""
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)


def grey(colour: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] RGB to [H, W]: (9798 R + 19235 G + 3735 B + 16384) >> 15."""
    return cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)


def prepare(picture: np.ndarray) -> Prepared:
    """Scale a photograph, uint8 [H, W, 3] RGB, to the monitor.

    Raises:
        ValueError: another dtype or shape.
        ImageError: so long and narrow that at monitor size no block of the noise measure fits into it.
    """
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        raise ValueError(
            f"the picture must be a uint8 array, not {getattr(picture, 'dtype', type(picture).__name__)}"
        )
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(
            f"the picture must have the shape [height, width, 3], not {list(picture.shape)}"
        )
    height, width = picture.shape[:2]
    if not height or not width:
        raise ImageError(f"the picture has no pixels ({width}x{height})")
    size = monitor_size(height, width)
    if not is_measurable(height, width):
        raise ImageError(
            f"{width}x{height} is too long and narrow: scaled to {MONITOR_WIDTH}x{MONITOR_HEIGHT} it would be"
            f" {size[1]}x{size[0]}, and VIQET needs 107 pixels both ways; cut it to a wider shape"
        )
    colour = resize(np.ascontiguousarray(picture), *size)
    return Prepared(colour, grey(colour))
