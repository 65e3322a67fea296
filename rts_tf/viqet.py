"""Measure photographs as the paper's section 4.4 does: ``python -m rts_tf.viqet PHOTO_OR_FOLDER... [--csv=FILE]``.

Prints a table like Table 2, a row for each picture and their mean; docs/viqet.md says what the columns mean.
"""

import concurrent.futures
import csv
import io
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from absl import app, flags
from rich.console import Console

from rts_tf.data.photos import folder
from rts_tf.errors import ConfigError, Interrupted, PictureError, RtsError
from rts_tf.imaging.files import SUFFIXES, printable, read_picture, write_text
from rts_tf.progress import RunProgress
from rts_tf.quality.viqet import CATEGORIES, Quality
from rts_tf.quality.viqet.features import extract
from rts_tf.quality.viqet.measures import quality

FLAGS = flags.FLAGS
flags.DEFINE_enum("category", "landscape", CATEGORIES, "VIQET's category, which chooses the MOS model.")
flags.DEFINE_string("csv", "", "File to write all figures to, with all their digits.")

# As in Table 2: without the Flat Region Index, which is NaN.
COLUMNS = {
    "MOS": "mos", "MOS (raw)": "mos_raw", "Resol- ution": "resolution", "Edge Acutance": "edge_acutance",
    "Noise Signature": "noise_signature_index", "Texture Acutance": "texture_acutance", "Satu- ration": "saturation",
    "Color Warmth": "color_warmth", "Illumi- nation": "illumination", "Dynamic Range": "dynamic_range",
    "Over Exposed": "over_exposed", "Under Exposed": "under_exposed",
}  # fmt: skip
DECIMALS = {"mos": 3, "mos_raw": 3, "resolution": 2}  # of the others: 1
SMALL = 1.0  # megapixels
FEW_CONTOURS = 1000  # pixels of contours below which the MOS means nothing


class Photo(NamedTuple):
    """A picture to measure, not yet read. ``read`` returns uint8 [H, W, 3] and raises PictureError."""

    name: str
    read: Callable[[], np.ndarray]


class Measured(NamedTuple):
    """A measured picture; ``contours``: how many pixels of contours the MOS rests on."""

    name: str
    quality: Quality
    contours: int


def find_photos(arguments: Sequence[str]) -> tuple[list[Photo], list[str]]:
    """Every picture that is named, or lies in a folder that is named; and the errors of folders without pictures."""
    photos, errors = [], []
    for argument in arguments:
        if not os.path.isdir(argument):
            photos.append(Photo(argument, lambda path=argument: read_picture(path)))
            continue
        try:
            found = folder(argument, "")
        except ConfigError as error:
            errors.append(str(error))
            continue
        photos += [Photo(os.path.join(argument, n), lambda n=n, f=found: f.read(n)) for n in found.names]
    return photos, errors


def measure_photo(photo: Photo, category: str) -> Measured:
    """Raises PictureError, naming the file, if it cannot be read or measured."""
    picture = photo.read()
    try:
        features = extract(picture)
    except PictureError as error:
        raise PictureError(f"{photo.name}: {error}") from None
    except (MemoryError, cv2.error) as error:
        raise PictureError(f"{photo.name}: cannot be measured ({' '.join(str(error).split()) or 'no memory'})") from None
    megapixels = picture.shape[0] * picture.shape[1] / 1e6
    return Measured(photo.name, quality(features, megapixels, category), features.edges.length)


def measure_photos(photos: Sequence[Photo], category: str, workers: int) -> tuple[list[Measured], list[str]]:
    """Measure all with ``workers`` threads, a core each, showing progress: in order, and the errors of those that failed.

    Raises Interrupted on Ctrl-C.
    """
    progress = RunProgress({"measuring": len(photos)}, Console(stderr=True, highlight=False))
    cv2.setNumThreads(1)  # the pictures are the threads' work; OpenCV and NumPy let the others run meanwhile
    with progress.running(), concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(measure_photo, photo, category) for photo in photos]
        try:
            for done, _ in enumerate(concurrent.futures.as_completed(futures), start=1):
                progress.advance("measuring", 1, f"measured {done} of {len(photos)} pictures", 1, "pictures")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    failed = [str(f.exception()) for f in futures if isinstance(f.exception(), PictureError)]
    return [f.result() for f in futures if not isinstance(f.exception(), PictureError)], failed


