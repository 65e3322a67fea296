"""The command that measures images as the paper does (section 4.4), with VIQET.

Usage: ``python -m rts_tf.viqet IMAGE_OR_FOLDER... [--csv=FILE] [--against=ORIGINALS]``.

It prints a table like Table 2, a row for each image and their mean; docs/viqet.md says what the
columns mean. With ``--against=ORIGINALS`` it prints a second one: what the sharpness costs, and
what the same MOS costs with an unsharp mask.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from absl import flags

from rts_tf.cli.command import exit_code_of, print_error, print_note, run_command
from rts_tf.cli.csv_output import check_csv, define_csv_flag, explain_csv_error, write_csv
from rts_tf.cli.descriptions.viqet import VIQET
from rts_tf.cli.json_output import Report, define_json_flag, reported
from rts_tf.cli.limits_flag import define_limits_flag
from rts_tf.cli.measuring import errors_name, measure_images
from rts_tf.cli.tables import define_wide_flag, print_table
from rts_tf.data.datasets import counterpart, folder
from rts_tf.errors import ConfigError, ImageError, printable
from rts_tf.images.dtypes import to_float
from rts_tf.images.rgb import read_image
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.viqet import CATEGORIES, Quality, measure
from rts_tf.metrics.viqet.features import extract
from rts_tf.metrics.viqet.measures import quality
from rts_tf.report.metric_table import COST_COLUMNS, means, metric, metric_table, note_of_small

# As in Table 2, but without the Flat Region Index, which is NaN
QUALITY = (
    metric("MOS", "mos", 3, "predicted opinion, from 1 to 4.5, mostly of sharpness"),
    metric("raw MOS", "mos_raw", 3, "the same without these limits"),
    metric("MP", "resolution", 2, "megapixels", extra=True),
    metric("edge", "edge_acutance", 1, "sharpness of contours"),
    metric("noise", "noise_signature_index", 1, "noise of the quietest parts"),
    metric("texture", "texture_acutance", 1, "amount of fine structure"),
    metric("satur.", "saturation", 1, "saturation of colours", extra=True),
    metric("warmth", "color_warmth", 1, "colour temperature, on VIQET's scale", extra=True),
    metric("illum.", "illumination", 1, "contrast times exposure"),
    metric("range", "dynamic_range", 1, "how evenly grey levels are used", extra=True),
    metric("over", "over_exposed", 1, "% of over-exposed pixels", extra=True),
    metric("under", "under_exposed", 1, "% of under-exposed pixels", extra=True),
)
COST = (
    metric("MOS gain", "mos_gain", 3, "raw MOS above that of the original", sign=True),
    *COST_COLUMNS,
)
FEW_CONTOURS = 1000  # pixels of contours; with fewer, the MOS means nothing

FLAGS = flags.FlagValues()


def _define_flags() -> None:
    text = "VIQET's category, which chooses the MOS model."
    flags.DEFINE_enum("category", "landscape", CATEGORIES, text, flag_values=FLAGS)
    define_csv_flag(FLAGS)
    text = (
        "The originals: an image, or a folder with the same names, whatever the suffix. Takes six"
        " times as long."
    )
    flags.DEFINE_string("against", "", text, flag_values=FLAGS)
    define_wide_flag(FLAGS)
    define_json_flag(FLAGS)
    define_limits_flag(FLAGS)


class Image(NamedTuple):
    """An image to measure, not yet read.

    Attributes:
        file: Its path.
        read: Returns uint8 [H, W, 3], or raises ImageError.
        original: The file of its original, or "" if it is not measured against one.
    """

    file: str
    read: Callable[[], np.ndarray]
    original: str = ""


class Measured(NamedTuple):
    """The metrics of an image.

    Attributes:
        file: Its path.
        quality: VIQET's measures.
        contours: How many pixels of contours the MOS rests on.
        cost: The comparison with the original (:mod:`rts_tf.metrics.baseline`), if there is one.
    """

    file: str
    quality: Quality
    contours: int
    cost: dict[str, float]


def find_images(
    arguments: Sequence[str], against: str = ""
) -> tuple[list[Image], list[str], list[str]]:
    """Find every image that is named, or lies in a folder that is named.

    Args:
        arguments: Files and folders.
        against: The original, or the folder of the originals; "" if there are none. The originals
            of a folder's images have the same relative names.

    Returns:
        The images, the errors of folders without images, and a line for each folder that holds
        other files too.
    """
    images, errors, lines = [], [], []
    for argument in arguments:
        if not os.path.isdir(argument):
            original = _original(against, os.path.basename(argument))
            images.append(Image(argument, partial(read_image, argument), original))
            continue
        try:
            source = folder(argument, "")
        except ConfigError as error:
            errors.append(str(error))
            continue
        lines += [source.passed_over] if source.passed_over else []
        for name in source.names:
            file = os.path.join(argument, name)
            images.append(Image(file, partial(source.read, name), _original(against, name)))
    return images, errors, lines


def _original(against: str, name: str) -> str:
    return counterpart(against, name) if os.path.isdir(against) else against


def measure_image(image: Image, category: str) -> Measured:
    """Measure an image, and against its original if it has one.

    Raises:
        ImageError: The image or its original cannot be read or measured.
    """
    pixels = image.read()
    original = read_image(image.original) if image.original else None
    if original is not None and original.shape != pixels.shape:
        sizes = " and ".join(f"{array.shape[1]}x{array.shape[0]}" for array in (pixels, original))
        raise ImageError(
            f"{image.file}: it and its original {image.original} are not of one size ({sizes})"
        )
    with errors_name(image.file):
        features = extract(pixels)
        found = quality(features, pixels.shape[0] * pixels.shape[1] / 1e6, category)
        cost = {} if original is None else _cost(pixels, original, found.mos_raw)
    return Measured(image.file, found, features.edges.length, cost)


def _cost(pixels: np.ndarray, original: np.ndarray, mos_raw: float) -> dict[str, float]:
    scores = unsharp_scores(to_float(original), measure(original).mos_raw)
    return compare_with_unsharp(to_float(pixels), to_float(original), mos_raw, scores)


def quality_table(rows: Sequence[Measured], wide: bool = False) -> str:
    """Return Table 2 as plain text: a line for each image, then the mean."""
    figures = [row.quality._asdict() for row in rows]
    return metric_table([row.file for row in rows], figures, QUALITY, wide)


def mos_warnings(rows: Iterable[Measured]) -> list[str]:
    """Return a line for each reason not to trust the MOS."""
    rows = list(rows)
    lines = note_of_small(row.quality.resolution for row in rows)
    if blurred := [printable(row.file) for row in rows if row.contours < FEW_CONTOURS]:
        names = ", ".join(blurred)
        lines.append(f"note: there is hardly a contour in {names}: the MOS means nothing there.")
    return lines


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and what is no flag); return the exit code."""

    def measure() -> int:
        with reported("viqet", FLAGS.json) as report:
            return _measure(arguments[1:], report)

    return exit_code_of(
        measure,
        stopped="stopped; nothing was written.",
        explain=explain_csv_error(FLAGS.csv),
        command_flags=FLAGS,
    )


