"""VIQET's two banks of Gabor filters, for the features of edges and of noise.

The filters are the real parts of complex Gabor functions, in four orientations at each scale. As is
usual in models of human vision, a filter is given by its upper half-power frequency and its
bandwidth in octaves.
"""

import functools
import math

import numpy as np

ORIENTATIONS = 4
# Upper half-power frequency in cycles per pixel, and bandwidth in octaves
EDGE_SCALES = tuple((0.5, k / 10) for k in range(1, 10))
NOISE_SCALES = tuple((0.5 * 2 ** (-0.9 * (4 - k)), 0.9) for k in range(1, 5))


def parameters(upper: float, octaves: float) -> tuple[float, float, int]:
    """Compute the parameters of a filter from its band.

    Args:
        upper: The upper half-power frequency in cycles per pixel.
        octaves: The bandwidth.

    Returns:
        The sigma of the envelope in pixels, the centre frequency in cycles per pixel, and the side
        of the kernel in pixels, which is odd.
    """
    lower = upper * 2**-octaves
    sigma = math.sqrt(math.log(2)) / (math.pi * (upper - lower))
    return sigma, (upper + lower) / 2, math.ceil((6 * sigma - 1) / 2) * 2 + 1


def gabor_kernel(upper: float, octaves: float, orientation: int) -> np.ndarray:
    """Make one filter of zero mean and unit energy.

    The taps have five significant digits as in VIQET, whose source holds the banks as printed
    numbers. Unrounded taps would change the edge energies by 1e-4.

    Args:
        upper: See :func:`parameters`.
        octaves: See :func:`parameters`.
        orientation: From the x axis, in steps of 45 degrees.

    Returns:
        float64 [n, n] with an odd n.
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
    """Make nine kernels, one for each of EDGE_SCALES: the means over the four orientations."""
    return tuple(
        np.mean([gabor_kernel(*scale, o) for o in range(ORIENTATIONS)], axis=0)
        for scale in EDGE_SCALES
    )


@functools.cache
def noise_bank() -> tuple[np.ndarray, ...]:
    """Make sixteen kernels: the four orientations of each of NOISE_SCALES."""
    return tuple(gabor_kernel(*scale, o) for scale in NOISE_SCALES for o in range(ORIENTATIONS))
