"""VIQET's colour warmth: the mean colour temperature, by the nearest point of the black-body locus.

The locus is CIE x and y as polynomials of 1/T. experiments/fit_blackbody_locus.py fitted them to
the table that VIQET uses (1000 K to 40000 K in steps of 100 K, with four decimals). Rounded to four
decimals, they give each of its 391 points.
"""

import functools

import cv2
import numpy as np
from numpy.polynomial import chebyshev
from scipy.spatial import cKDTree

KELVIN = np.arange(1000, 40001, 100)
# Chebyshev coefficients, in 1000 K / T scaled from [0.025, 1] to [-1, 1]
LOCUS_X = (
    0.48346875,
    0.20677679,
    -0.04173643,
    -0.00345742,
    0.00730514,
    -0.00309058,
    0.00044547,
    0.00028589,
    -0.00014513,
    8.605e-05,
    1.131e-05,
)
LOCUS_Y = (
    0.35378096,
    0.03683741,
    -0.06241854,
    0.0197032,
    0.00220741,
    -0.00468306,
    0.00210698,
    -0.00027785,
    -5.02e-05,
    0.00018849,
    1.728e-05,
    3.763e-05,
)


def locus(kelvin: np.ndarray) -> np.ndarray:
    """Compute CIE x and y of black bodies to four decimals.

    Args:
        kelvin: [n], temperatures from 1000 to 40000.

    Returns:
        float64 [n, 2].
    """
    u = (2 * 1000 / np.asarray(kelvin) - 1.025) / 0.975
    points = [chebyshev.chebval(u, LOCUS_X), chebyshev.chebval(u, LOCUS_Y)]
    return np.stack(points, axis=-1).round(4)


@functools.cache
def _tree() -> tuple[cKDTree, np.ndarray]:
    """A search tree of the locus, and the temperature of each of its points.

    Hot bodies share their four decimals; of equal points the coolest is taken.
    """
    points, first = np.unique(locus(KELVIN), axis=0, return_index=True)
    return cKDTree(points), KELVIN[first].astype(np.float64)


def colour_temperature(colour: np.ndarray) -> float:
    """Compute the mean colour temperature at a quarter of the size.

    VIQET does two odd things, which are kept: it exchanges red and blue on the way to X and Y, and
    takes X/256 and Y/256 for x and y.

    Args:
        colour: uint8 [H, W, 3], RGB, of a prepared image.

    Returns:
        In kelvin.
    """
    xyz = cv2.cvtColor(colour, cv2.COLOR_BGR2XYZ)
    rows, columns = (_middle_samples(n) for n in colour.shape[:2])
    # Sums of four samples instead of means are integers, so there are few different colours.
    sums = sum(xyz[r][:, c, :2].astype(np.int64) for r in rows for c in columns)
    colours, counts = np.unique(sums[..., 0] << 10 | sums[..., 1], return_counts=True)
    tree, kelvin = _tree()
    nearest = tree.query(np.stack([colours >> 10, colours & 1023], axis=1) / 1024)[1]
    return float(kelvin[nearest] @ counts / counts.sum())


def _middle_samples(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the two middle samples of every four of ``n``."""
    first = 4 * np.arange(round(n / 4)) + 1
    return np.minimum(first, n - 1), np.minimum(first + 1, n - 1)
