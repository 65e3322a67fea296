"""Enhance pictures and films: ``python -m rts_tf.enhance INPUT... --output=PATH [--scale=1|2] [--model=NAME|RUN|FILE]``.

INPUT is a picture (PNG, JPEG, WebP, TIFF, BMP), a film (whatever FFmpeg reads) or a folder, which is searched recursively and
whose tree is kept. What is there already is passed over, so the same command continues one that was stopped, in the middle of a
film too. ICC profile, EXIF, alpha, DPI and 16 bits are kept; of a film everything but its frames and HDR metadata.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
from typing import TYPE_CHECKING

from absl import flags
from rich.console import Console

from rts_tf import pretrained
from rts_tf.cli.command import exit_code_of, print_error, print_note, run_command
from rts_tf.cli.startup import load_tensorflow
from rts_tf.errors import ConfigError, ImageError, printable

if TYPE_CHECKING:
    from rts_tf.enhance.images import Network
    from rts_tf.enhance.jobs import Plan
    from rts_tf.inference import Enhancer

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "output",
    "",
    "File for one picture, folder for several; its suffix says the format.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "scale", "1", ("1", "2"), "1: enhance at the same size, 2: enlarge twice.", flag_values=FLAGS
)
flags.DEFINE_string(
    "model",
    "residual3",
    "Name of weights that come with rts_tf, a run directory, or a .keras file.",
    flag_values=FLAGS,
)
flags.DEFINE_float(
    "strength",
    1.0,
    "How much of the change is taken, from 0 (none; with --scale=2 plain Lanczos interpolation) to 1.5.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "tile",
    "auto",
    "A tile has at most tile x tile pixels; a number or auto. This bounds the memory.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "overwrite", False, "Write over what is there, the inputs themselves too.", flag_values=FLAGS
)
flags.DEFINE_string(
    "compare",
    "",
    "HTML file to write, with a before/after slider for each picture.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "chroma", False, "Of films: enhance colour too, not brightness alone.", flag_values=FLAGS
)
flags.DEFINE_enum(
    "codec",
    "auto",
    ("auto", "h264", "hevc", "vp9", "av1", "ffv1"),
    "Of films: auto is H.264, HEVC above 8 bits, and VP9 in .webm.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "crf",
    None,
    "Of films: less is better and larger; default 17 (h264), 19 (hevc), 24 (vp9), 25 (av1).",
    0,
    63,
    flag_values=FLAGS,
)

# Pixels; 100 megapixels stay below 3 GB.
AUTO_TILE = {"mixed_bfloat16": 1280, "float32": 768}


def main(arguments: list[str]) -> int:
    return exit_code_of(
        lambda: _enhance(arguments[1:]),
        stopped="stopped; what was written is whole. The same command continues.",
        command_flags=FLAGS,
    )


def _enhance(inputs: list[str]) -> int:
    _check_flags(inputs)
    from rts_tf.cli.progress import RunProgress
    from rts_tf.enhance.images import compare_done, enhance_all, sizes_of
    from rts_tf.enhance.jobs import plan
    from rts_tf.report.comparison import Comparison

    everything = plan(inputs, FLAGS.output, FLAGS.overwrite)
    (jobs, done, errors), films = everything.only(films=False), _films(everything)
    how = f"Enhanced by {os.path.basename(os.path.normpath(FLAGS.model))}, strength {FLAGS.strength:g}."
    if done:
        how += " Those that were there already may have been made otherwise."
    comparison = Comparison(FLAGS.compare, how) if FLAGS.compare else None
    remarks = []
    if jobs or films.jobs:
        model = _model()
        sizes = sizes_of(jobs)
        work = {"enhancing": sum(sizes) / 1e6}
        if films.jobs:
            from rts_tf.enhance.video import Settings, enhance_videos, megapixels_of

            work["films"] = sum(map(megapixels_of, films.jobs))
        progress = RunProgress(work, Console(stderr=True, highlight=False))
        with progress.running():
            if jobs:
                failed, remarks = enhance_all(jobs, _network(model), progress, sizes, comparison)
                errors += failed
                print(
                    f"enhanced {len(jobs) - len(failed)} of {len(jobs)} pictures: {printable(FLAGS.output)}"
                )
            if films.jobs:
                settings = Settings(FLAGS.strength, FLAGS.chroma, FLAGS.codec, FLAGS.crf)
                failed, more = enhance_videos(films.jobs, model, settings, progress)
                errors, remarks = errors + failed, remarks + more
                print(
                    f"enhanced {len(films.jobs) - len(failed)} of {len(films.jobs)} films: {printable(FLAGS.output)}"
                )
    for kind, its in (("pictures", everything.only(films=False)), ("films", films)):
        if its.done:
            print(
                f"already there: {len(its.done)} of {len(its.done) + len(its.jobs)} {kind} (--overwrite makes them again)"
            )
    if comparison:
        compare_done(done, comparison)
        try:
            print(
                f"compare: {printable(FLAGS.compare)}"
                if comparison.write()
                else "compare: no picture to show"
            )
        except OSError as error:
            errors.append(
                f"--compare={FLAGS.compare}: cannot be written ({error.strerror or error})"
            )
    for remark in remarks:
        print_note(remark)
    for error in errors:
        print_error(error)
    return 1 if errors else 0


def _films(everything: Plan) -> Plan:
    """The films that are to be enhanced; their number in an error if they cannot be."""
    films = everything.only(films=True)
    first = [*films.jobs, *films.done][:1]
    if first and FLAGS.scale == "2":
        raise ConfigError(
            f"--scale=2: is for pictures; {first[0].source} can only be enhanced at its own size."
        )
    if films.jobs and importlib.util.find_spec("av") is None:
        of = f"{len(films.jobs)} films" if len(films.jobs) > 1 else "is a film"
        films.errors.append(
            f"{films.jobs[0].source}: {of}; to enhance films, pip install 'rts_tf[video]'"
        )
        return films._replace(jobs=[])
    if films.done and importlib.util.find_spec("av"):
        load_tensorflow()
        from rts_tf.enhance.video import clear

        for job in films.done:
            clear(job.target)
    return films


def _model() -> Enhancer:
    load_tensorflow()
    from rts_tf.inference import load
    from rts_tf.networks.precision import resolve_precision

    precision = resolve_precision("auto")
    tile = AUTO_TILE[precision] if FLAGS.tile == "auto" else int(FLAGS.tile)
    return load(FLAGS.model, "auto", tile)


def _network(model: Enhancer) -> Network:
    """The function of pixels that the flags ask for."""
    import tensorflow as tf

    function = model.upscale if FLAGS.scale == "2" else model.enhance

    def network(pixels, on_pixels):
        try:
            return function(pixels, FLAGS.strength, on_pixels)
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise ImageError(
                "there is not enough memory for it; name a smaller --tile, or cut it"
            ) from None

    return network


def _check_flags(inputs: list[str]) -> None:
    """Raise ConfigError naming what cannot work."""
    if not inputs:
        raise ConfigError(
            "name pictures, films or folders of them: python -m rts_tf.enhance INPUT... --output=PATH"
        )
    if not FLAGS.output:
        raise ConfigError("--output is empty: name a file, or a folder for several.")
    for path in inputs:
        if not os.path.lexists(path):
            raise ConfigError(f"{path}: no such file or folder.")
    if not 0 <= FLAGS.strength <= 1.5:
        raise ConfigError(f"--strength={FLAGS.strength:g}: must be from 0 to 1.5.")
    if FLAGS.tile != "auto" and not (FLAGS.tile.isdecimal() and 64 <= int(FLAGS.tile) <= 8192):
        raise ConfigError(f"--tile={FLAGS.tile}: must be auto or a number from 64 to 8192.")
    if not os.path.exists(FLAGS.model) and FLAGS.model not in pretrained.names():
        raise ConfigError(
            f"--model={FLAGS.model}: no such file or directory, and {pretrained.known()}"
        )
    if FLAGS.compare:
        if pathlib.Path(FLAGS.compare).suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"--compare={FLAGS.compare}: name a file that ends in .html.")
        if not os.path.isdir(parent := os.path.dirname(FLAGS.compare) or "."):
            raise ConfigError(f"--compare={FLAGS.compare}: there is no folder {parent}.")


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS)


if __name__ == "__main__":
    run()
