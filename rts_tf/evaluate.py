"""The command that measures a trained network on images.

Usage: ``python -m rts_tf.evaluate --model=RUN_OR_FILE --images=FOLDER [--reference=FOLDER]``.

For each image x it prints how much d(SR(x)) differs from it, what that gains in VIQET's MOS, and
what it costs, beside the unsharp mask of equal MOS. With ``--reference``, images of twice the size,
it also prints the PSNR and SSIM of SR(x).
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from absl import flags

from rts_tf import pretrained
from rts_tf.cli.command import exit_code_of, print_error, print_note, run_command
from rts_tf.cli.csv_output import check_csv, define_csv_flag, explain_csv_error, write_csv
from rts_tf.cli.descriptions.evaluate import EVALUATE
from rts_tf.cli.device import define_device_flag
from rts_tf.cli.json_output import Report, define_json_flag, reported
from rts_tf.cli.limits_flag import define_limits_flag
from rts_tf.cli.measuring import errors_name, measure_images
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.tables import define_wide_flag, print_table
from rts_tf.data.datasets import ImageSource, counterpart, folder
from rts_tf.errors import ConfigError, ImageError
from rts_tf.images.dtypes import to_float
from rts_tf.images.rgb import read_image
from rts_tf.metrics.enhancement import measure_enhancement
from rts_tf.metrics.psnr_ssim import BORDER, fidelity
from rts_tf.report.metric_table import COST_COLUMNS, means, metric, metric_table, note_of_small

if TYPE_CHECKING:
    from rts_tf.inference import Enhancer

SMALLEST_IMAGE = 32  # pixels a side; the artifacts of smaller images mean nothing

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


class EnhancedImage(NamedTuple):
    """An image and what the network makes of it.

    Attributes:
        file: The path of the image.
        original: HR_0, uint8 [H, W, 3].
        enhanced: d(SR(HR_0)), float32 [H, W, 3], not clipped.
        upscaled: SR(HR_0), uint8 [2H, 2W, 3], if there is a reference.
        reference: uint8 [2H, 2W, 3].
    """

    file: str
    original: np.ndarray
    enhanced: np.ndarray
    upscaled: np.ndarray | None = None
    reference: np.ndarray | None = None


def enhance_images(
    model: "Enhancer", source: ImageSource, images: str, reference: str
) -> Iterator[EnhancedImage | ImageError]:
    """Yield every image of ``source``, enhanced, or the error of one that cannot be used.

    Args:
        model: The trained network.
        source: The images.
        images: Their folder, for messages.
        reference: The folder of the references, or "".
    """
    import tensorflow as tf

    for name in source.names:
        file = os.path.join(images, name)
        try:
            original = source.read(name)
            if min(original.shape[:2]) < SMALLEST_IMAGE:
                raise ImageError(f"{file}: is smaller than {SMALLEST_IMAGE} pixels a side")
            image = EnhancedImage(file, original, model.enhance(to_float(original)))
            if reference:
                beside = _read_reference(image, counterpart(reference, name))
                image = image._replace(upscaled=model.upscale(original), reference=beside)
            yield image
        except ImageError as error:
            yield error
        except (MemoryError, tf.errors.ResourceExhaustedError):
            yield ImageError(f"{file}: there is not enough memory for it")


def _read_reference(image: EnhancedImage, path: str) -> np.ndarray:
    reference = read_image(path)
    height, width = (2 * size for size in image.original.shape[:2])
    if reference.shape[:2] != (height, width):
        given = f"{reference.shape[1]}x{reference.shape[0]}"
        raise ImageError(
            f"{image.file}: its reference {path} must be {width}x{height}, twice its size, not"
            f" {given}"
        )
    return reference


def measure_image(image: EnhancedImage | ImageError, mos: bool) -> tuple[str, dict[str, float]]:
    """Return the file and all metrics of an image, those of MOS only if ``mos``.

    Raises:
        ImageError: The image cannot be measured.
    """
    if isinstance(image, ImageError):
        raise image
    with errors_name(image.file):
        metrics = measure_enhancement(image.enhanced, image.original, mos)
    if image.upscaled is not None and image.reference is not None:
        metrics |= fidelity(image.upscaled, image.reference)._asdict()
    return image.file, metrics


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
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.device_line import DeviceLine
    from rts_tf.inference import load

    model = load(FLAGS.model)
    DeviceLine().model(model)
    rows, errors = measure_images(
        enhance_images(model, source, FLAGS.images, FLAGS.reference),
        len(source.names),
        lambda image: measure_image(image, FLAGS.mos),
    )
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
