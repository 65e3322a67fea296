"""Measures how an enhancement changes what flickers in a video, set against the detail it adds."""

from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.metrics.artifacts import BLOCK, FAINTEST, FINE, FLAT_SHARE, LUMA


class Flicker(NamedTuple):
    """What an enhancement did to the change over time of a static scene.

    Attributes:
        rms_per_detail: The factor on the RMS change over time, divided by the factor on the detail
            of the mean frame. Below 1, flicker grew by less than detail.
        flat_rms: The factor on the RMS change over time in the flattest tenth of the blocks that
            change at all; codecs copy many flat blocks from frame to frame. It is nan if none does.
    """

    rms_per_detail: float
    flat_rms: float


def flicker(enhanced: np.ndarray, frames: np.ndarray) -> Flicker:
    """Compare a static scene before and after its enhancement.

    Args:
        enhanced: uint8 [frames, H, W, 3], two frames or more, at least 32 pixels a side.
        frames: The same before the enhancement, with noise or coding that changes over time.
    """
    after, before = (_luma(sequence) for sequence in (enhanced, frames))
    rms_after, rms_before = (_change(sequence) for sequence in (after, before))
    growth = np.sqrt(rms_after.mean() / rms_before.mean()) if rms_before.any() else np.nan
    detail = np.sqrt(_detail(after).mean() / _detail(before).mean())
    changing = np.flatnonzero(rms_before > FAINTEST**2)
    flat = changing[np.argsort(_detail(before)[changing], kind="stable")]
    flat = flat[: max(1, round(FLAT_SHARE * len(flat)))]
    factor = np.sqrt(rms_after[flat].mean() / rms_before[flat].mean()) if len(flat) else np.nan
    return Flicker(float(growth / detail), float(factor))


def _luma(sequence: np.ndarray) -> np.ndarray:
    return sequence.astype(np.float32) @ LUMA


def _change(luma: np.ndarray) -> np.ndarray:
    """The mean square of the difference between neighbouring frames, in each block."""
    return _block_means(np.square(np.diff(luma, axis=0)).mean(axis=0))


def _detail(luma: np.ndarray) -> np.ndarray:
    """The mean square of the fine structure of the mean frame, in each block."""
    mean = luma.mean(axis=0)
    return _block_means(np.square(mean - cv2.GaussianBlur(mean, (0, 0), FINE)))


def _block_means(values: np.ndarray) -> np.ndarray:
    rows, columns = (size // BLOCK for size in values.shape)
    blocks = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return blocks.mean(axis=(1, 3), dtype=np.float64).ravel()
