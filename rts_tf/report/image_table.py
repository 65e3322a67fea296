"""What the commands that measure pictures share: a line for each picture, as text and as CSV, and finding its counterpart."""

import csv
import io
import math
import os
from collections.abc import Iterable, Sequence

import numpy as np

from rts_tf.errors import printable

SMALL = 1.0  # megapixels


def aligned(
    names: Sequence[str], headings: Sequence[Sequence[str]], cells: Sequence[Sequence[str]]
) -> str:
    """Lines with the pictures' names in front, by the part below the folder that all share, and the mean last.

    Args:
        names: of the pictures.
        headings: lines of headings; ``cells``: a line for each picture, and that of the mean.
    """
    shared = os.path.commonprefix(names)
    shown = [printable(name[shared.rfind(os.sep) + 1 :]) for name in names] + [
        f"mean of {len(names)}"
    ]
    labels = [*[""] * (len(headings) - 1), "picture", *shown]
    lines = [[label, *line] for label, line in zip(labels, [*headings, *cells], strict=True)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]
        ).rstrip()
        for line in lines
    )


def means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure over the pictures where it is finite; nan where it is nowhere."""
    found = {}
    for key in rows[0]:
        finite = [row[key] for row in rows if math.isfinite(row[key])]
        found[key] = float(np.mean(finite)) if finite else math.nan
    return found


def note_of_small(megapixels: Iterable[float]) -> list[str]:
    """A line that says so where pictures are too small for their MOS."""
    small = sum(size < SMALL for size in megapixels)
    text = f"note: {small} below {SMALL:g} megapixel: scaled up they score low; compare raw MOS of equal sizes only."
    return [text] if small else []


def csv_text(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """Comma-separated lines, all digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
