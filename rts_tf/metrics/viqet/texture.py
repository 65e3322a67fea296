"""VIQET's features of texture: statistics of the DCT coefficients of 36x36 blocks, by band.

The 36 * 36 coefficients of a block, in JPEG's zig-zag order, form six bands from low to high
frequencies.
"""

import functools

import numpy as np
import scipy.fft
import scipy.special

BLOCK = 36  # pixels a side
BANDS = 6
NO_SHAPE = 11.0  # stands for a shape outside the grid


def zigzag(n: int) -> np.ndarray:
    """The flat positions in an n x n block in JPEG's zig-zag order, [n * n]."""
    row, column = np.divmod(np.arange(n * n), n)
    diagonal = row + column
    return np.lexsort((np.where(diagonal % 2, row, column), diagonal))


@functools.cache
def _shapes() -> tuple[np.ndarray, np.ndarray]:
    """A grid of shapes of the generalised Gaussian, and rho of each.

    rho is the variance over the square of the mean absolute deviation.
    """
    shape = 0.03 + 0.001 * np.arange(9971)
    log_gamma = scipy.special.gammaln
    return shape, np.exp(log_gamma(1 / shape) + log_gamma(3 / shape) - 2 * log_gamma(2 / shape))


def shape_of(rho: np.ndarray) -> np.ndarray:
    """The last shape on the grid whose rho is at least ``rho``; 11 if ``rho`` is outside the grid.

    The shape is 2 for a Gaussian and 1 for a Laplacian distribution.
    """
    shape, ratio = _shapes()  # the ratio falls
    at_least = np.searchsorted(-ratio, -rho, side="right")
    return np.where((at_least > 0) & (at_least < len(shape)), shape[at_least - 1], NO_SHAPE)


def extract_texture(grey: np.ndarray) -> np.ndarray:
    """Compute the features of texture of a prepared image.

    Args:
        grey: uint8 [H, W].

    Returns:
        float64 [24]: the means over each band, from low to high frequencies, of four statistics of
        the coefficients: shape, rho, variance and mean absolute value.
    """
    height, width = (n // BLOCK * BLOCK for n in grey.shape)
    split = grey[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    blocks = split.swapaxes(1, 2).astype(np.float64)
    c = scipy.fft.dctn(blocks, axes=(2, 3), norm="ortho", overwrite_x=True).reshape(-1, BLOCK**2)
    absolute = np.abs(c).mean(axis=0)
    c -= c.mean(axis=0)
    variance = np.square(c).mean(axis=0)
    rho = variance / (np.abs(c).mean(axis=0) ** 2 + 1e-7)
    statistics = np.stack([shape_of(rho), rho, variance, absolute])[:, zigzag(BLOCK)]
    statistics = statistics.reshape(4, BANDS, -1)
    bands = statistics.mean(axis=2)
    bands[:, 0] = statistics[:, 0, 1:].mean(axis=1)  # without the mean of the block
    return bands.ravel()
