"""Prints the metrics of several images as a plain-text table: a line per image, and their mean."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rts_tf.errors import printable
from rts_tf.report.columns import ARTIFACTS, Column, optional
from rts_tf.report.text_table import text_table

SMALL = 1.0  # megapixels

# The amount of the unsharp mask of equal MOS, then the cost of sharpness beside that of the mask
COST_COLUMNS = ARTIFACTS[1:]
_IMAGE = Column("image", lambda row: row["name"])


def metric(
    heading: str, key: str, decimals: int, short: str, *, sign: bool = False, extra: bool = False
) -> Column:
    """A column for a metric.

    Args:
        heading: A word or two.
        key: The key of the metric.
        decimals: Digits after the point.
        short: What it means, for the legend.
        sign: Show the sign of positive numbers too.
        extra: Show the column only in a wide table.
    """
    plain = optional(key, decimals)

    def cell(row: Mapping) -> str:
        return f"+{plain(row)}" if sign and row.get(key, 0) > 0 else plain(row)

    return Column(heading, cell, short=short, extra=extra, key=key)


def metric_table(
    names: Sequence[str],
    metrics: Sequence[dict[str, float]],
    columns: Sequence[Column],
    wide: bool = False,
) -> str:
    """Return the table as text, with a legend (:mod:`rts_tf.report.text_table`).

    The names are shown without the folders that they share.

    Args:
        names: The images, at least one.
        metrics: The metrics of each image, all with the same keys.
        columns: Columns whose metric was not measured are left out.
        wide: Show the extra columns, and the names whole.
    """
    start = os.path.commonprefix(names).rfind(os.sep) + 1
    labels = [*(printable(name[start:]) for name in names), f"mean of {len(names)}"]
    figures = [*metrics, means(metrics)]
    rows = [{**row, "name": label} for row, label in zip(figures, labels, strict=True)]
    return text_table((_IMAGE, *columns), rows, wide=wide)


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
