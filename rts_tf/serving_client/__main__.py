"""Send images to TensorFlow Serving and write what comes back.

Usage: ``python -m rts_tf.serving_client INPUT... --output=PATH [--scale=1|2]``.

INPUT is an image (PNG, JPEG, WebP, TIFF, BMP) or a folder, as for ``rts_tf.enhance``, and the
results are written as there: the tree of folders is kept, files that already exist are skipped,
and ICC profile, EXIF, alpha, DPI, grey and 16 bits are kept.
"""

import errno
import functools
import importlib.util
import os
import threading
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from absl import flags
from rich.console import Console

from rts_tf.cli.command import exit_code_of, print_error, print_note, run_command
from rts_tf.cli.descriptions.serve_client import SERVE_CLIENT
from rts_tf.cli.program import program_name
from rts_tf.cli.progress import RunProgress
from rts_tf.cli.startup import load_tensorflow
from rts_tf.enhance.images import enhanced, shown, sizes_of
from rts_tf.enhance.jobs import Job, plan
from rts_tf.errors import ConfigError, ImageError, Interrupted, RtsError, printable
from rts_tf.export import HEADS, MAX_PIXELS
from rts_tf.images.dtypes import to_float, to_levels
from rts_tf.images.image_file import read_image_file
from rts_tf.images.write import check_writable, write_image_file
from rts_tf.metrics.parallel import in_parallel
from rts_tf.serving_client.connection import CONNECTIONS, Connection

SERVERS = {"grpc": "127.0.0.1:8500", "rest": "127.0.0.1:8501"}

FLAGS = flags.FlagValues()


def _define_flags() -> None:
    text = "File for one image, folder for several; its suffix chooses the format."
    flags.DEFINE_string("output", "", text, flag_values=FLAGS)
    text = "1: enhance at the same size, 2: enlarge twice."
    flags.DEFINE_enum("scale", "1", ("1", "2"), text, flag_values=FLAGS)
    text = "REST is slow with --scale=2 and 16 bits."
    flags.DEFINE_enum("protocol", "grpc", tuple(CONNECTIONS), text, flag_values=FLAGS)
    text = f"HOST:PORT; default: {' or '.join(SERVERS.values())}, by the protocol."
    flags.DEFINE_string("server", "", text, flag_values=FLAGS)
    text = "Name of the model in the model config of the server."
    flags.DEFINE_string("model", "rts", text, flag_values=FLAGS)
    text = "Seconds that an image may take on the server, retries included."
    flags.DEFINE_float("deadline", 60.0, text, flag_values=FLAGS)
    text = "How often an image is sent again while the server is not available."
    flags.DEFINE_integer("retries", 5, text, flag_values=FLAGS)
    text = "How many images are sent at once."
    flags.DEFINE_integer("concurrency", 4, text, flag_values=FLAGS)
    text = "Replace existing files, even the images themselves."
    flags.DEFINE_boolean("overwrite", False, text, flag_values=FLAGS)


_reading = threading.Lock()  # the limit on pixels that read_image_file sets is global


