"""Finds the part of an image that shows most of what a network changes: the most detailed one."""

from typing import NamedTuple

import cv2
import numpy as np

_STEP = 32  # pixels between the places that are compared
_BLACK, _WHITE = 2, 253  # levels beyond which a pixel may be clipped
# The std of Gaussians in pixels. Detail is what lies between them, so that noise counts less.
_FINE, _COARSE = 1.0, 4.0


class Window(NamedTuple):
    """A part of an image.

    Attributes:
        rows: Its rows.
        columns: Its columns.
        detail: The mean change of luma between neighbours, in levels; 0 where it is clipped.
    """

    rows: slice
    columns: slice
    detail: float


def most_detailed(image: np.ndarray, side: int) -> Window:
    """Find the most detailed window of at most ``side`` x ``side`` pixels.

    Args:
        image: uint8 [H, W, 3].
        side: Rows and columns; of a smaller image the window has them all.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    values = luma.astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(values, (0, 0), sigma) for sigma in (_FINE, _COARSE))
    energy = np.abs(fine - coarse)
    energy[(luma < _BLACK) | (luma > _WHITE)] = 0
    sums = cv2.integral(energy, sdepth=cv2.CV_64F)
    height, width = (min(side, size) for size in luma.shape)
    tops = _starts(luma.shape[0] - height)
    lefts = _starts(luma.shape[1] - width)
    ends = np.ix_(tops + height, lefts + width), np.ix_(tops, lefts + width)
    starts = np.ix_(tops + height, lefts), np.ix_(tops, lefts)
    totals = sums[ends[0]] - sums[ends[1]] - sums[starts[0]] + sums[starts[1]]
    row, column = np.unravel_index(np.argmax(totals), totals.shape)
    top, left = int(tops[row]), int(lefts[column])
    detail = float(totals[row, column]) / (height * width)
    return Window(slice(top, top + height), slice(left, left + width), detail)


def _starts(last: int) -> np.ndarray:
    return np.unique([*range(0, last + 1, _STEP), last])
