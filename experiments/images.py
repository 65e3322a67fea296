"""Small operations on images that several experiments share."""

import numpy as np


def middle(image: np.ndarray, side: int) -> np.ndarray:
    """Cut at most ``side`` x ``side`` pixels out of the middle of ``image``, [H, W, C]."""
    top, left = (max(0, (size - side) // 2) for size in image.shape[:2])
    return image[top : top + side, left : left + side]