def table(rows: Sequence[Measured]) -> str:
    """Table 2 as plain text: a line for each picture, by its name below the folder that all share, then the mean."""
    mean = [np.mean([getattr(row.quality, field) for row in rows]) for field in COLUMNS.values()]
    figures = [[getattr(row.quality, field) for field in COLUMNS.values()] for row in rows] + [mean]
    cells = [[f"{x:.{DECIMALS.get(f, 1)}f}" for f, x in zip(COLUMNS.values(), line, strict=True)] for line in figures]
    shared = os.path.commonprefix([row.name for row in rows])
    names = [printable(row.name[shared.rfind(os.sep) + 1 :]) for row in rows] + [f"mean of {len(rows)}"]
    headings = [[h.partition(" ")[i] for h in COLUMNS] for i in (0, 2)]
    lines = [[label, *line] for label, line in zip(["", "picture", *names], headings + cells, strict=True)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]).rstrip() for line in lines
    )


def remarks(rows: Iterable[Measured]) -> list[str]:
    """Where the MOS must not be trusted."""
    lines = []
    if small := sum(row.quality.resolution < SMALL for row in rows):
        lines.append(f"note: {small} below {SMALL:g} megapixel: scaled up they score low; compare raw MOS of equal sizes only.")
    if blurred := [printable(row.name) for row in rows if row.contours < FEW_CONTOURS]:
        lines.append(f"note: hardly a contour in {', '.join(blurred)}: the MOS means nothing there.")
    return lines


def csv_text(rows: Iterable[Measured]) -> str:
    """A line for each picture, all digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *Quality._fields])
    writer.writerows([row.name, *row.quality] for row in rows)
    return text.getvalue()


def main(arguments: list[str]) -> int:
    try:
        return _measure(arguments[1:])
    except (Interrupted, KeyboardInterrupt):
        print("stopped; nothing was written.", file=sys.stderr)
        return 130
    except RtsError as error:
        print(printable(f"error: {error}"), file=sys.stderr)
    except OSError as error:
        print(printable(f"error: --csv={FLAGS.csv}: cannot be written ({error.strerror or error})."), file=sys.stderr)
    return 1


def _measure(arguments: Sequence[str]) -> int:
    if not arguments:
        raise ConfigError("name photographs or folders of them: python -m rts_tf.viqet PHOTO_OR_FOLDER...")
    _check_csv(FLAGS.csv)
    photos, errors = find_photos(arguments)
    rows, failed = measure_photos(photos, FLAGS.category, min(_cores(), len(photos))) if photos else ([], [])
    if rows:
        print("\n".join([table(rows), *remarks(rows)]), flush=True)
        if FLAGS.csv:
            write_text(FLAGS.csv, csv_text(rows))
    for error in errors + failed:
        print(printable(f"error: {error}"), file=sys.stderr)
    return 1 if errors or failed else 0


def _check_csv(path: str) -> None:
    """Raise ConfigError before the work rather than after it."""
    if not path:
        return
    if pathlib.Path(path).suffix.lower() in SUFFIXES:  # as in --csv photo.jpg more.jpg
        raise ConfigError(f"--csv={path}: would overwrite a picture; name a .csv file.")
    if os.path.isdir(path):
        raise ConfigError(f"--csv={path}: is a folder; name a file.")
    if not os.path.isdir(parent := os.path.dirname(path) or "."):
        raise ConfigError(f"--csv={path}: there is no folder {parent}.")


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run() -> None:
    """Entry point of the console script."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a picture's name may not exist in the terminal's encoding
    app.run(main)


if __name__ == "__main__":
    run()
