"""Runs the enhancement of one file in this process, and watches what it does and prints."""

import contextlib
import os
import pathlib
import tempfile
import traceback
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf

from rts_tf.enhance import video as enhancing_video
from tests.formats.workers import PRINTED
from tests.support.enhance_command import command

# It warns of a function that is traced again and again, as it is where the command runs again and
# again in one process.
tf.get_logger().setLevel("ERROR")


class Run(NamedTuple):
    """What a run of the command did.

    Attributes:
        code: The exit code.
        lines: Standard error, as the command printed it.
        printed: What libraries printed past it, to the file descriptors themselves.
        crash: The exception that left the command, and where; empty if none did.
        worked: Whether a frame of a video was encoded.
    """

    code: int
    lines: str
    printed: str
    crash: str
    worked: bool


def run(source: pathlib.Path, target: pathlib.Path, *flags: str) -> Run:
    """Enhance ``source`` to ``target`` with strength 0."""
    code, err, crash = 1, "", ""
    with _descriptors_caught() as printed, _segments_counted() as segments:
        try:
            code, _, err = command(source, f"--output={target}", "--strength=0", *flags)
        except Exception as error:  # whatever it is, it is the finding
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{pathlib.Path(last.filename).name}, {last.name}"
            crash = f"{type(error).__name__} in {where}: {error}"
    return Run(code, err, printed[0], crash, bool(segments))


@contextlib.contextmanager
def _segments_counted() -> Iterator[list]:
    """Collects an item for each segment of a video that is written."""
    seen: list = []
    real = enhancing_video.write_segment

    def watched(*arguments, **named):
        seen.append(1)
        return real(*arguments, **named)

    enhancing_video.write_segment = watched
    try:
        yield seen
    finally:
        enhancing_video.write_segment = real


@contextlib.contextmanager
def _descriptors_caught() -> Iterator[list[str]]:
    """Collects what is written to the descriptors of standard output and error, not to sys's."""
    caught: list[str] = [""]
    # Where a library ends the process, ``workers`` finds the file by its name.
    with tempfile.NamedTemporaryFile(prefix=PRINTED.format(os.getpid())) as file:
        before = [os.dup(1), os.dup(2)]
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield caught
        finally:
            for number, saved in enumerate(before, start=1):
                os.dup2(saved, number)
                os.close(saved)
            file.seek(0)
            caught[0] = file.read().decode("utf-8", "replace").strip()


def left_behind(folder: pathlib.Path, *known: pathlib.Path) -> list[str]:
    """What a run left in ``folder`` beside the files that are ``known``."""
    return sorted(path.name for path in folder.iterdir() if path not in known)
