"""An image that comes through standard input, or leaves through standard output.

It is enhanced like any other, from one file to another one, since the readers of images seek. The
files in the place of pipes lie in a temporary folder.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from io import FileIO
from typing import NamedTuple

from rts_tf.enhance.jobs import Job
from rts_tf.enhance.stream import PIPE, opened_input, opened_output
from rts_tf.errors import ConfigError, RtsError
from rts_tf.images.formats import KINDS, kind_of, kind_of_file
from rts_tf.images.write import format_of


class PipedImage(NamedTuple):
    """An image to enhance.

    Attributes:
        job: The files.
        folder: Where those lie that stand for pipes.
    """

    job: Job
    folder: str

    def line(self, message: str) -> str:
        """A message about the files with the names of the pipes."""
        return message.replace(f"{self.folder}{os.sep}", "")


@contextlib.contextmanager
def piped_image(path: str, output: str, start: bytes) -> Iterator[PipedImage]:
    """Read the image, and write what was made of it, if the body has made it.

    On standard output it has the format of the input, or what stands for that if it is not written.
    Whatever else the body prints goes to standard error then.

    Args:
        path: An image file, or ``PIPE``.
        output: The same.
        start: What was read of standard input.

    Raises:
        ConfigError: ``output`` is a folder, or not of a format that is written.
        RtsError: Nobody reads the output any more.
        OSError: A file cannot be read or written.
    """
    if output != PIPE:
        _check(output)
    with tempfile.TemporaryDirectory(prefix="rts_") as folder, contextlib.ExitStack() as stack:
        source, target = pathlib.Path(path), pathlib.Path(output)
        if path == PIPE:
            source = pathlib.Path(folder, "standard input")
            with opened_input(PIPE) as pipe, open(source, "wb") as file:
                file.write(start)
                shutil.copyfileobj(pipe, file)
        if output != PIPE:
            yield PipedImage(Job(os.fspath(source), target, source.name), folder)
            return
        kind = kind_of(start) or kind_of_file(source)
        suffix = KINDS[kind].suffix_written
        target = pathlib.Path(folder, f"standard output{suffix}")
        pipe = stack.enter_context(opened_output(PIPE))
        yield PipedImage(Job(os.fspath(source), target, source.name), folder)
        if target.exists():
            _copy(target, pipe)


def _check(output: str) -> None:
    if os.path.isdir(output) or output.endswith(os.sep):
        raise ConfigError(
            f"`output`={output}: is a folder; name a file for the image on standard input."
        )
    try:
        format_of(output)
    except RtsError as error:
        raise ConfigError(f"`output`={error}.") from None


def _copy(source: pathlib.Path, pipe: FileIO) -> None:
    try:
        with open(source, "rb") as file:
            shutil.copyfileobj(file, pipe)
    except BrokenPipeError:
        raise RtsError("nobody reads the output any more") from None
