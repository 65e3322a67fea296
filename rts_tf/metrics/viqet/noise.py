"""Features of noise: what is left in the quietest hundredth of the picture, and how active it is beside the sharpest edge."""

import math
from typing import NamedTuple

import cv2
import numpy as np
import scipy.fft

from rts_tf.metrics.viqet.gabor import noise_bank
from rts_tf.metrics.viqet.preparation import NOISE_BLOCK, grey, noise_size, resize
from rts_tf.metrics.viqet.texture import zigzag

WINDOW = 20  # pixels a side, inside a block
QUARTILES = NOISE_BLOCK**2 // 4, 3 * NOISE_BLOCK**2 // 4
QUIETEST = 0.01  # share of the blocks
HIGH_FREQUENCIES = slice(4500, 6400)  # of the block's DCT, in zig-zag order


class Noise(NamedTuple):
    """``signature``: of the deviations in windows; ``frequency``: mean high-frequency DCT coefficient; both in levels."""

    signature: float
    frequency: float


def noise(colour: np.ndarray) -> Noise:
    """Of a prepared picture in colour: the means over the blocks of 80x80 pixels that rank lowest.

    The rank is the sixth root of a product of six figures, each small where a block has little but noise. A block of pure
    black has no rank (0/0) and comes last; a constant one of another level ranks first, and makes the signature 0.
    """
    values = grey(resize(colour, *noise_size(*colour.shape[:2])))
    height, width = (n // NOISE_BLOCK * NOISE_BLOCK for n in values.shape)
    mean_deviation, spread = _window_deviations(values, height, width)
    blocks = _blocks(values[:height, :width])
    with np.errstate(divide="ignore", invalid="ignore"):
        lower, upper = np.partition(blocks, QUARTILES, axis=1)[:, QUARTILES].T.astype(np.float64)
        entropy, magnitude, quotient = _responses(values, height, width)
        rank = (mean_deviation * spread * quotient * (upper / lower) * magnitude * entropy) ** (
            1 / 6
        )
    quietest = np.argsort(rank, kind="stable")[: math.ceil(QUIETEST * len(rank))]
    square = blocks[quietest].reshape(-1, NOISE_BLOCK, NOISE_BLOCK).astype(np.float64)
    c = scipy.fft.dctn(square, axes=(1, 2), norm="ortho").reshape(len(square), -1)
    signature = np.sqrt(mean_deviation[quietest] * spread[quietest]).mean()
    return Noise(
        float(signature), float(np.abs(c[:, zigzag(NOISE_BLOCK)[HIGH_FREQUENCIES]]).mean())
    )


def _blocks(plane: np.ndarray) -> np.ndarray:
    """[H, W], multiples of 80, to [blocks, 6400]."""
    rows, columns = (n // NOISE_BLOCK for n in plane.shape)
    return (
        plane.reshape(rows, NOISE_BLOCK, columns, NOISE_BLOCK)
        .swapaxes(1, 2)
        .reshape(-1, NOISE_BLOCK**2)
    )


def _block_sums(plane: np.ndarray) -> np.ndarray:
    """[H, W], multiples of 80, to the sums over its blocks, [blocks]."""
    height, width = plane.shape
    columns = plane.reshape(-1, NOISE_BLOCK, width).sum(axis=1)  # along the memory first
    return columns.reshape(len(columns), -1, NOISE_BLOCK).sum(axis=2).ravel()


def _window_deviations(
    values: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each block: mean and sample deviation of the sample deviations in its 61x61 windows."""
    count = WINDOW**2
    window = {"ksize": (WINDOW, WINDOW), "anchor": (0, 0), "normalize": False}
    total = cv2.boxFilter(values, cv2.CV_32S, **window)[:height, :width]
    squares = cv2.sqrBoxFilter(values, cv2.CV_64F, **window)[:height, :width]
    places = NOISE_BLOCK - WINDOW + 1
    inside = (slice(None), slice(places), slice(None), slice(places))
    shape = height // NOISE_BLOCK, NOISE_BLOCK, width // NOISE_BLOCK, NOISE_BLOCK
    total, squares = (plane.reshape(shape)[inside].astype(np.float64) for plane in (total, squares))
    deviations = np.sqrt((count * squares - total**2) / (count * (count - 1)))
    deviations = deviations.swapaxes(1, 2).reshape(-1, places**2)
    return deviations.mean(axis=1), deviations.std(axis=1, ddof=1)


def _responses(
    values: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each block, means over the sixteen filters of: entropy of the energy, mean magnitude, second over first."""
    source = values.astype(np.float64)
    entropies, magnitudes = [], []
    for kernel in noise_bank():
        c = cv2.filter2D(source, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT)[:height, :width]
        energy = np.square(c)
        cubes = _block_sums(energy * energy * energy) / _block_sums(energy) ** 3
        entropies.append(-0.5 * np.log(cubes))
        magnitudes.append(_block_sums(np.abs(c)) / NOISE_BLOCK**2)
    quotients = np.divide(magnitudes, entropies)
    return np.mean(entropies, axis=0), np.mean(magnitudes, axis=0), quotients.mean(axis=0)


def activity_ratio(colour: np.ndarray, plane: np.ndarray) -> float:
    """Local deviation where it is least, over its mean, over the sharpest spot of the brightness ``plane``; about 1e-4.

    0 for a picture in which nothing changes.
    """
    n = math.ceil(len(plane) / 120)
    n += n % 2 == 0
    taps = cv2.getGaussianKernel(n, n / 6, cv2.CV_64F)
    blur = lambda x: cv2.sepFilter2D(x, cv2.CV_64F, taps, taps, borderType=cv2.BORDER_REPLICATE)  # noqa: E731
    deviation = np.zeros(plane.shape)
    for channel in cv2.split(colour):
        channel = channel.astype(np.float64)
        deviation += np.sqrt(np.abs(blur(channel * channel) - blur(channel) ** 2))
    active = deviation[deviation > 3e-5] / 3
    count = int(0.005 * len(active))
    sharpest = cv2.Laplacian(plane, cv2.CV_16S, ksize=1, borderType=cv2.BORDER_REPLICATE).max()
    if not count or sharpest <= 0:
        return 0.0
    return float(np.partition(active, count)[:count].mean() / active.mean() / sharpest)
