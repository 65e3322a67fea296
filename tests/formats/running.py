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
from tests.formats.outcome import Account
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


def reason_of_refusal(
    account: Account, ran: Run, source: pathlib.Path, target: pathlib.Path
) -> str:
    """Check that a file was refused in a way that helps; returns the reason.

    Args:
        account: Gets what is wrong about it.
        ran: The run that ended with the exit code 1.
        source: The file, called IN in the reason.
        target: The output, called OUT.
    """
    errors = [line for line in account.lines.all if line.startswith("error: ")]
    if "Traceback" in ran.lines or len(errors) != 1:
        account.fault("refused in more or less than one line", ran.lines[-300:])
    text = " ".join(errors)
    if str(source) not in text and str(target) not in text:
        account.fault("a refusal that does not name the file", text)
    if target.exists():
        account.fault("refused, but there is an output", text)
    reason = text.removeprefix("error: ").replace(str(source), "IN").replace(str(target), "OUT")
    return reason


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
