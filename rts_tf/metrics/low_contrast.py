"""Measures how much low-contrast texture an enhancement keeps: hair, grass, skin, cloth.

Filters that keep edges, such as the bilateral one, and networks that are trained to look sharp
erase such texture, and neither sharpness nor noise metrics see it.
"""

import cv2
import numpy as np

from rts_tf.metrics.artifacts import BLOCK, FAINTEST, FINE, FLAT_SHARE, LUMA

CONTRAST = (1.0, 6.0)  # levels; the std of texture in a block of low contrast: from, to
ABOVE_NOISE = 2.0  # times the std in the flattest blocks, which is taken for noise
NOISIEST = 1.0  # levels; flattest blocks with more than this hold texture too
EDGE = 4.0  # a block with a peak above this many std has an edge or a line, not texture


def texture_kept(image: np.ndarray, original: np.ndarray) -> float:
    """The share of the low-contrast texture of ``original`` that ``image`` shows.

    Texture is the structure finer than a Gaussian of sigma 2, in blocks of 16x16 pixels where its
    std is from 1 to 6 levels and at least twice the noise, and which have no edge. Noise is the
    std of the flattest blocks, or 1 level if that is less. In each block the structure of ``image``
    is projected on that of ``original``. So 1 means that it is all there, and 0 that it is gone,
    or replaced by other structure. More than 1 counts as 1, so that what is sharpened in one block
    does not make up for what is erased in another.

    Args:
        image: uint8 [H, W, 3], at least 32 pixels a side.
        original: The same shape.

    Returns:
        The mean over the blocks; nan if ``original`` has no such block.
    """
    fine, expected = (_blocks(each) for each in (image, original))
    variances = np.mean(np.square(expected), axis=1)
    chosen = _textured(expected, variances)
    if not chosen.any():
        return float("nan")
    shares = np.mean(fine[chosen] * expected[chosen], axis=1) / variances[chosen]
    return float(np.clip(shares, 0, 1).mean())


def _textured(blocks: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Which blocks have texture of low contrast: bool [blocks]."""
    stds = np.sqrt(variances)
    noisy = np.sort(stds[stds >= FAINTEST])
    noise = noisy[: max(1, round(FLAT_SHARE * len(noisy)))].mean() if len(noisy) else 0.0
    noise = min(noise, NOISIEST)
    peaks = np.abs(blocks).max(axis=1)
    low, high = CONTRAST
    return (stds >= max(low, ABOVE_NOISE * noise)) & (stds <= high) & (peaks <= EDGE * stds)


def _blocks(image: np.ndarray) -> np.ndarray:
    """The fine structure of luma in levels: float64 [blocks, pixels]."""
    luma = image.astype(np.float32) @ LUMA
    fine = (luma - cv2.GaussianBlur(luma, (0, 0), FINE)).astype(np.float64)
    rows, columns = (size // BLOCK for size in fine.shape)
    blocks = fine[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return blocks.swapaxes(1, 2).reshape(rows * columns, BLOCK * BLOCK)
