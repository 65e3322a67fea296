"""The command that measures images as the paper does (section 4.4), with VIQET.

Usage: ``python -m rts_tf.viqet IMAGE_OR_FOLDER... [--csv=FILE] [--against=ORIGINALS]``.

It prints a table like Table 2, a row for each image and their mean; docs/viqet.md says what the
columns mean. With ``--against=ORIGINALS`` it prints a second one: what the sharpness costs, and
what the same MOS costs with an unsharp mask.
"""

import os
from collections.abc import Iterable, Sequence

from absl import flags

from rts_tf.cli.command import exit_code_of, print_error, print_note, run_command
from rts_tf.cli.csv_output import check_csv, define_csv_flag, explain_csv_error, write_csv
from rts_tf.cli.descriptions.viqet import VIQET
from rts_tf.cli.engine import define_engine_flags, in_beam
from rts_tf.cli.json_output import Report, define_json_flag, reported
from rts_tf.cli.limits_flag import define_limits_flag
from rts_tf.cli.measuring import measure_images, measure_in_beam
from rts_tf.cli.tables import define_wide_flag, print_table
from rts_tf.cli.viqet_images import (
    Image,
    Measured,
    ViqetWork,
    find_images,
    measure_image,
    measured_of,
)
from rts_tf.errors import ConfigError, printable
from rts_tf.metrics.viqet import CATEGORIES, Quality
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
    define_engine_flags(FLAGS)
    define_limits_flag(FLAGS)


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
    beam = in_beam(FLAGS)
    images, errors, lines = find_images(arguments, FLAGS.against)
    rows, failed = _measure_in_beam(images) if beam else _measure_here(images)
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


def _measure_here(images: Sequence[Image]) -> tuple[list[Measured], list[str]]:
    return measure_images(images, len(images), lambda image: measure_image(image, FLAGS.category))


def _measure_in_beam(images: Sequence[Image]) -> tuple[list[Measured], list[str]]:
    rows, failed = measure_in_beam(ViqetWork(FLAGS.category), images, FLAGS.beam_args)
    return [measured_of(row) for row in rows], failed


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