def _measure(arguments: Sequence[str], report: Report) -> int:
    check_csv(FLAGS.csv)
    if FLAGS.against and not os.path.exists(FLAGS.against):
        raise ConfigError(f"--against={FLAGS.against}: no such file or folder.")
    images, errors, lines = find_images(arguments, FLAGS.against)
    rows, failed = measure_images(
        images, len(images), lambda image: measure_image(image, FLAGS.category)
    )
    if rows:
        _print_tables(rows)
        for row in rows:
            report.item(row.file, row.quality._asdict() | row.cost)
        report.add(means=means([row.quality._asdict() | row.cost for row in rows]))
        header = ["file", *Quality._fields, *rows[0].cost]
        values = ([row.file, *row.quality, *row.cost.values()] for row in rows)
        write_csv(FLAGS.csv, header, values)
    for line in lines:
        print_note(line)
    for error in errors + failed:
        print_error(error)
        report.error(error, (image.file for image in images))
    return 1 if errors or failed else 0


def _print_tables(rows: Sequence[Measured]) -> None:
    print_table(quality_table(rows, FLAGS.wide))
    for line in mos_warnings(rows):
        print(line, flush=True)
    if FLAGS.against:
        print("\nWhat the sharpness costs (and what an unsharp mask of the same MOS would):")
        files, cost = [row.file for row in rows], [row.cost for row in rows]
        print_table(metric_table(files, cost, COST, FLAGS.wide))


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, VIQET)


_define_flags()

if __name__ == "__main__":
    run()
