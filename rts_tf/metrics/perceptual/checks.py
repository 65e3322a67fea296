"""Check the arrays that are given to the perceptual instruments."""

import numpy as np

from rts_tf.errors import ImageError


def check_image(image: np.ndarray, smallest: int, video: bool = False) -> None:
    """Refuse an ``image`` that an instrument cannot measure.

    Args:
        image: uint8 RGB [H, W, 3].
        smallest: The smallest height and width in pixels.
        video: Whether the frames of a video [n, H, W, 3] are accepted too.

    Raises:
        ValueError: The dtype or the shape is another one, or there is no frame.
        ImageError: The image is too small.
    """
    dimensions = (3, 4) if video else (3,)
    if image.dtype != np.uint8 or image.ndim not in dimensions or image.shape[-1] != 3:
        expected = "[H, W, 3] or [n, H, W, 3]" if video else "[H, W, 3]"
        raise ValueError(f"expected uint8 {expected}, not {image.dtype} {image.shape}")
    height, width = image.shape[-3:-1]
    if min(height, width) < smallest:
        raise ImageError(f"`image`: {width}x{height} is smaller than {smallest} pixels a side")
    if not image.size:
        raise ValueError("expected at least one frame")


def check_pair(
    image: np.ndarray, reference: np.ndarray, smallest: int, video: bool = False
) -> None:
    """Refuse an ``image`` and a ``reference`` that an instrument cannot compare.

    Args:
        image: uint8 RGB [H, W, 3].
        reference: The same shape.
        smallest: The smallest height and width in pixels.
        video: Whether the frames of two videos [n, H, W, 3] are accepted too.

    Raises:
        ValueError: A dtype or a shape is another one, or the shapes differ.
        ImageError: The images are too small.
    """
    for array in (image, reference):
        check_image(array, smallest, video)
    if image.shape != reference.shape:
        raise ValueError(
            f"expected two arrays of one shape, not {image.shape} and {reference.shape}"
        )
