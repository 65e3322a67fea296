"""VIQET's features of noise: the noise in the quietest parts of an image, and its activity ratio.

The quietest parts are the hundredth of the blocks of 80x80 pixels that hold little but noise.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
import scipy.fft

from rts_tf.metrics.viqet.gabor import noise_bank
from rts_tf.metrics.viqet.preparation import NOISE_BLOCK, noise_size, resize, to_grey
from rts_tf.metrics.viqet.texture import zigzag

WINDOW = 20  # pixels a side of the windows inside a block
QUARTILES = NOISE_BLOCK**2 // 4, 3 * NOISE_BLOCK**2 // 4
QUIETEST = 0.01  # the share of the blocks that are used
HIGH_FREQUENCIES = slice(4500, 6400)  # of the DCT of a block, in zig-zag order


class Noise(NamedTuple):
    """The features of noise, both in 8-bit levels.

    Attributes:
        signature: From the standard deviations in the windows of the quietest blocks.
        frequency: The mean absolute high-frequency DCT coefficient of the quietest blocks.
    """

    signature: float
    frequency: float


def extract_noise(colour: np.ndarray) -> Noise:
    """Compute the features of noise of a prepared image, as means over its quietest blocks.

    The blocks are ranked by the sixth root of a product of six statistics, each of which is small
    in a block that holds little but noise. A purely black block has no rank (0/0) and comes last. A
    constant block of another level comes first, and makes the signature 0.

    Args:
        colour: uint8 [H, W, 3], RGB.
    """
    values = to_grey(resize(colour, *noise_size(*colour.shape[:2])))
    height, width = (n // NOISE_BLOCK * NOISE_BLOCK for n in values.shape)
    mean_std, spread = _window_stds(values, height, width)
    blocks = _blocks(values[:height, :width])
    with np.errstate(divide="ignore", invalid="ignore"):
        lower, upper = np.partition(blocks, QUARTILES, axis=1)[:, QUARTILES].T.astype(np.float64)
        entropy, magnitude, quotient = _responses(values, height, width)
        product = mean_std * spread * quotient * (upper / lower) * magnitude * entropy
        rank = product ** (1 / 6)
    quietest = np.argsort(rank, kind="stable")[: math.ceil(QUIETEST * len(rank))]
    squares = blocks[quietest].reshape(-1, NOISE_BLOCK, NOISE_BLOCK).astype(np.float64)
    coefficients = scipy.fft.dctn(squares, axes=(1, 2), norm="ortho").reshape(len(squares), -1)
    high = coefficients[:, zigzag(NOISE_BLOCK)[HIGH_FREQUENCIES]]
    signature = np.sqrt(mean_std[quietest] * spread[quietest]).mean()
    return Noise(float(signature), float(np.abs(high).mean()))


def _blocks(plane: np.ndarray) -> np.ndarray:
    """Rearrange [H, W], multiples of 80, to [blocks, 6400]."""
    rows, columns = (n // NOISE_BLOCK for n in plane.shape)
    split = plane.reshape(rows, NOISE_BLOCK, columns, NOISE_BLOCK)
    return split.swapaxes(1, 2).reshape(-1, NOISE_BLOCK**2)


def _block_sums(plane: np.ndarray) -> np.ndarray:
    """Sum [H, W], multiples of 80, over each block: [blocks]."""
    _, width = plane.shape
    columns = plane.reshape(-1, NOISE_BLOCK, width).sum(axis=1)  # first along the memory
    return columns.reshape(len(columns), -1, NOISE_BLOCK).sum(axis=2).ravel()


def _window_stds(values: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """For each block, the mean and the sample std of the sample stds in its 61x61 windows."""
    count, size = WINDOW**2, (WINDOW, WINDOW)
    total = cv2.boxFilter(values, cv2.CV_32S, size, anchor=(0, 0), normalize=False)
    squares = cv2.sqrBoxFilter(values, cv2.CV_64F, size, anchor=(0, 0), normalize=False)
    positions = NOISE_BLOCK - WINDOW + 1  # of a window in a block, along each axis
    inside = (slice(None), slice(positions), slice(None), slice(positions))
    shape = height // NOISE_BLOCK, NOISE_BLOCK, width // NOISE_BLOCK, NOISE_BLOCK
    total, squares = (
        plane[:height, :width].reshape(shape)[inside].astype(np.float64)
        for plane in (total, squares)
    )
    stds = np.sqrt((count * squares - total**2) / (count * (count - 1)))
    stds = stds.swapaxes(1, 2).reshape(-1, positions**2)
    return stds.mean(axis=1), stds.std(axis=1, ddof=1)


def _responses(
    values: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each block, three means over the sixteen filters of the noise bank.

    They are the entropy of the energy, the mean magnitude, and the magnitude over the entropy.
    """
    source = values.astype(np.float64)
    entropies, magnitudes = [], []
    for kernel in noise_bank():
        response = cv2.filter2D(source, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT)
        response = response[:height, :width]
        energy = np.square(response)
        cubes = _block_sums(energy * energy * energy) / _block_sums(energy) ** 3
        entropies.append(-0.5 * np.log(cubes))
        magnitudes.append(_block_sums(np.abs(response)) / NOISE_BLOCK**2)
    quotients = np.divide(magnitudes, entropies)
    return np.mean(entropies, axis=0), np.mean(magnitudes, axis=0), quotients.mean(axis=0)


def activity_ratio(colour: np.ndarray, grey: np.ndarray) -> float:
    """Compute the lowest local std over the mean local std over the sharpest change of brightness.

    Args:
        colour: uint8 [H, W, 3], of a prepared image.
        grey: uint8 [H, W], its brightness.

    Returns:
        About 1e-4; 0 if nothing changes in the image.
    """
    n = math.ceil(len(grey) / 120)
    n += n % 2 == 0
    taps = cv2.getGaussianKernel(n, n / 6, cv2.CV_64F)
    std = np.zeros(grey.shape)
    for channel in cv2.split(colour):
        values = channel.astype(np.float64)
        std += np.sqrt(np.abs(_blur(values * values, taps) - _blur(values, taps) ** 2))
    active = std[std > 3e-5] / 3
    count = int(0.005 * len(active))
    sharpest = cv2.Laplacian(grey, cv2.CV_16S, ksize=1, borderType=cv2.BORDER_REPLICATE).max()
    if not count or sharpest <= 0:
        return 0.0
    return float(np.partition(active, count)[:count].mean() / active.mean() / sharpest)


def _blur(values: np.ndarray, taps: np.ndarray) -> np.ndarray:
    return cv2.sepFilter2D(values, cv2.CV_64F, taps, taps, borderType=cv2.BORDER_REPLICATE)
