"""Convert images between the integer levels of files and the floats that all code computes with.

Levels are uint8 in 0..255 or uint16 in 0..65535. Floats are float32 of the nominal range [0, 1],
in which 1 is white; targets and enhanced images may lie outside that range. All functions take
arrays of any shape.
"""

import math

import numpy as np

LEVELS: tuple[type, ...] = (np.uint8, np.uint16)  # the integer dtypes of images
# The least and the most that a network is given as floating point. Sharp edges overshoot [0, 1] by
# some tenths, and an image of 0..255 that stays below 3 would be black.
FLOATS = (-1.0, 3.0)


def checked_images(images: np.ndarray, strength: float) -> np.ndarray:
    """Check what a network is to enhance, and by how much.

    Args:
        images: [H, W, 3] or [batch, H, W, 3], RGB, or grey with a last axis of 1; levels or
            floating point.
        strength: The share of the change, any finite number.

    Returns:
        The images in native byte order.

    Raises:
        ValueError: They are of another shape or type, floats are outside of the range of
            :func:`check_range`, or the strength is not finite.
    """
    images = np.asarray(images)
    if images.ndim not in (3, 4) or images.shape[-1] not in (1, 3) or 0 in images.shape:
        shape = "[H, W, 3] or [batch, H, W, 3] (grey: 1 instead of 3)"
        raise ValueError(f"expected RGB images, {shape}, not an array of shape {images.shape}")
    if not math.isfinite(strength):
        raise ValueError(f"expected a finite strength, not {strength}")
    images = native_samples(images)
    check_range(images)
    return images


def check_range(samples: np.ndarray) -> None:
    """Refuse floating point that cannot be meant as 0 for black and 1 for white.

    What a network makes goes a little below 0 and above 1, and is accepted.

    Args:
        samples: Levels, which are always accepted, or floating point of any shape.

    Raises:
        ValueError: A value is not finite, or outside of ``FLOATS``.
    """
    if samples.dtype in LEVELS:
        return
    low, high = float(samples.min()), float(samples.max())  # NaN if any value is
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("expected finite values in [0, 1]; some are infinite or not a number")
    if low < FLOATS[0] or high > FLOATS[1]:
        raise ValueError(
            f"expected floating point in [0, 1], not from {low:g} to {high:g}; divide by the value"
            " of white, such as 255, or pass uint8 or uint16"
        )


def native_samples(samples: np.ndarray) -> np.ndarray:
    """Return levels or floating point in native byte order. Raises ValueError for other types."""
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if samples.dtype not in LEVELS and not np.issubdtype(samples.dtype, np.floating):
        raise ValueError(
            f"expected uint8 in 0..255, uint16 or floating point in [0, 1], not {samples.dtype}"
        )
    return samples


def to_float(image: np.ndarray) -> np.ndarray:
    """Convert levels to float32 in [0, 1].

    Args:
        image: uint8, uint16 or floating point. Floating point values are not scaled.

    Returns:
        float32, of the same shape.
    """
    if image.dtype in LEVELS:
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    return image.astype(np.float32)


def to_levels(image: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    """Round and clip floats of the nominal range [0, 1] to levels.

    Args:
        image: Floating point.
        dtype: uint8 or uint16.

    Returns:
        The same shape in ``dtype``.
    """
    white = np.iinfo(dtype).max
    return np.clip(np.rint(image * white), 0, white).astype(dtype)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Round and clip floats of the nominal range [0, 1] to uint8."""
    return to_levels(image, np.uint8)


def halve_bits(image: np.ndarray) -> np.ndarray:
    """Round uint16 levels to uint8 levels; an image that is uint8 already is returned as it is.

    The result equals ``rint(image / 257)``. It is computed without a larger dtype, since images of
    16 bits may be large.
    """
    if image.dtype == np.uint8:
        return image
    high = (image >> 8).astype(np.uint8)
    remainder = (image & 255).astype(np.int16) - high  # image = 257 * high + remainder
    return high + (remainder > 128) - (remainder < -128)
