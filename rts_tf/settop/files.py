"""Writes files of raw frames, and any file so that it gets its name only when it is whole."""

import contextlib
import hashlib
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from .errors import SettopError

LONGEST_NAME = 255  # bytes


class FrameFile:
    """Where frames are written: a new file, which gets its name at the end, or a pipe or device.

    Attributes:
        count: whole frames that were written.
    """

    def __init__(self, path: str):
        """Open ``path``; "-" is standard output."""
        self.count = self._bytes = 0
        self._path = pathlib.Path(path)
        self._regular = path != "-" and (not self._path.exists() or self._path.is_file())
        self._stack = contextlib.ExitStack()
        self._temporary = None
        if self._regular:
            self._temporary = self._stack.enter_context(temporary_beside(self._path))
        target = 1 if path == "-" else self._temporary or self._path
        self._file = open(target, "wb", buffering=0, closefd=path != "-")  # noqa: SIM115
        self._stack.enter_context(self._file)

    def write(self, *parts: bytes | np.ndarray) -> None:
        """Write one frame, which consists of contiguous buffers. Nothing of it is kept back.

        Raises:
            BrokenPipeError: if nobody reads the pipe any more.
            SettopError: if the file cannot be written.
        """
        with named_errors(self._path):
            for part in parts:
                left = _bytes_of(part)
                while len(left):
                    left = left[self._file.write(left) :]
        self.count += 1
        self._bytes += sum(len(_bytes_of(part)) for part in parts)

    def close(self) -> None:
        """Give the file its name, without a frame that is not whole.

        If there is no whole frame, there is no file.
        """
        with named_errors(self._path), self._stack:
            if self._temporary and self.count:
                self._file.truncate(self._bytes)
                if os.name == "nt":  # Windows does not rename an open file
                    self._file.close()
                publish(self._temporary, self._path)


def _bytes_of(part: bytes | np.ndarray) -> memoryview:
    # numpy says that its arrays are buffers from Python 3.12 on only.
    return memoryview(part).cast("B")  # type: ignore[arg-type]


@contextlib.contextmanager
def named_errors(path: pathlib.Path) -> Iterator[None]:
    """Raise SettopError, which names the file, for an OSError other than a broken pipe."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SettopError(f"{path}: cannot be written ({error.strerror or error})") from None


@contextlib.contextmanager
def temporary_beside(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a name in the same folder; what is left there at the end is removed."""
    end = f".{os.getpid()}.tmp{path.suffix}"
    name = f".{path.stem}{end}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}{end}"
    temporary = path.with_name(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: pathlib.Path, path: pathlib.Path) -> None:
    """Make a file durable under its name."""
    _sync(temporary)
    os.replace(temporary, path)
    if os.name != "nt":  # Windows opens no directory
        _sync(path.parent)


def _sync(path: pathlib.Path) -> None:
    # Windows syncs only what is open for writing.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
