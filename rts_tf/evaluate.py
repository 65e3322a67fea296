"""Measure a trained network on pictures: ``python -m rts_tf.evaluate --model=RUN_OR_FILE --images=DIR [--reference=DIR]``.

For each picture x: how much d(SR(x)) differs from it, what that gains in VIQET's MOS, and what it costs, beside the unsharp
mask of equal MOS. With ``--reference``, pictures of twice the size: how near SR(x) comes to them, by PSNR and SSIM.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from absl import flags
from rich.console import Console

from rts_tf import pretrained
from rts_tf.cli.command import begin, guarded
from rts_tf.cli.csv_output import check_csv, not_written
from rts_tf.cli.progress import RunProgress
from rts_tf.cli.startup import load_tensorflow
from rts_tf.data.datasets import ImageSource, counterpart, folder
from rts_tf.errors import ConfigError, ImageError, printable
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.images.read import read_image
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.difference import change_percent, drift_levels
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.psnr_ssim import BORDER, fidelity
from rts_tf.metrics.viqet import measure
from rts_tf.report.image_table import aligned, csv_text, means, note_of_small
from rts_tf.storage import write_text

FLAGS = flags.FlagValues()
_MODEL = "Name of weights that come with the package, a run directory (its selected stage), or a .keras file."
flags.DEFINE_string("model", "", _MODEL, flag_values=FLAGS)
flags.DEFINE_string(
    "images",
    "",
    "Folder of pictures to enhance and measure; searched recursively.",
    flag_values=FLAGS,
)
_TEXT = "Folder of pictures of twice the size with the same names, whatever the suffix: PSNR and SSIM of the upscaled images."
flags.DEFINE_string("reference", "", _TEXT, flag_values=FLAGS)
flags.DEFINE_boolean(
    "mos", True, "Measure VIQET's MOS; the longest part of the work.", flag_values=FLAGS
)
flags.DEFINE_string(
    "csv", "", "File to write all figures to, with all their digits.", flag_values=FLAGS
)

SMALLEST_IMAGE = 32  # pixels a side, for naturalness to mean something

# Heading, figure, decimals, whether the unsharp mask's stands in brackets beside it.
ENHANCED = (
    ("ratio %", "difference_ratio_percent", 2, False),
    ("drift", "brightness_drift_levels", 2, False),
    ("MOS before", "mos_raw_before", 3, False),
    ("after", "mos_raw_after", 3, False),
    ("gain", "mos_gain", 3, False),
    ("mask", "unsharp_amount", 2, False),
    ("clipped %", "clipped_percent", 2, True),
    ("overshoot", "overshoot_levels", 2, True),
    ("flat noise", "flat_noise_gain", 2, True),
    ("corner dB", "corner_gain_db", 1, True),
)
UPSCALED = (
    ("PSNR Y", "psnr_y", 2, False),
    ("SSIM Y", "ssim_y", 4, False),
    ("PSNR RGB", "psnr_rgb", 2, False),
    ("SSIM RGB", "ssim_rgb", 4, False),
)


class Views(NamedTuple):
    """A picture and what the network makes of it, to be measured."""

    name: str
    hr_0: np.ndarray  # uint8 [H, W, 3]
    hr_n: np.ndarray  # d(SR(hr_0)), float32, not clipped
    upscaled: np.ndarray | None = None  # SR(hr_0), uint8 [2H, 2W, 3]
    reference: np.ndarray | None = None  # likewise


def views(model, photos: ImageSource, images: str, reference: str) -> Iterator[Views | ImageError]:
    """Every picture through the network, as its turn comes; the error of one that cannot be used."""
    import tensorflow as tf

    for name in photos.names:
        path = os.path.join(images, name)
        try:
            hr_0 = photos.read(name)
            if min(hr_0.shape[:2]) < SMALLEST_IMAGE:
                raise ImageError(f"{path}: is smaller than {SMALLEST_IMAGE} pixels a side")
            pair = _upscaled(model, hr_0, path, counterpart(reference, name)) if reference else ()
            yield Views(path, hr_0, model.enhance(to_float(hr_0)), *pair)
        except ImageError as error:
            yield error
        except (MemoryError, tf.errors.ResourceExhaustedError):
            yield ImageError(f"{path}: there is no memory for it")


def _upscaled(
    model, hr_0: np.ndarray, path: str, reference_path: str
) -> tuple[np.ndarray, np.ndarray]:
    reference = read_image(reference_path)
    height, width = (2 * size for size in hr_0.shape[:2])
    if reference.shape[:2] != (height, width):
        given = f"{reference.shape[1]}x{reference.shape[0]}"
        raise ImageError(
            f"{path}: its reference {reference_path} must be {width}x{height}, twice its size, not {given}"
        )
    return model.upscale(hr_0), reference


def figures(view: Views, mos: bool) -> dict[str, float]:
    """All figures of a picture: of UPSCALED if it has a reference, and of ENHANCED, those of MOS if ``mos``.

    ``resolution`` is in megapixels. Difference and cost are of HR_n as computed, as in a run's tables; MOS of 8 bits.
    Raises ImageError.
    """
    hr_0 = to_float(view.hr_0)
    found = {
        "resolution": view.hr_0.shape[0] * view.hr_0.shape[1] / 1e6,
        "difference_ratio_percent": change_percent(view.hr_n, hr_0),
        "brightness_drift_levels": drift_levels(view.hr_n, hr_0),
    }
    try:
        if mos:
            before, after = (
                measure(picture).mos_raw for picture in (view.hr_0, to_uint8(view.hr_n))
            )
            found |= {"mos_raw_before": before, "mos_raw_after": after}
            found |= compare_with_unsharp(view.hr_n, hr_0, after, unsharp_scores(hr_0, before))
        else:
            found |= measure_artifacts(view.hr_n, hr_0)._asdict()
    except (ImageError, MemoryError, cv2.error) as error:
        reason = " ".join(str(error).split()) or "no memory"
        raise ImageError(f"{view.name}: cannot be measured ({reason})") from None
    return found | (
        fidelity(view.upscaled, view.reference)._asdict() if view.reference is not None else {}
    )


def evaluate(
    model, photos: ImageSource, images: str, reference: str, mos: bool
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """The figures by file, and the errors of the pictures that failed; shows progress. Raises Interrupted on Ctrl-C.

    Args:
        model: an Enhancer; ``images``: the folder of ``photos``; ``reference``: that of the references, or "".
    """

    def measured(view: Views | ImageError) -> tuple[str, dict] | ImageError:
        try:
            return view if isinstance(view, ImageError) else (view.name, figures(view, mos))
        except ImageError as error:
            return error

    rows, errors, total = {}, [], len(photos.names)
    progress = RunProgress({"evaluating": total}, Console(stderr=True, highlight=False))
    stream = in_parallel(measured, views(model, photos, images, reference))
    with progress.running(), contextlib.closing(stream):
        for result in stream:
            if isinstance(result, ImageError):
                errors.append(str(result))
            else:
                rows[result[0]] = result[1]
            progress.advance(
                "evaluating",
                1,
                f"evaluated {len(rows) + len(errors)} of {total} pictures",
                1,
                "pictures",
            )
    return rows, errors


def table(rows: dict[str, dict[str, float]], columns: Sequence[tuple]) -> str:
    """Plain text: a line for each picture and their mean, of the columns that there are figures for."""
    figures_of, mean = list(rows.values()), means(list(rows.values()))
    columns = [column for column in columns if column[1] in mean]

    def cell(row: dict[str, float], key: str, decimals: int, beside: bool) -> str:
        rival = f"unsharp_{key}"
        return f"{row[key]:.{decimals}f}" + (
            f" ({row[rival]:.{decimals}f})" if beside and rival in row else ""
        )

    cells = [[cell(row, *column[1:]) for column in columns] for row in [*figures_of, mean]]
    return aligned(list(rows), [[column[0] for column in columns]], cells)


def _validated(arguments: list[str]) -> ImageSource:
    """The pictures of --images. Raises ConfigError naming the flag that cannot work."""
    if len(arguments) > 1:
        raise ConfigError(
            f"unexpected argument {arguments[1]!r}: settings are flags, as in --images=FOLDER."
        )
    if not FLAGS.model:
        raise ConfigError(
            "--model is missing: name weights of the package, a run directory or a .keras file."
        )
    if not os.path.exists(FLAGS.model) and FLAGS.model not in pretrained.names():
        raise ConfigError(
            f"--model={FLAGS.model}: no such file or directory, and {pretrained.known()}"
        )
    if not FLAGS.images:
        raise ConfigError("--images is missing: name a folder of pictures.")
    if FLAGS.reference and not os.path.isdir(FLAGS.reference):
        raise ConfigError(f"--reference={FLAGS.reference}: no such folder.")
    check_csv(FLAGS.csv)
    return folder(FLAGS.images, "images")


def main(arguments: list[str]) -> int:
    return guarded(
        lambda: _evaluate(arguments), "stopped; nothing was written.", not_written(FLAGS.csv)
    )


def _evaluate(arguments: list[str]) -> int:
    photos = _validated(arguments)
    load_tensorflow()
    from rts_tf.inference import load

    rows, errors = evaluate(load(FLAGS.model), photos, FLAGS.images, FLAGS.reference, FLAGS.mos)
    if rows:
        rival = (
            "; in brackets the unsharp mask of equal MOS, where an amount of 3 or less reaches it"
            if FLAGS.mos
            else ""
        )
        notes = note_of_small(row["resolution"] for row in rows.values()) if FLAGS.mos else []
        print("\n".join([f"Enhanced, d(SR(x)) against x{rival}:", table(rows, ENHANCED), *notes]))
        if FLAGS.reference:
            print(
                f"\nUpscaled, SR(x) in 8 bits against the reference, without {BORDER} pixels on every side:"
            )
            print(table(rows, UPSCALED))
        if FLAGS.csv:
            header = list(next(iter(rows.values())))
            write_text(
                FLAGS.csv,
                csv_text(["file", *header], ([path, *row.values()] for path, row in rows.items())),
            )
    for error in errors:
        print(printable(f"error: {error}"), file=sys.stderr)
    return 1 if errors else 0


def run() -> None:
    """Entry point of the console script."""
    begin(main, FLAGS)


if __name__ == "__main__":
    run()
