"""Send pictures to TensorFlow Serving: ``python -m export.serving.client INPUT... --output=PATH [--scale=1|2]``.

INPUT is a picture (PNG, JPEG, WebP, TIFF, BMP) or a folder, as for ``rts_tf.enhance``, and what comes back is written as there:
the tree is kept, what is there already is passed over, ICC profile, EXIF, alpha, DPI, grey and 16 bits stay.
"""

import errno
import functools
import importlib.util
import os
import sys
import threading
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from absl import flags
from rich.console import Console

from export.serving.connection import CONNECTIONS, Connection
from rts_tf.cli.command import begin, guarded
from rts_tf.cli.progress import RunProgress
from rts_tf.cli.startup import load_tensorflow
from rts_tf.enhance.images import enhanced, sizes_of
from rts_tf.enhance.jobs import Job, plan
from rts_tf.errors import ConfigError, ImageError, Interrupted, RtsError, printable
from rts_tf.export import HEADS, MAX_PIXELS
from rts_tf.images.dtypes import to_float, to_levels
from rts_tf.images.image_file import read_image_file
from rts_tf.images.write import write_image_file
from rts_tf.metrics.parallel import in_parallel

SERVERS = {"grpc": "127.0.0.1:8500", "rest": "127.0.0.1:8501"}

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
flags.DEFINE_enum(
    "protocol",
    "grpc",
    tuple(CONNECTIONS),
    "REST is slow with --scale=2 and 16 bits.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "server",
    "",
    f"HOST:PORT; default: {' or '.join(SERVERS.values())}, by the protocol.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "model", "rts", "Name of the model in the model config of the server.", flag_values=FLAGS
)
flags.DEFINE_float(
    "deadline",
    60.0,
    "Seconds that a picture may take on the server, retries included.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "retries",
    5,
    "How often a picture is sent again while the server is not available.",
    flag_values=FLAGS,
)
flags.DEFINE_integer("concurrency", 4, "Pictures that are on their way at once.", flag_values=FLAGS)
flags.DEFINE_boolean(
    "overwrite", False, "Write over what is there, the pictures themselves too.", flag_values=FLAGS
)

_reading = threading.Lock()  # read_image_file's limit on pixels is global


class _Outcome(NamedTuple):
    error: str = ""
    remark: str = ""


def main(arguments: list[str]) -> int:
    return guarded(
        lambda: _send(arguments[1:]),
        "stopped; what was written is whole. The same command continues.",
        str,
    )


def _send(inputs: list[str]) -> int:
    _check_flags(inputs)
    jobs, done, errors = plan(inputs, FLAGS.output, FLAGS.overwrite)
    remarks = []
    if jobs:
        if FLAGS.protocol == "grpc":
            load_tensorflow()  # the stubs are made of its messages
        server = FLAGS.server or SERVERS[FLAGS.protocol]
        connection = CONNECTIONS[FLAGS.protocol](server, FLAGS.model, FLAGS.deadline, FLAGS.retries)
        sent, failed, remarks = _send_all(jobs, connection)
        errors += failed
        print(f"enhanced {sent} of {len(jobs)} pictures: {printable(FLAGS.output)}")
    if done:
        print(
            f"already there: {len(done)} of {len(done) + len(jobs)} pictures (--overwrite makes them again)"
        )
    for remark in remarks:
        print(printable(f"note: {remark}"), file=sys.stderr)
    for error in errors:
        print(printable(f"error: {error}"), file=sys.stderr)
    return 1 if errors else 0


