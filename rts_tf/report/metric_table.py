"""Prints the metrics of several images as a plain-text table: a line per image, and their mean."""

import math
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rts_tf.errors import printable

SMALL = 1.0  # megapixels


class Column(NamedTuple):
    """One column of the table.

    Attributes:
        heading: A line break divides it into two lines.
        metric: The key of the metric.
        decimals: Digits after the point.
        with_baseline: Show the metric of the unsharp mask of equal MOS, the metric of the same
            name with ``unsharp_`` in front, in brackets beside it, if there is one.
        sign: Show the sign of positive numbers too.
    """

    heading: str
    metric: str
    decimals: int
    with_baseline: bool = False
    sign: bool = False

    def cell(self, metrics: dict[str, float]) -> str:
        """Return the text of this column for the ``metrics`` of one image."""
        text = f"{metrics[self.metric]:{'+' if self.sign else ''}.{self.decimals}f}"
        baseline = metrics.get(f"unsharp_{self.metric}")
        if not self.with_baseline or baseline is None:
            return text
        return f"{text} ({baseline:.{self.decimals}f})"


# The amount of the unsharp mask of equal MOS, then the cost of sharpness beside that of the mask.
# "corner" is the high-frequency diagonal of the spectrum.
COST_COLUMNS = (
    Column("mask", "unsharp_amount", 2),
    Column("clipped %", "clipped_percent", 2, with_baseline=True),
    Column("overshoot", "overshoot_levels", 2, with_baseline=True),
    Column("flat noise", "flat_noise_gain", 2, with_baseline=True),
    Column("corner dB", "corner_gain_db", 1, with_baseline=True),
)


def metric_table(
    names: Sequence[str], metrics: Sequence[dict[str, float]], columns: Sequence[Column]
) -> str:
    """Return the table as text.

    The names are shown without the folders that they share.

    Args:
        names: The images, at least one.
        metrics: The metrics of each image, all with the same keys.
        columns: Columns whose metric was not measured are left out.
    """
    mean = means(metrics)
    shown = [column for column in columns if column.metric in mean]
    height = 1 + max(column.heading.count("\n") for column in shown)
    split = [column.heading.split("\n") + [""] * height for column in shown]
    headings = [[lines[i] for lines in split] for i in range(height)]
    cells = [[column.cell(row) for column in shown] for row in [*metrics, mean]]
    start = os.path.commonprefix(names).rfind(os.sep) + 1
    first = [*[""] * (height - 1), "image", *(printable(name[start:]) for name in names)]
    first.append(f"mean of {len(names)}")
    return _aligned([[label, *line] for label, line in zip(first, headings + cells, strict=True)])


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lay out cells in columns, the first aligned at its left and the others at their right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = []
    for first, *others in lines:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        texts.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(texts)


def means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over the images where it is finite; nan if it is nowhere."""
    found = {}
    for key in rows[0]:
        finite = [row[key] for row in rows if math.isfinite(row[key])]
        found[key] = float(np.mean(finite)) if finite else math.nan
    return found


def note_of_small(megapixels: Iterable[float]) -> list[str]:
    """Return a note if some images are too small for their MOS, else nothing.

    Args:
        megapixels: The size of each image.
    """
    small = sum(size < SMALL for size in megapixels)
    if not small:
        return []
    return [
        f"note: {small} below {SMALL:g} megapixel: VIQET enlarges them, so they score low; compare"
        " only the raw MOS of images of one size."
    ]
