"""Measure the artifacts of an enhancement, which a sharpness score such as VIQET's MOS cannot see.

Each artifact is measured against the original image: clipping, overshoot (halos), noise in flat
areas, and the high-frequency diagonal, that is the corner of the spectrum, where a weave at the
scale of single pixels shows.
"""

from typing import NamedTuple

import cv2
import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # the weights of RGB, ITU-R BT.601
BLOCK = 16  # pixels a side of the blocks in which noise is measured
FLAT_SHARE = 0.1  # of the blocks count as flat
FINE = 2.0  # sigma in pixels; fine structure is what a Gaussian of this width removes
# In 8-bit levels; a block with less noise is synthetic, burnt out or smoothed by JPEG compression,
# and has no noise to amplify.
FAINTEST = 0.3
CORNER = 0.45  # cycles per pixel; the corner of the spectrum is where both |fx| and |fy| exceed it


class Artifacts(NamedTuple):
    """The artifacts of an image. The original has its own clipped samples, and 0, 1 and 0.

    Attributes:
        clipped_percent: The share of the samples that are 0 or 255 in 8 bits, where detail is lost.
        overshoot_levels: The mean distance beyond the range of the 5x5 neighbours in the original,
            in 8-bit levels. Halos overshoot.
        flat_noise_gain: The factor on the standard deviation of the fine structure where the
            original is flattest; nan if the original is nowhere flat and noisy.
        corner_gain_db: The gain of the energy in the corner of the spectrum, in dB.
    """

    clipped_percent: float
    overshoot_levels: float
    flat_noise_gain: float
    corner_gain_db: float


def measure_artifacts(image: np.ndarray, original: np.ndarray) -> Artifacts:
    """Measure the artifacts of ``image`` against ``original``.

    Args:
        image: Floating point [H, W, 3] of the nominal range [0, 1], at least 32 pixels a side. It
            should not be clipped to that range beforehand.
        original: The same shape.
    """
    image, original = (255 * np.asarray(array, np.float32) for array in (image, original))
    luma, original_luma = image @ LUMA, original @ LUMA
    return Artifacts(
        100 * float(np.mean((image < 0.5) | (image >= 254.5))),
        _overshoot(image, original),
        _flat_noise_gain(luma, original_luma),
        10 * float(np.log10(_corner_energy(luma) / _corner_energy(original_luma))),
    )


def _overshoot(image: np.ndarray, original: np.ndarray) -> float:
    neighbours = np.ones((5, 5), np.uint8)
    above = image - cv2.dilate(original, neighbours)
    below = cv2.erode(original, neighbours) - image
    return float(np.maximum(np.maximum(above, below), 0).mean(dtype=np.float64))


def _flat_noise_gain(luma: np.ndarray, original_luma: np.ndarray) -> float:
    variances, original_variances = _block_variances(luma), _block_variances(original_luma)
    candidates = np.flatnonzero(original_variances >= FAINTEST**2)
    if not len(candidates):
        return float("nan")
    count = max(1, round(FLAT_SHARE * len(candidates)))
    flat = candidates[np.argsort(original_variances[candidates], kind="stable")[:count]]
    return float(np.sqrt(variances[flat].sum() / original_variances[flat].sum()))


def _block_variances(luma: np.ndarray) -> np.ndarray:
    """The mean square of the structure finer than a Gaussian of sigma 2, in each block."""
    fine = luma - cv2.GaussianBlur(luma, (0, 0), FINE)
    rows, columns = (size // BLOCK for size in luma.shape)
    blocks = fine[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.mean(np.square(blocks, dtype=np.float64), axis=(1, 3)).ravel()


def _corner_energy(luma: np.ndarray) -> float:
    """The mean energy in the corner of the spectrum, under a Hann window.

    A tiny constant keeps it above zero.
    """
    from scipy import fft  # a tenth of a second, which only measuring needs

    window = np.multiply.outer(*(np.hanning(size).astype(np.float32) for size in luma.shape))
    spectrum = fft.rfft2((luma - luma.mean()) * window)
    fy = np.abs(fft.fftfreq(luma.shape[0])) > CORNER
    fx = fft.rfftfreq(luma.shape[1]) > CORNER
    return float(np.square(np.abs(spectrum[np.ix_(fy, fx)]), dtype=np.float64).mean()) + 1e-9
