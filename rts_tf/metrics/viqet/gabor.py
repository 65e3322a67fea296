"""The two banks of Gabor filters: real parts of complex Gabor functions, four orientations at each scale.

A filter's pass band is given by its upper half-power frequency and its width in octaves, as is usual in models of vision.
"""

import functools
import math

import numpy as np

ORIENTATIONS = 4
EDGE_SCALES = tuple(
    (0.5, k / 10) for k in range(1, 10)
)  # (upper frequency in cycles a pixel, octaves)
NOISE_SCALES = tuple((0.5 * 2 ** (-0.9 * (4 - k)), 0.9) for k in range(1, 5))


def parameters(upper: float, octaves: float) -> tuple[float, float, int]:
    """(sigma of the envelope in pixels, centre frequency in cycles a pixel, side of the support, odd)."""
    lower = upper * 2**-octaves
    sigma = math.sqrt(math.log(2)) / (math.pi * (upper - lower))
    return sigma, (upper + lower) / 2, math.ceil((6 * sigma - 1) / 2) * 2 + 1


def gabor(upper: float, octaves: float, orientation: int) -> np.ndarray:
    """One filter, float64 [n, n], of zero mean and unit energy, ``orientation`` in steps of 45 degrees from the x axis.

    The taps have five significant digits, as in VIQET, whose banks were printed that way; unrounded they would move
    the edge energies by 1e-4.
    """
    sigma, frequency, side = parameters(upper, octaves)
    theta = orientation * math.pi / ORIENTATIONS
    y, x = np.mgrid[:side, :side] - side // 2
    phase = 2j * np.pi * frequency * (x * math.cos(theta) + y * math.sin(theta))
    z = np.exp(phase - (x**2 + y**2) / (2 * sigma**2))
    z -= z.mean()
    z /= np.sqrt((np.abs(z) ** 2).sum())
    return np.array([float(f"{tap:.5g}") for tap in z.real.ravel().tolist()]).reshape(side, side)


@functools.cache
def edge_bank() -> tuple[np.ndarray, ...]:
    """One kernel for each of EDGE_SCALES: the mean of its four orientations, which is what filters the picture."""
    return tuple(
        np.mean([gabor(*scale, o) for o in range(ORIENTATIONS)], axis=0) for scale in EDGE_SCALES
    )


@functools.cache
def noise_bank() -> tuple[np.ndarray, ...]:
    """Sixteen kernels: for each of NOISE_SCALES four orientations."""
    return tuple(gabor(*scale, o) for scale in NOISE_SCALES for o in range(ORIENTATIONS))
