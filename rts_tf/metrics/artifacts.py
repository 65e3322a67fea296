"""What a sharpness score cannot see: what an enhancement costs the picture, measured against its original. Arrays alone."""

from typing import NamedTuple

import cv2
import numpy as np
from scipy import fft

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
BLOCK = 16  # pixels a side of a block that is flat or not
FLAT_SHARE = 0.1  # of the blocks
FAINTEST = 0.3  # levels; a block with less is synthetic, burnt out or drowned by JPEG, and has no noise to raise
CORNER = 0.45  # cycles a pixel


class Artifacts(NamedTuple):
    """The cost of an enhancement. For the original itself: its own clipped samples, 0, 1 and 0."""

    clipped_percent: float  # samples at 0 or 255 in 8 bits, where detail is lost
    overshoot_levels: float  # mean distance beyond the range of the 5x5 neighbours in the original, in 8-bit levels: halos
    flat_noise_gain: float  # factor on the deviation of the fine structure where the original is flattest; nan: nowhere
    corner_gain_db: (
        float  # energy at the corner of the spectrum (both |f| > 0.45), in dB: a pixel-scale weave
    )


def measure_artifacts(picture: np.ndarray, original: np.ndarray) -> Artifacts:
    """Measure ``picture`` against ``original``.

    Args:
        picture, original: floating point [H, W, 3] of nominal range [0, 1] (not clipped where the picture is not), at least
            32 pixels a side.
    """
    picture, original = (255 * np.asarray(array, np.float32) for array in (picture, original))
    y, y_0 = picture @ LUMA, original @ LUMA
    return Artifacts(
        100 * float(np.mean((picture < 0.5) | (picture >= 254.5))),
        _overshoot(picture, original),
        _flat_noise_gain(y, y_0),
        10 * float(np.log10(_corner_energy(y) / _corner_energy(y_0))),
    )


def _overshoot(picture: np.ndarray, original: np.ndarray) -> float:
    neighbours = np.ones((5, 5), np.uint8)
    above = picture - cv2.dilate(original, neighbours)
    below = cv2.erode(original, neighbours) - picture
    return float(np.maximum(np.maximum(above, below), 0).mean(dtype=np.float64))


def _flat_noise_gain(y: np.ndarray, y_0: np.ndarray) -> float:
    variance, variance_0 = _block_variances(y), _block_variances(y_0)
    candidates = np.flatnonzero(variance_0 >= FAINTEST**2)
    if not len(candidates):
        return float("nan")
    count = max(1, round(FLAT_SHARE * len(candidates)))
    flat = candidates[np.argsort(variance_0[candidates], kind="stable")[:count]]
    return float(np.sqrt(variance[flat].sum() / variance_0[flat].sum()))


def _block_variances(y: np.ndarray) -> np.ndarray:
    """Mean square of what is finer than a Gaussian of sigma 2, by block."""
    fine = y - cv2.GaussianBlur(y, (0, 0), 2.0)
    rows, columns = (size // BLOCK for size in y.shape)
    blocks = fine[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.mean(np.square(blocks, dtype=np.float64), axis=(1, 3)).ravel()


def _corner_energy(y: np.ndarray) -> float:
    """Energy where both frequencies are above CORNER, under a Hann window; a trifle keeps it above zero."""
    window = np.multiply.outer(*(np.hanning(size).astype(np.float32) for size in y.shape))
    spectrum = fft.rfft2((y - y.mean()) * window)
    fy, fx = np.abs(fft.fftfreq(y.shape[0])) > CORNER, fft.rfftfreq(y.shape[1]) > CORNER
    return float(np.square(np.abs(spectrum[np.ix_(fy, fx)]), dtype=np.float64).mean()) + 1e-9
