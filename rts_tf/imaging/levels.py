"""Between 8-bit levels and the floating point in [0, 1] that everything computes with. Arrays alone."""

import numpy as np


def to_float(picture: np.ndarray) -> np.ndarray:
    """uint8 in 0..255 -> float32 in [0, 1]; floating point -> float32 as it is."""
    return picture.astype(np.float32) / np.float32(255) if picture.dtype == np.uint8 else picture.astype(np.float32)


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Floating point of nominal range [0, 1] -> uint8, rounded and clipped."""
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
