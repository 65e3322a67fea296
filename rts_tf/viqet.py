"""Measure photographs as the paper's section 4.4 does: ``python -m rts_tf.viqet PHOTO_OR_FOLDER... [--csv=FILE]``.

Prints a table like Table 2, a row for each picture and their mean; docs/viqet.md says what the columns mean. With
``--against=ORIGINALS`` a second one: what the sharpness costs, and what the same MOS costs with an unsharp mask.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
from absl import flags
from rich.console import Console

from rts_tf.cli.command import begin, guarded
from rts_tf.cli.csv_output import check_csv, not_written
from rts_tf.cli.progress import RunProgress
from rts_tf.data.datasets import counterpart, folder
from rts_tf.errors import ConfigError, ImageError, printable
from rts_tf.images.dtypes import to_float
from rts_tf.images.read import read_image
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.viqet import CATEGORIES, Quality, measure
from rts_tf.metrics.viqet.features import extract
from rts_tf.metrics.viqet.measures import quality
from rts_tf.report.image_table import aligned, csv_text, means, note_of_small
from rts_tf.storage import write_text

FLAGS = flags.FLAGS
flags.DEFINE_enum(
    "category", "landscape", CATEGORIES, "VIQET's category, which chooses the MOS model."
)
flags.DEFINE_string("csv", "", "File to write all figures to, with all their digits.")
flags.DEFINE_string(
    "against",
    "",
    "The originals: a photograph, or a folder with the same names, whatever the suffix. Takes six times as long.",
)

# As in Table 2: without the Flat Region Index, which is NaN.
COLUMNS = {
    "MOS": "mos",
    "MOS (raw)": "mos_raw",
    "Resol- ution": "resolution",
    "Edge Acutance": "edge_acutance",
    "Noise Signature": "noise_signature_index",
    "Texture Acutance": "texture_acutance",
    "Satu- ration": "saturation",
    "Color Warmth": "color_warmth",
    "Illumi- nation": "illumination",
    "Dynamic Range": "dynamic_range",
    "Over Exposed": "over_exposed",
    "Under Exposed": "under_exposed",
}
DECIMALS = {"mos": 3, "mos_raw": 3, "resolution": 2}  # of the others: 1
FEW_CONTOURS = 1000  # pixels of contours below which the MOS means nothing


class Photo(NamedTuple):
    """A picture to measure, not yet read. ``read`` returns uint8 [H, W, 3] and raises ImageError."""

    name: str
    read: Callable[[], np.ndarray]
    original: str = ""  # the file of its original, if it is measured against one


class Measured(NamedTuple):
    """A measured picture; ``contours``: how many pixels of contours the MOS rests on."""

    name: str
    quality: Quality
    contours: int
    cost: dict[str, float]  # of rts_tf.metrics.baseline, if it was measured against its original


# The second table: heading, field of the cost, decimals. The rival's figure stands in brackets beside each but the first.
COST_COLUMNS = (
    ("mask", "unsharp_amount", 2),
    ("clipped %", "clipped_percent", 2),
    ("overshoot", "overshoot_levels", 2),
    ("flat noise", "flat_noise_gain", 2),
    ("corner dB", "corner_gain_db", 1),
)


def find_photos(arguments: Sequence[str], against: str = "") -> tuple[list[Photo], list[str]]:
    """Every picture that is named, or lies in a folder that is named; and the errors of folders without pictures.

    ``against``: see the flag. A folder's pictures have their originals at the same places below it.
    """
    photos, errors = [], []
    for argument in arguments:
        if not os.path.isdir(argument):
            original = _original(against, os.path.basename(argument)) if against else ""
            photos.append(Photo(argument, lambda path=argument: read_image(path), original))
            continue
        try:
            found = folder(argument, "")
        except ConfigError as error:
            errors.append(str(error))
            continue
        for name in found.names:
            original = _original(against, name) if against else ""
            photos.append(Photo(os.path.join(argument, name), partial(found.read, name), original))
    return photos, errors


def _original(against: str, name: str) -> str:
    """The file of the picture's original; ``against`` itself if it is a file."""
    return counterpart(against, name) if os.path.isdir(against) else against


def measure_photo(photo: Photo, category: str) -> Measured:
    """Raises ImageError, naming the file, if it or its original cannot be read or measured."""
    picture = photo.read()
    original = read_image(photo.original) if photo.original else None
    if original is not None and original.shape != picture.shape:
        sizes = " and ".join(f"{array.shape[1]}x{array.shape[0]}" for array in (picture, original))
        raise ImageError(
            f"{photo.name}: it and its original {photo.original} are not of one size ({sizes})"
        )
    try:
        features = extract(picture)
        found = quality(features, picture.shape[0] * picture.shape[1] / 1e6, category)
        costs = {} if original is None else _cost(to_float(picture), original, found.mos_raw)
    except ImageError as error:
        raise ImageError(f"{photo.name}: {error}") from None
    except (MemoryError, cv2.error) as error:
        raise ImageError(
            f"{photo.name}: cannot be measured ({' '.join(str(error).split()) or 'no memory'})"
        ) from None
    return Measured(photo.name, found, features.edges.length, costs)


