"""Reads the frames of a stream, a frame ahead of what is computed."""

import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from . import y4m
from .errors import SettopError
from .streams import Stream

AHEAD = 1  # frames that are read before they are asked for; each may wait as long as one computes


class Frame(NamedTuple):
    """A frame as it came.

    Attributes:
        line: what stands in front of it; empty for raw frames.
        data: its bytes, uint8 [stream.nbytes].
        read: when the last of them had come, by ``time.monotonic``.
    """

    line: bytes
    data: np.ndarray
    read: float


class Source:
    """A stream that is open.

    Attributes:
        header: of a stream of YUV4MPEG2; None for raw frames.
        stream: kind and size of the frames.
    """

    def __init__(self, path: str, raw: Stream | None, matrix: str = "bt709"):
        """Open a stream and read its header.

        Args:
            path: of a file, pipe or device; "-" is standard input.
            raw: kind and size of raw frames; None for YUV4MPEG2.
            matrix: of that, for RGB.

        Raises:
            SettopError: if there is no such stream.
        """
        if path != "-" and not os.path.exists(path):
            raise SettopError(f"{path}: no such file")
        self._path = path
        # A thread may read from it for longer than anybody waits, so nobody closes it.
        self._file = open(  # noqa: SIM115
            0 if path == "-" else path, "rb", buffering=0, closefd=path != "-"
        )
        self._start = b""  # of the stream: it was read, and not yet used
        start = np.empty(len(y4m.MAGIC), np.uint8)
        self._start = start[: self._fill(start)].tobytes()
        says_itself = self._start == y4m.MAGIC
        if says_itself and raw:
            raise SettopError(
                f"{path}: is YUV4MPEG2, which says its size; leave --size={raw.width}x{raw.height}"
                " out"
            )
        if not says_itself and not raw:
            is_none = "is no stream of YUV4MPEG2; for raw frames name their --size"
            raise SettopError(f"{path}: {is_none if self._start else 'holds no frame'}")
        self.header: y4m.Header | None = None
        if raw:
            self.stream = raw
        else:
            self.header = y4m.parsed(self._start + self._file.readline(y4m.LONGEST), path)
            self._start, self.stream = b"", self.header.stream(matrix)

    def count(self) -> int | None:
        """Return the number of frames; None if the source or the frames do not say it.

        Raises:
            SettopError: if the last frame of a file of raw frames is not whole.
        """
        if self._path == "-" or not os.path.isfile(self._path):
            return None
        length, stream = os.path.getsize(self._path), self.stream
        if self.header:
            count, rest = divmod(length - len(self.header.line), len(y4m.FRAME) + 1 + stream.nbytes)
            return None if rest else count
        if not length or length % stream.nbytes:
            raise SettopError(
                f"{self._path}: {length} bytes are not a number of {stream.kind} frames of"
                f" {stream.width}x{stream.height}, of {stream.nbytes} bytes each; do --size and"
                " --format fit?"
            )
        return length // stream.nbytes

    def frames(self) -> Iterator[Frame]:
        """Read the frames.

        Raises:
            SettopError: if the source ends within a frame, or has something else in front of one.
        """
        number, hint = 0, "" if self.header else "; do --size and --format fit?"
        while True:
            number += 1
            line = self._line(number) if self.header else b""
            data = np.empty(self.stream.nbytes, np.uint8)
            length = self._fill(data)
            if not length and not line:
                return
            if length < len(data):
                raise SettopError(
                    f"{self._path}: ends within frame {number}, after {length} of {len(data)}"
                    f" bytes{hint}"
                )
            yield Frame(line, data, time.monotonic())

    def _line(self, number: int) -> bytes:
        """Read the line in front of a frame; empty at the end of the stream."""
        line = self._file.readline(y4m.LONGEST)
        if not line or line.endswith(b"\n") and line[:-1].split(b" ")[0] == y4m.FRAME:
            return line
        if y4m.FRAME.startswith(line[: len(y4m.FRAME)]) and not line.endswith(b"\n"):
            raise SettopError(f"{self._path}: ends within frame {number}, in the line FRAME")
        raise SettopError(
            f"{self._path}: frame {number} begins with {line[:20]!r} and not with FRAME"
        )

    def _fill(self, data: np.ndarray) -> int:
        """Read uint8 [N] in place; return how many bytes came before the end of the source."""
        view, length = memoryview(data), 0  # type: ignore[arg-type]  # see settop/files.py
        if self._start:
            length = min(len(self._start), len(data))
            view[:length], self._start = self._start[:length], self._start[length:]
        while length < len(data) and (more := self._file.readinto(view[length:])):
            length += more  # a pipe gives only what it has
        return length


def is_stream(path: str) -> bool:
    """Whether a path is a pipe, a device or a file of YUV4MPEG2, and so no image."""
    if path == "-" or not os.path.exists(path):
        return path == "-"
    if not os.path.isfile(path):
        return not os.path.isdir(path)
    with open(path, "rb") as file:
        return file.read(len(y4m.MAGIC)) == y4m.MAGIC


def ahead(items: Iterable) -> Iterator:
    """Yield ``items``, which a thread makes while those before are used."""
    made: queue.Queue = queue.Queue()
    free = threading.Semaphore(AHEAD)

    def make():
        try:
            iterator = iter(items)
            while free.acquire():
                item = next(iterator, None)
                made.put((item, None))
                if item is None:
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            made.put((None, error))

    # Nobody waits for this thread, which may wait for a camera.
    threading.Thread(target=make, daemon=True).start()
    while True:
        item, error = made.get()
        free.release()
        if error:
            raise error
        if item is None:
            return
        yield item
