"""Between levels of 8 or 16 bits and the floating point in [0, 1] that everything computes with. Arrays alone."""

import numpy as np

LEVELS = (np.uint8, np.uint16)


def to_float(picture: np.ndarray) -> np.ndarray:
    """uint8 in 0..255 or uint16 in 0..65535 -> float32 in [0, 1]; floating point -> float32 as it is."""
    if picture.dtype in LEVELS:
        return picture.astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)
    return picture.astype(np.float32)


def to_levels(picture: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    """Floating point of nominal range [0, 1] -> ``dtype``, uint8 or uint16, rounded and clipped."""
    largest = np.iinfo(dtype).max
    return np.clip(np.rint(picture * largest), 0, largest).astype(dtype)


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Floating point of nominal range [0, 1] -> uint8, rounded and clipped."""
    return to_levels(picture, np.uint8)


def halve_bits(picture: np.ndarray) -> np.ndarray:
    """uint16 -> uint8, rounded: x / 257 without a larger type, since such a picture may be large. uint8 stays."""
    if picture.dtype == np.uint8:
        return picture
    high = (picture >> 8).astype(np.uint8)
    rest = (picture & 255).astype(np.int16) - high  # of 257 parts
    return high + (rest > 128) - (rest < -128)