class _Outcome(NamedTuple):
    """What became of one image: an error, or none, and notes about what was not kept."""

    error: str = ""
    notes: tuple[str, ...] = ()


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and the inputs); return the exit code."""
    return exit_code_of(
        lambda: _send(arguments[1:]),
        stopped="stopped; what was written is whole. The same command continues.",
        command_flags=FLAGS,
    )


def _send(inputs: list[str]) -> int:
    _check_flags(inputs)
    everything = plan(inputs, FLAGS.output, FLAGS.overwrite)
    images = everything.only(videos=False)
    jobs, done, errors = images.jobs, images.done, list(everything.errors)
    videos = everything.only(videos=True)
    for job in (*videos.jobs, *videos.done):
        errors.append(f"{job.source}: is a video; rts_tf.enhance takes it")
    warnings: list[str] = []
    if jobs:
        if FLAGS.protocol == "grpc":
            load_tensorflow()  # the stubs use its messages
        server = FLAGS.server or SERVERS[FLAGS.protocol]
        connection = CONNECTIONS[FLAGS.protocol](server, FLAGS.model, FLAGS.deadline, FLAGS.retries)
        sent, failed, warnings = _send_all(jobs, connection)
        errors += failed
        print(f"enhanced {sent} of {len(jobs)} images: {printable(FLAGS.output)}")
    if done:
        known = len(done) + len(jobs)
        print(f"already there: {len(done)} of {known} images (--overwrite replaces them)")
    for line in everything.passed_over:
        print(printable(line))
    for warning in [*everything.notes, *warnings]:
        print_note(warning)
    for error in errors:
        print_error(error)
    return 1 if errors else 0


def _send_all(jobs: Sequence[Job], connection: Connection) -> tuple[int, list[str], list[str]]:
    """Send all images.

    If the server becomes unavailable, the rest is not tried and counts as one more error.

    Returns:
        How many images came back, the errors, and the warnings.
    """
    sizes, count = sizes_of(jobs), 0
    errors: list[str] = []
    warnings: list[str] = []
    progress = RunProgress({"sending": sum(sizes) / 1e6}, Console(stderr=True, highlight=False))
    outcomes = in_parallel(functools.partial(_send_one, connection), jobs, FLAGS.concurrency)
    with progress.running():
        try:
            for i, (outcome, size) in enumerate(zip(outcomes, sizes, strict=True)):
                warnings += outcome.notes
                if outcome.error:
                    errors.append(outcome.error)
                    progress.skip("sending", size / 1e6)
                else:
                    count += 1
                    text, megapixels = f"image {i + 1}/{len(jobs)}", size / 1e6
                    progress.advance("sending", megapixels, text, megapixels, "megapixels")
        except Interrupted:
            raise
        except RtsError as error:
            rest = len(jobs) - count - len(errors)
            errors.append(
                f"{error}. Not done: {rest} of {len(jobs)} images; the same command continues"
            )
        finally:
            connection.close()
            outcomes.close()
    return count, errors, warnings


def _send_one(connection: Connection, job: Job) -> _Outcome:
    """Read, send and write an image.

    Raises:
        RtsError: if there is no use in trying others.
    """
    try:
        with _reading:
            before = read_image_file(job.source, MAX_PIXELS)
    except ImageError as error:
        return _Outcome(str(error))
    notes = tuple(f"{job.source}: {note}" for note in before.notes)
    scale = int(FLAGS.scale)
    try:
        check_writable(job.target, before, scale)
    except ImageError as error:
        return _Outcome(str(error), notes)
    try:
        after = enhanced(before, _answer(connection, shown(before), scale))
    except ImageError as error:
        return _Outcome(f"{job.source}: {error}", notes)
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        notes += tuple(f"{job.target}: {note}" for note in write_image_file(job.target, after))
    except ImageError as error:
        return _Outcome(str(error), notes)
    except OSError as error:
        reason = f"{job.target}: cannot be written ({error.strerror or error})"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RtsError(f"{reason}; make room") from None
        return _Outcome(reason, notes)
    return _Outcome(notes=notes)


def _answer(connection: Connection, pixels: np.ndarray, scale: int) -> np.ndarray:
    """Send the pixels of an image.

    8 bits at the same size are sent and returned as PNG, with half the bytes of pixels; everything
    else as pixels.

    Args:
        connection: to the server.
        pixels: uint8 or uint16 [H, W, 1 or 3].
        scale: 1 to enhance, 2 to enlarge.

    Returns:
        The answer of the same type, ``scale`` times as high and wide.

    Raises:
        ImageError: if the server refuses the image or answers with something else.
        ServerError: if the server is not available.
    """
    height, width, channels = pixels.shape
    colours = np.repeat(pixels, 3 // channels, axis=2)
    head = HEADS[scale - 1]
    if pixels.dtype == np.uint16:
        (result,) = connection.predict(f"{head}_float", "images", to_float(colours)[None])
    elif scale == 2:
        (result,) = connection.predict(head, "images", colours[None])
    else:
        fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
        sent = cv2.imencode(".png", colours[..., ::-1], fast)[1].tobytes()
        (file,) = connection.predict("serving_default", "image_bytes", np.array([sent], object))
        result = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
        result = np.empty(0) if result is None else result[..., ::-1]
    if result.shape != (scale * height, scale * width, 3):
        raise ImageError(
            f"the server answered with an array of shape {result.shape}, not an image of that size"
        )
    if channels == 1:
        result = result.mean(axis=2, keepdims=True)
    if pixels.dtype == np.uint16:
        return to_levels(result, np.uint16)
    return np.rint(result).astype(np.uint8)


def _check_flags(inputs: list[str]) -> None:
    """Raise ConfigError for flags and inputs that cannot work."""
    if not inputs:
        usage = f"{program_name()} INPUT... --output=PATH"
        raise ConfigError(f"name images or folders of them: {usage}")
    if not FLAGS.output:
        raise ConfigError("--output is empty: name a file, or a folder for several images.")
    for path in inputs:
        if not os.path.lexists(path):
            raise ConfigError(f"{path}: no such file or folder.")
    if not 0 < FLAGS.deadline <= 3600:
        raise ConfigError(
            f"--deadline={FLAGS.deadline:g}: must be above 0 and at most 3600 seconds."
        )
    for name, value, least, most in (
        ("retries", FLAGS.retries, 0, 100),
        ("concurrency", FLAGS.concurrency, 1, 64),
    ):
        if not least <= value <= most:
            raise ConfigError(f"--{name}={value}: must be from {least} to {most}.")
    if FLAGS.protocol == "grpc" and importlib.util.find_spec("tensorflow_serving") is None:
        raise ConfigError(
            "--protocol=grpc: needs the stubs of TensorFlow Serving: pip install"
            " tensorflow-serving-api (the extra 'serving'), or send by --protocol=rest."
        )


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, SERVE_CLIENT)


_define_flags()

if __name__ == "__main__":
    run()