def _cost(picture: np.ndarray, original: np.ndarray, mos_raw: float) -> dict[str, float]:
    scores = unsharp_scores(to_float(original), measure(original).mos_raw)
    return compare_with_unsharp(picture, to_float(original), mos_raw, scores)


def measure_photos(
    photos: Sequence[Photo], category: str, workers: int = 0
) -> tuple[list[Measured], list[str]]:
    """Measure all with ``workers`` threads (0: one a core), showing progress: in order, and the errors of those that failed.

    Raises Interrupted on Ctrl-C.
    """

    def measured(photo: Photo) -> Measured | ImageError:
        try:
            return measure_photo(photo, category)
        except ImageError as error:
            return error

    progress, results = (
        RunProgress({"measuring": len(photos)}, Console(stderr=True, highlight=False)),
        [],
    )
    with progress.running(), contextlib.closing(in_parallel(measured, photos, workers)) as stream:
        for result in stream:
            results.append(result)
            progress.advance(
                "measuring", 1, f"measured {len(results)} of {len(photos)} pictures", 1, "pictures"
            )
    failed = [str(result) for result in results if isinstance(result, ImageError)]
    return [result for result in results if isinstance(result, Measured)], failed


def table(rows: Sequence[Measured]) -> str:
    """Table 2 as plain text: a line for each picture, by its name below the folder that all share, then the mean."""
    mean = [np.mean([getattr(row.quality, field) for row in rows]) for field in COLUMNS.values()]
    figures = [[getattr(row.quality, field) for field in COLUMNS.values()] for row in rows] + [mean]
    cells = [
        [f"{x:.{DECIMALS.get(f, 1)}f}" for f, x in zip(COLUMNS.values(), line, strict=True)]
        for line in figures
    ]
    return aligned(
        [row.name for row in rows],
        [[heading.partition(" ")[i] for heading in COLUMNS] for i in (0, 2)],
        cells,
    )


def cost_table(rows: Sequence[Measured]) -> str:
    """What the sharpness costs each picture, as plain text, with the figures of the unsharp mask of equal MOS in brackets."""

    def cells(figures: dict[str, float]) -> list[str]:
        own = {field: f"{figures[field]:.{digits}f}" for _, field, digits in COST_COLUMNS}
        mask = {
            f: f" ({figures[f'unsharp_{f}']:.{d}f})"
            for _, f, d in COST_COLUMNS
            if f"unsharp_{f}" in figures
        }
        return [
            f"{figures['mos_gain']:+.3f}",
            *(own[field] + mask.get(field, "") for _, field, _ in COST_COLUMNS),
        ]

    mean = means([row.cost for row in rows])
    headings = ["MOS gain", *(heading for heading, _, _ in COST_COLUMNS)]
    return aligned(
        [row.name for row in rows], [headings], [cells(row.cost) for row in rows] + [cells(mean)]
    )


def remarks(rows: Iterable[Measured]) -> list[str]:
    """Where the MOS must not be trusted."""
    lines = note_of_small(row.quality.resolution for row in rows)
    if blurred := [printable(row.name) for row in rows if row.contours < FEW_CONTOURS]:
        lines.append(
            f"note: hardly a contour in {', '.join(blurred)}: the MOS means nothing there."
        )
    return lines


def figures_as_csv(rows: Sequence[Measured]) -> str:
    """A line for each picture, all digits; with the costs, if they were measured, after the columns of Quality."""
    return csv_text(
        ["file", *Quality._fields, *rows[0].cost],
        ([row.name, *row.quality, *row.cost.values()] for row in rows),
    )


def main(arguments: list[str]) -> int:
    return guarded(
        lambda: _measure(arguments[1:]), "stopped; nothing was written.", not_written(FLAGS.csv)
    )


def _measure(arguments: Sequence[str]) -> int:
    if not arguments:
        raise ConfigError(
            "name photographs or folders of them: python -m rts_tf.viqet PHOTO_OR_FOLDER..."
        )
    check_csv(FLAGS.csv)
    if FLAGS.against and not os.path.exists(FLAGS.against):
        raise ConfigError(f"--against={FLAGS.against}: no such file or folder.")
    photos, errors = find_photos(arguments, FLAGS.against)
    rows, failed = measure_photos(photos, FLAGS.category) if photos else ([], [])
    if rows:
        print("\n".join([table(rows), *remarks(rows)]), flush=True)
        if FLAGS.against:
            print(
                "\nWhat the sharpness costs, and in brackets what an unsharp mask of the same MOS would:"
            )
            print(cost_table(rows), flush=True)
        if FLAGS.csv:
            write_text(FLAGS.csv, figures_as_csv(rows))
    for error in errors + failed:
        print(printable(f"error: {error}"), file=sys.stderr)
    return 1 if errors or failed else 0


def run() -> None:
    """Entry point of the console script."""
    begin(main)


if __name__ == "__main__":
    run()
