"""Measures the block edges of JPEG: the step at the 8x8 grid, which sharpening makes larger."""

import numpy as np

from rts_tf.metrics.artifacts import LUMA

GRID = 8  # pixels a side of JPEG's blocks


def grid_step(image: np.ndarray) -> float:
    """The mean step of luma across the edges of 8x8 blocks, in 8-bit levels.

    It is the difference between the two pixels beside an edge, beyond the mean of the differences
    just before and just after them, so that the slopes of the image itself cancel. An image without
    blocks has 0 on average, and one that was smoothed across its edges is below 0.

    Args:
        image: uint8 [H, W, 3], at least 24 pixels a side, whose blocks begin in the upper left
            corner.

    Raises:
        ValueError: The image is smaller.
    """
    if min(image.shape[:2]) < 3 * GRID:
        raise ValueError(f"expected at least {3 * GRID} pixels a side, not {image.shape}")
    luma = image.astype(np.float32) @ LUMA
    return float(np.mean([_step(luma), _step(luma.T)]))


def _step(luma: np.ndarray) -> float:
    """The step across the edges between rows of blocks."""
    differences = np.abs(np.diff(luma, axis=0)).mean(axis=1, dtype=np.float64)
    edges = np.arange(GRID - 1, len(differences) - 1, GRID)
    beside = (differences[edges - 1] + differences[edges + 1]) / 2
    return float(np.mean(differences[edges] - beside))
