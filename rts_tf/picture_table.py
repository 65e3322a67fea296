"""What the commands that measure pictures share: a line for each picture, as text and as CSV, and finding its counterpart."""

import csv
import io
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from rts_tf.errors import ConfigError
from rts_tf.imaging.files import SUFFIXES, printable

SMALL = 1.0  # megapixels


def counterpart(folder: str | os.PathLike, name: str) -> str:
    """The file in ``folder`` that is called ``name``, whatever its suffix; one that is not there if none is."""
    path = pathlib.Path(folder, name)
    same_stem = (p for p in sorted(path.parent.glob("*")) if p.stem == path.stem and p.suffix.lower() in SUFFIXES)
    return os.fspath(path if path.exists() else next(same_stem, path))


def aligned(names: Sequence[str], headings: Sequence[Sequence[str]], cells: Sequence[Sequence[str]]) -> str:
    """Lines with the pictures' names in front, by the part below the folder that all share, and the mean last.

    Args:
        names: of the pictures.
        headings: lines of headings; ``cells``: a line for each picture, and that of the mean.
    """
    shared = os.path.commonprefix(names)
    shown = [printable(name[shared.rfind(os.sep) + 1 :]) for name in names] + [f"mean of {len(names)}"]
    labels = [*[""] * (len(headings) - 1), "picture", *shown]
    lines = [[label, *line] for label, line in zip(labels, [*headings, *cells], strict=True)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]).rstrip() for line in lines
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


def not_written(path: str) -> Callable[[OSError], str]:
    """What to say if the ``--csv`` file, or the table where none was asked for, cannot be written."""
    what = f"--csv={path}" if path else "the table"
    return lambda error: f"{what}: cannot be written ({error.strerror or error})."


def check_csv(path: str) -> None:
    """Raise ConfigError before the work rather than after it."""
    if not path:
        return
    if pathlib.Path(path).suffix.lower() in SUFFIXES:  # as in --csv photo.jpg more.jpg
        raise ConfigError(f"--csv={path}: would overwrite a picture; name a .csv file.")
    if os.path.isdir(path):
        raise ConfigError(f"--csv={path}: is a folder; name a file.")
    if not os.path.isdir(parent := os.path.dirname(path) or "."):
        raise ConfigError(f"--csv={path}: there is no folder {parent}.")
