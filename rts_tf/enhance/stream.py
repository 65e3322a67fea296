"""Open what is enhanced frame by frame as it comes: a pipe, a .y4m file, or bare frames.

Through a pipe an image may come too; :mod:`rts_tf.enhance.piped` is for that.
"""

import contextlib
import os
import pathlib
import sys
from collections.abc import Iterator
from io import FileIO
from typing import NamedTuple

from rts_tf.errors import ConfigError
from rts_tf.images.formats import NAMES, SIGNATURE, kind_of, kind_of_file, kind_of_suffix
from rts_tf.storage import atomic_path
from rts_tf.video.y4m import MAGIC, SUFFIX, StreamFormat, read_line, y4m_format

PIPE = "-"  # in place of a file: standard input, or standard output


class Stream(NamedTuple):
    """An open stream to read and one to write.

    Attributes:
        source: Behind its header.
        name: The source, for messages.
        format: What it holds.
        target: What is written.
    """

    source: FileIO
    name: str
    format: StreamFormat
    target: FileIO


def is_stream(inputs: list[str], output: str, raw: bool) -> bool:
    """Whether a command is about a pipe, bare frames, or a .y4m file to write."""
    return raw or PIPE in (*inputs, output) or _is_y4m(output)


def _is_y4m(path: str) -> bool:
    return pathlib.Path(path).suffix.lower() == SUFFIX


def find_image(inputs: list[str], output: str) -> tuple[bool, bytes]:
    """Find out whether an image is to go through a pipe, and not frames.

    Args:
        inputs: As the user named them.
        output: The same.

    Returns:
        Whether it is an image, and what was read from standard input to find out.

    Raises:
        ConfigError: Standard input is empty, the terminal, or neither an image nor YUV4MPEG2.
    """
    path = inputs[0]
    if len(inputs) > 1 or not (output == PIPE or kind_of_suffix(output) or os.path.isdir(output)):
        return False, b""
    if path != PIPE:
        return bool(kind_of_file(path)), b""
    with opened_input(PIPE) as pipe:
        start = _read(pipe, len(MAGIC))  # no more, since a camera may be slow
        if start == MAGIC:
            return False, start
        start += _read(pipe, SIGNATURE - len(MAGIC))
    if not kind_of(start):
        what = f"is neither an image ({NAMES}) nor YUV4MPEG2" if start else "is empty"
        raise ConfigError(
            f"standard input: {what}; name a video as a file, or pipe it through ffmpeg -i - -f"
            " yuv4mpegpipe -"
        )
    return True, start


def _read(file: FileIO, count: int) -> bytes:
    """Read ``count`` bytes, or all that there are."""
    data = b""
    while more := file.read(count - len(data)):
        data += more
    return data


@contextlib.contextmanager
def opened(
    inputs: list[str], output: str, raw: StreamFormat | None = None, start: bytes = b""
) -> Iterator[Stream]:
    """Open a stream, and read its header.

    A file that is written takes its place at the end, whole. While a pipe is written, whatever else
    is printed to standard output goes to standard error.

    Args:
        inputs: A .y4m file, or ``PIPE``.
        output: The same.
        raw: What the source holds if it has no header.
        start: What was read of its header.

    Raises:
        ConfigError: These are not one source and one target.
        VideoError: The source is not YUV4MPEG2, or of a kind that is not supported.
        OSError: A file cannot be opened or written.
    """
    if len(inputs) > 1:
        raise ConfigError(f"{', '.join(inputs)}: name one input to be enhanced as a stream.")
    path = inputs[0]
    if os.path.isdir(path):
        raise ConfigError(f"{path}: is a folder; name a folder as `output`, not {output}.")
    if raw is None and path != PIPE and not _is_y4m(path):
        raise ConfigError(
            f"{path}: only YUV4MPEG2 becomes `output`={output}; pipe the video: ffmpeg -i VIDEO -f"
            " yuv4mpegpipe - | rts enhance - ..."
        )
    if raw is None and output != PIPE and not _is_y4m(output):
        raise ConfigError(
            f"`output`={output}: a stream is written to - or to a .y4m file; to encode it, write to"
            " - and pipe that into ffmpeg"
        )
    with contextlib.ExitStack() as stack:
        name = "standard input" if path == PIPE else path
        source = stack.enter_context(opened_input(path))
        format = raw or y4m_format(start + read_line(source), name)
        target = stack.enter_context(opened_output(output))
        yield Stream(source, name, format, target)


def opened_input(path: str) -> FileIO:
    """Open a file or ``PIPE``. Raises ConfigError if that is the terminal."""
    if path != PIPE:
        return FileIO(path)
    _refuse_terminal(0, "standard input")
    return FileIO(0, closefd=False)


@contextlib.contextmanager
def opened_output(path: str) -> Iterator[FileIO]:
    """Open a file or ``PIPE``, see :func:`opened`. Raises ConfigError if that is the terminal."""
    if path == PIPE:
        _refuse_terminal(1, "standard output")
        sys.stdout.flush()
        with FileIO(os.dup(1), "w") as file:
            os.dup2(2, 1)
            try:
                yield file
            finally:
                os.dup2(file.fileno(), 1)
    elif os.path.exists(path) and not os.path.isfile(path):  # e.g. a named pipe
        with FileIO(path, "w") as file:
            yield file
    else:
        with atomic_path(path) as temporary, FileIO(temporary, "w") as file:
            yield file


def _refuse_terminal(descriptor: int, name: str) -> None:
    if os.isatty(descriptor):
        raise ConfigError(f"-: {name} is the terminal; connect it to a program or a file.")
    os.set_blocking(descriptor, True)  # a program that had the pipe may have left it otherwise
