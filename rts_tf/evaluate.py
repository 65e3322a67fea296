"""The command that measures a trained network on images.

Usage: ``python -m rts_tf.evaluate --model=RUN_OR_FILE --images=FOLDER [--reference=FOLDER]``.

For each image x it prints how much d(SR(x)) differs from it, what that gains in VIQET's MOS, and
what it costs, beside the unsharp mask of equal MOS. With ``--reference``, images of twice the size,
it also prints the PSNR and SSIM of SR(x).
"""

import os

from absl import flags

from rts_tf import pretrained
from rts_tf.cli.command import exit_code_of, print_error, print_note, run_command
from rts_tf.cli.csv_output import check_csv, define_csv_flag, explain_csv_error, write_csv
from rts_tf.cli.descriptions.evaluate import EVALUATE
from rts_tf.cli.device import define_device_flag
from rts_tf.cli.engine import define_engine_flags, in_beam
from rts_tf.cli.evaluated_images import EvaluateWork, enhance_images, measure_image
from rts_tf.cli.json_output import Report, define_json_flag, reported
from rts_tf.cli.limits_flag import define_limits_flag
from rts_tf.cli.measuring import measure_images, measure_in_beam
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.tables import define_wide_flag, print_table
from rts_tf.data.datasets import ImageSource, folder
from rts_tf.errors import ConfigError
from rts_tf.metrics.psnr_ssim import BORDER
from rts_tf.report.metric_table import COST_COLUMNS, means, metric, metric_table, note_of_small

ENHANCED = (
    metric("ratio %", "difference_ratio_percent", 2, "change of the image, in % of full scale"),
    metric("drift", "brightness_drift_levels", 2, "change of brightness, in 8-bit levels"),
    metric("MOS before", "mos_raw_before", 3, "score by VIQET of the image as it is", extra=True),
    metric("MOS after", "mos_raw_after", 3, "that of the enhanced image", extra=True),
    metric("MOS gain", "mos_gain", 3, "score by VIQET above that of the image as it is"),
    *COST_COLUMNS,
)
UPSCALED = (
    metric("PSNR Y", "psnr_y", 2, "likeness of brightness to the reference, in dB"),
    metric("SSIM Y", "ssim_y", 4, "likeness of its structure, at most 1"),
    metric("PSNR RGB", "psnr_rgb", 2, "the same with colours"),
    metric("SSIM RGB", "ssim_rgb", 4, "the same with colours"),
)

FLAGS = flags.FlagValues()


def _define_flags() -> None:
    text = "Name of weights of the package, a run directory (its selected stage), or a .keras file."
    flags.DEFINE_string("model", "", text, flag_values=FLAGS)
    text = "Folder of images to enhance and measure; searched recursively."
    flags.DEFINE_string("images", "", text, flag_values=FLAGS)
    text = (
        "Folder of images of twice the size with the same names, whatever the suffix: PSNR and SSIM"
        " of the upscaled images."
    )
    flags.DEFINE_string("reference", "", text, flag_values=FLAGS)
    text = "Measure VIQET's MOS; the longest part of the work."
    flags.DEFINE_boolean("mos", True, text, flag_values=FLAGS)
    define_csv_flag(FLAGS)
    define_wide_flag(FLAGS)
    define_json_flag(FLAGS)
    define_limits_flag(FLAGS)
    define_device_flag(FLAGS)
    define_engine_flags(FLAGS)


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and what is no flag); return the exit code."""

    def evaluate() -> int:
        with reported("evaluate", FLAGS.json) as report:
            return _evaluate(report)

    return exit_code_of(
        evaluate,
        stopped="stopped; nothing was written.",
        explain=explain_csv_error(FLAGS.csv),
        command_flags=FLAGS,
    )


def _evaluate(report: Report) -> int:
    source = _check_flags()
    rows, errors = _measured_in_beam(source) if in_beam(FLAGS) else _measured_here(source)
    if rows:
        _print_tables(dict(rows))
        header = ["file", *rows[0][1]]
        for file, metrics in rows:
            report.item(file, metrics)
        report.add(model=FLAGS.model, means=means([metrics for _, metrics in rows]))
        write_csv(FLAGS.csv, header, ([file, *metrics.values()] for file, metrics in rows))
    if source.passed_over:
        print_note(source.passed_over)
    for error in errors:
        print_error(error)
        report.error(error, (os.path.join(FLAGS.images, name) for name in source.names))
    return 1 if errors else 0


_Rows = list[tuple[str, dict[str, float]]]


def _measured_here(source: ImageSource) -> tuple[_Rows, list[str]]:
    """The metrics of each image and the errors."""
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.device_line import DeviceLine
    from rts_tf.inference import load

    model = load(FLAGS.model)
    DeviceLine().model(model)
    return measure_images(
        enhance_images(model, source, FLAGS.images, FLAGS.reference),
        len(source.names),
        lambda image: measure_image(image, FLAGS.mos),
    )


def _measured_in_beam(source: ImageSource) -> tuple[_Rows, list[str]]:
    """The same in Beam."""
    flags = FLAGS.model, FLAGS.device, FLAGS.images, FLAGS.reference, FLAGS.mos
    rows, errors = measure_in_beam(EvaluateWork(*flags), source.names, FLAGS.beam_args)
    return [(file, metrics) for file, metrics in rows], errors


def _check_flags() -> ImageSource:
    """Return the images of --images. Raises ConfigError for what cannot work."""
    if not FLAGS.model:
        raise ConfigError(
            "--model is missing: name weights of the package, a run directory or a .keras file."
        )
    if not os.path.exists(FLAGS.model) and FLAGS.model not in pretrained.names():
        raise ConfigError(
            f"--model={FLAGS.model}: no such file or directory, and {pretrained.known()}"
        )
    if not FLAGS.images:
        raise ConfigError("--images is missing: name a folder of images.")
    if FLAGS.reference and not os.path.isdir(FLAGS.reference):
        raise ConfigError(f"--reference={FLAGS.reference}: no such folder.")
    check_csv(FLAGS.csv)
    in_beam(FLAGS)
    return folder(FLAGS.images, "images")


def _print_tables(rows: dict[str, dict[str, float]]) -> None:
    files, metrics = list(rows), list(rows.values())
    print("Enhanced, d(SR(x)) against x:")
    print_table(metric_table(files, metrics, ENHANCED, FLAGS.wide))
    if FLAGS.mos:
        for note in note_of_small(row["resolution"] for row in metrics):
            print(note)
    if FLAGS.reference:
        print(f"\nUpscaled, SR(x) in 8 bits, without {BORDER} pixels on every side:")
        print_table(metric_table(files, metrics, UPSCALED, FLAGS.wide))


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, EVALUATE)


_define_flags()

if __name__ == "__main__":
    run()
