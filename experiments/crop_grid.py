"""Draws crops of images as a grid, each pixel as a square, with a title over each column."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments import results

GAP, TITLE = 6, 26  # pixels


def crop_grid(rows: Sequence[Sequence[np.ndarray]], titles: Sequence[str], factor: int) -> Figure:
    """Draw ``rows`` of crops.

    Args:
        rows: In each row a crop for each column, all uint8 [height, width, 3] of one size.
        titles: One for each column.
        factor: How many pixels of the drawing one pixel of a crop has on each side.
    """
    high, wide = (factor * side for side in rows[0][0].shape[:2])
    width, height = len(titles) * (wide + GAP) - GAP, len(rows) * (high + GAP) - GAP + TITLE
    drawing = Figure(figsize=(width / results.DPI, height / results.DPI), dpi=results.DPI)
    for j, title in enumerate(titles):
        x = j * (wide + GAP)
        middle = (x + wide / 2) / width, 1 - TITLE / 2 / height
        drawing.text(*middle, title, ha="center", va="center", fontsize=10)
        for i, crops in enumerate(reversed(rows)):  # from below
            pixels = crops[j].repeat(factor, axis=0).repeat(factor, axis=1)
            drawing.figimage(pixels, x, i * (high + GAP))
    return drawing
