"""Features of texture: how the DCT coefficients of 36x36 blocks are distributed, in six bands of the zig-zag order."""

import functools

import numpy as np
import scipy.fft
import scipy.special

BLOCK = 36
BANDS = 6
NO_SHAPE = 11.0


def zigzag(n: int) -> np.ndarray:
    """[n * n]: the flat positions of an n x n block in JPEG's zig-zag order."""
    row, column = np.divmod(np.arange(n * n), n)
    diagonal = row + column
    return np.lexsort((np.where(diagonal % 2, row, column), diagonal))


@functools.cache
def _shapes() -> tuple[np.ndarray, np.ndarray]:
    """The grid of shapes of a generalised Gaussian, and the variance over the squared mean deviation that each has."""
    shape = 0.03 + 0.001 * np.arange(9971)
    log_gamma = scipy.special.gammaln
    return shape, np.exp(log_gamma(1 / shape) + log_gamma(3 / shape) - 2 * log_gamma(2 / shape))


def shape_of(rho: np.ndarray) -> np.ndarray:
    """The last shape on the grid whose ratio is at least ``rho``; 11 where ``rho`` lies outside the grid."""
    shape, ratio = _shapes()  # falling
    at_least = np.searchsorted(-ratio, -rho, side="right")
    return np.where((at_least > 0) & (at_least < len(shape)), shape[at_least - 1], NO_SHAPE)


def texture(grey: np.ndarray) -> np.ndarray:
    """float64 [24]: six bands, from low to high frequencies, of shape, of rho, of variance, of mean absolute value."""
    height, width = (n // BLOCK * BLOCK for n in grey.shape)
    blocks = (
        grey[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).swapaxes(1, 2)
    )
    c = scipy.fft.dctn(
        blocks.astype(np.float64), axes=(2, 3), norm="ortho", overwrite_x=True
    ).reshape(-1, BLOCK**2)
    absolute = np.abs(c).mean(axis=0)
    c -= c.mean(axis=0)
    variance = np.square(c).mean(axis=0)
    rho = variance / (np.abs(c).mean(axis=0) ** 2 + 1e-7)
    statistics = np.stack([shape_of(rho), rho, variance, absolute])[:, zigzag(BLOCK)].reshape(
        4, BANDS, -1
    )
    bands = statistics.mean(axis=2)
    bands[:, 0] = statistics[:, 0, 1:].mean(axis=1)  # without the mean of the block
    return bands.ravel()
