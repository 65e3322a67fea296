"""Colour of 16 bits, of which Pillow keeps the high bytes only, decoded by OpenCV.

Versions of both differ in how they treat orientation, colour planes and damage. So OpenCV's samples
are accepted only if their high bytes are those that Pillow decoded.
"""

from typing import Any

import cv2
import numpy as np

from rts_tf.errors import ImageError
from rts_tf.images.exif import upright
from rts_tf.images.read import ODD_16_BITS

_SILENT = 0  # LOG_LEVEL_SILENT


def colour16(contents: bytes, high: np.ndarray, orientation: int) -> np.ndarray:
    """Decode a file to uint16 [H, W, C], upright.

    Args:
        contents: Those of the file.
        high: What Pillow decoded, made upright: uint8 [H, W, C] with C = 2 for grey and alpha, 3
            for RGB and 4 for RGBA.
        orientation: The EXIF orientation that the file records.

    Raises:
        ImageError: The two do not agree.
    """
    samples = _decoded(contents)
    if samples is None or samples.dtype != np.uint16 or samples.ndim != 3:
        raise ImageError(ODD_16_BITS)
    # OpenCV has BGR or BGRA, and makes colour and alpha of grey and alpha
    order = {2: [0, 3], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[high.shape[2]]
    if samples.shape[2] <= max(order):
        raise ImageError(ODD_16_BITS)
    for candidate in (samples, upright(samples, orientation)):
        if candidate.shape[:2] == high.shape[:2]:
            chosen = np.ascontiguousarray(candidate[..., order])
            little_endian = chosen.astype("<u2", copy=False).view(np.uint8)
            if (little_endian.reshape(*chosen.shape, 2)[..., 1] == high).all():
                return chosen
    raise ImageError(ODD_16_BITS)


def _decoded(contents: bytes) -> np.ndarray | None:
    """What OpenCV decodes, without the lines that it prints about tags it does not know."""
    # OpenCV 5 has the functions of the level in another place than OpenCV 4.
    log: Any = getattr(cv2.utils, "logging", cv2)
    level = log.getLogLevel()
    log.setLogLevel(_SILENT)
    try:
        return cv2.imdecode(np.frombuffer(contents, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        log.setLogLevel(level)