def _send_all(jobs: Sequence[Job], connection: Connection) -> tuple[int, list[str], list[str]]:
    """How many pictures came back, the errors, and remarks. Without the server the rest is not tried: it is one error more."""
    sizes, count, errors, remarks = sizes_of(jobs), 0, [], []
    progress = RunProgress({"sending": sum(sizes) / 1e6}, Console(stderr=True, highlight=False))
    outcomes = in_parallel(functools.partial(_send_one, connection), jobs, FLAGS.concurrency)
    with progress.running():
        try:
            for i, (outcome, size) in enumerate(zip(outcomes, sizes, strict=True)):
                remarks += [outcome.remark] if outcome.remark else []
                if outcome.error:
                    errors.append(outcome.error)
                    progress.skip("sending", size / 1e6)
                else:
                    count += 1
                    progress.advance(
                        "sending",
                        size / 1e6,
                        f"picture {i + 1}/{len(jobs)}",
                        size / 1e6,
                        "megapixels",
                    )
        except Interrupted:
            raise
        except RtsError as error:
            rest = len(jobs) - count - len(errors)
            errors.append(
                f"{error}. Not done: {rest} of {len(jobs)} pictures; the same command continues"
            )
        finally:
            connection.close()
            outcomes.close()
    return count, errors, remarks


def _send_one(connection: Connection, job: Job) -> _Outcome:
    """Read, send and write a picture. Raises RtsError where there is no use in trying others."""
    try:
        with _reading:
            before = read_image_file(job.source, MAX_PIXELS)
    except ImageError as error:
        return _Outcome(str(error))
    remark = f"{job.source}: {before.remark}" if before.remark else ""
    try:
        after = enhanced(before, _answer(connection, before.pixels, int(FLAGS.scale)))
    except ImageError as error:
        return _Outcome(f"{job.source}: {error}", remark)
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        write_image_file(job.target, after)
    except ImageError as error:
        return _Outcome(str(error), remark)
    except OSError as error:
        reason = f"{job.target}: cannot be written ({error.strerror or error})"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RtsError(f"{reason}; make room") from None
        return _Outcome(reason, remark)
    return _Outcome(remark=remark)


def _answer(connection: Connection, pixels: np.ndarray, scale: int) -> np.ndarray:
    """What the server makes of ``pixels``, uint8 or uint16 [H, W, 1 or 3]: the same type, ``scale`` times the size.

    8 bits of the same size go and come as PNG, half the bytes of pixels; everything else as pixels.
    """
    height, width, channels = pixels.shape
    colours = np.repeat(pixels, 3 // channels, axis=2)
    head = HEADS[scale - 1]
    if pixels.dtype == np.uint16:
        (result,) = connection.predict(f"{head}_float", "images", to_float(colours)[None])
    elif scale == 2:
        (result,) = connection.predict(head, "images", colours[None])
    else:
        file = cv2.imencode(".png", colours[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[
            1
        ].tobytes()
        (file,) = connection.predict("serving_default", "image_bytes", np.array([file], object))
        result = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
        result = np.empty(0) if result is None else result[..., ::-1]
    if result.shape != (scale * height, scale * width, 3):
        raise ImageError(
            f"the server answered with an array of shape {result.shape}, not a picture of that size"
        )
    if channels == 1:
        result = result.mean(axis=2, keepdims=True)
    return (
        to_levels(result, np.uint16)
        if pixels.dtype == np.uint16
        else np.rint(result).astype(np.uint8)
    )


def _check_flags(inputs: list[str]) -> None:
    """Raise ConfigError naming what cannot work."""
    if not inputs:
        raise ConfigError(
            "name pictures or folders of them: python -m export.serving.client INPUT... --output=PATH"
        )
    if not FLAGS.output:
        raise ConfigError("--output is empty: name a file, or a folder for several pictures.")
    for path in inputs:
        if not os.path.lexists(path):
            raise ConfigError(f"{path}: no such file or folder.")
    if not 0 < FLAGS.deadline <= 3600:
        raise ConfigError(
            f"--deadline={FLAGS.deadline:g}: must be above 0 and at most 3600 seconds."
        )
    for name, least, most in (("retries", 0, 100), ("concurrency", 1, 64)):
        if not least <= FLAGS[name].value <= most:
            raise ConfigError(f"--{name}={FLAGS[name].value}: must be from {least} to {most}.")
    if FLAGS.protocol == "grpc" and importlib.util.find_spec("tensorflow_serving") is None:
        raise ConfigError(
            "--protocol=grpc: needs the stubs of TensorFlow Serving: pip install tensorflow-serving-api (the extra 'serving'),"
            " or send by --protocol=rest."
        )


if __name__ == "__main__":
    begin(main, FLAGS)
