"""Enhance pictures: ``python -m rts_tf.enhance INPUT... --output=PATH [--scale=1|2] [--model=NAME|RUN|FILE]``.

INPUT is a picture (PNG, JPEG, WebP, TIFF, BMP) or a folder, which is searched recursively and whose tree is kept. What is there
already is passed over, so the same command continues one that was stopped. ICC profile, EXIF, alpha, DPI and 16 bits are kept.
"""

from __future__ import annotations

import os
import pathlib
import sys
from typing import TYPE_CHECKING

from absl import app, flags
from rich.console import Console

from rts_tf import pretrained
from rts_tf.errors import ConfigError, Interrupted, PictureError, RtsError
from rts_tf.imaging.files import printable
from rts_tf.startup import load_tensorflow

if TYPE_CHECKING:
    from rts_tf.enhancing import Network

FLAGS = flags.FlagValues()
flags.DEFINE_string("output", "", "File for one picture, folder for several; its suffix says the format.", flag_values=FLAGS)
flags.DEFINE_enum("scale", "1", ("1", "2"), "1: enhance at the same size, 2: enlarge twice.", flag_values=FLAGS)
flags.DEFINE_string(
    "model", "residual3", "Name of weights that come with rts_tf, a run directory, or a .keras file.", flag_values=FLAGS
)
flags.DEFINE_float(
    "strength", 1.0, "How much of the change is taken, from 0 (none; with --scale=2 plain Lanczos interpolation) to 1.5.",
    flag_values=FLAGS,
)  # fmt: skip
flags.DEFINE_string(
    "tile", "auto", "Longest side of a tile in pixels, or auto; it bounds the memory, not the result.", flag_values=FLAGS
)
flags.DEFINE_boolean("overwrite", False, "Write over what is there, the pictures themselves too.", flag_values=FLAGS)
flags.DEFINE_string("compare", "", "HTML file to write, with a before/after slider for each picture.", flag_values=FLAGS)

# Pixels; within 2 % (bfloat16) of the speed of 1280, and 100 megapixels stay below 3 GB.
AUTO_TILE = {"mixed_bfloat16": 1024, "float32": 768}


def main(arguments: list[str]) -> int:
    try:
        return _enhance(arguments[1:])
    except (Interrupted, KeyboardInterrupt):
        print("stopped; what was written is whole. The same command continues.", file=sys.stderr)
        return 130
    except RtsError as error:
        print(printable(f"error: {error}"), file=sys.stderr)
    return 1


def _enhance(inputs: list[str]) -> int:
    _check_flags(inputs)
    from rts_tf.comparison import Comparison
    from rts_tf.enhancing import compare_done, enhance_all, plan, sizes_of
    from rts_tf.progress import RunProgress

    jobs, done, errors = plan(inputs, FLAGS.output, FLAGS.overwrite)
    how = f"Enhanced by {os.path.basename(os.path.normpath(FLAGS.model))}, strength {FLAGS.strength:g}."
    comparison = Comparison(FLAGS.compare, how) if FLAGS.compare else None
    remarks = []
    if jobs:
        network = _network()
        sizes = sizes_of(jobs)
        progress = RunProgress({"enhancing": sum(sizes) / 1e6}, Console(stderr=True, highlight=False))
        with progress.running():
            failed, remarks = enhance_all(jobs, network, progress, sizes, comparison)
        errors += failed
        print(f"enhanced {len(jobs) - len(failed)} of {len(jobs)} pictures: {printable(FLAGS.output)}")
    if done:
        print(f"already there: {len(done)} of {len(done) + len(jobs)} pictures (--overwrite makes them again)")
    if comparison:
        compare_done(done, comparison)
        try:
            print(f"compare: {printable(FLAGS.compare)}" if comparison.write() else "compare: no picture to show")
        except OSError as error:
            errors.append(f"--compare={FLAGS.compare}: cannot be written ({error.strerror or error})")
    for remark in remarks:
        print(printable(f"note: {remark}"), file=sys.stderr)
    for error in errors:
        print(printable(f"error: {error}"), file=sys.stderr)
    return 1 if errors else 0


def _network() -> Network:
    """The function of pixels that the flags ask for."""
    load_tensorflow()
    import tensorflow as tf

    from rts_tf.inference import load
    from rts_tf.training import resolve_precision

    precision = resolve_precision("auto")
    model = load(FLAGS.model, precision, AUTO_TILE[precision] if FLAGS.tile == "auto" else int(FLAGS.tile))
    function = model.upscale if FLAGS.scale == "2" else model.enhance

    def network(pixels, on_pixels):
        try:
            return function(pixels, FLAGS.strength, on_pixels)
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise PictureError("there is not enough memory for it; name a smaller --tile, or cut it") from None

    return network


def _check_flags(inputs: list[str]) -> None:
    """Raise ConfigError naming what cannot work."""
    if not inputs:
        raise ConfigError("name pictures or folders of them: python -m rts_tf.enhance INPUT... --output=PATH")
    if not FLAGS.output:
        raise ConfigError("--output is empty: name a file, or a folder for several pictures.")
    for path in inputs:
        if not os.path.lexists(path):
            raise ConfigError(f"{path}: no such file or folder.")
    if not 0 <= FLAGS.strength <= 1.5:
        raise ConfigError(f"--strength={FLAGS.strength:g}: must be from 0 to 1.5.")
    if FLAGS.tile != "auto" and not (FLAGS.tile.isdecimal() and 64 <= int(FLAGS.tile) <= 8192):
        raise ConfigError(f"--tile={FLAGS.tile}: must be auto or a number from 64 to 8192.")
    if not os.path.exists(FLAGS.model) and FLAGS.model not in pretrained.names():
        raise ConfigError(f"--model={FLAGS.model}: no such file or directory, and {pretrained.known()}")
    if FLAGS.compare:
        if pathlib.Path(FLAGS.compare).suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"--compare={FLAGS.compare}: name a file that ends in .html.")
        if not os.path.isdir(parent := os.path.dirname(FLAGS.compare) or "."):
            raise ConfigError(f"--compare={FLAGS.compare}: there is no folder {parent}.")


def run() -> None:
    """Entry point of the console script."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a picture's name may not exist in the terminal's encoding
    flags.FLAGS.append_flag_values(FLAGS)
    FLAGS.mark_as_parsed()
    app.run(main)


if __name__ == "__main__":
    run()
