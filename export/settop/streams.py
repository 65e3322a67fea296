"""Converts raw frames, one after the other without a header, to RGB and back.

A frame is RGB, or planes of Y'CbCr 4:2:0.
"""

import functools
import itertools
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from export.settop.errors import SettopError

FORMATS = ("yuv420p", "rgb24")
LUMA = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114)}  # shares of red and blue
AHEAD = 2  # frames that are read before they are asked for


class Stream(NamedTuple):
    """The kind and size of the frames of a stream.

    "rgb24" is full-range R'G'B', byte by byte. "yuv420p" is limited-range Y'CbCr (8 bits, Y'
    16..235, Cb and Cr 16..240) with the matrix of ITU-R BT.709 or BT.601. Its chroma lies beside
    every second pixel of a line and between two lines (as in MPEG-2, H.264 and HEVC unless they
    say otherwise). The network is one of RGB, so chroma is brought to full size and back by
    bicubic interpolation; what lies outside of the RGB cube is clipped.
    """

    kind: str
    height: int
    width: int
    matrix: str = "bt709"

    @property
    def bytes(self) -> int:
        """The bytes of a frame."""
        return self.height * self.width * 3 // (1 if self.kind == "rgb24" else 2)

    def scaled(self, scale: int) -> "Stream":
        """Return the same stream with frames ``scale`` times as high and wide."""
        return self._replace(height=scale * self.height, width=scale * self.width)

    def to_rgb(self, data: bytes) -> np.ndarray:
        """Convert the bytes of a frame to uint8 [height, width, 3]."""
        values = np.frombuffer(data, np.uint8)
        if self.kind == "rgb24":
            return values.reshape(self.height, self.width, 3)
        luma, rows, columns = self.height * self.width, self.height // 2, self.width // 2
        planes = [Image.fromarray(values[:luma].reshape(self.height, self.width))]
        for plane in values[luma:].reshape(2, rows, columns):
            wide = Image.fromarray(np.pad(plane, ((0, 0), (0, 1)), mode="edge"))
            # The first pixel of luma, at 1/2, lies on the first of chroma.
            box = (0.25, 0, columns + 0.25, rows)
            planes.append(wide.resize((self.width, self.height), Image.Resampling.BICUBIC, box))
        return np.asarray(Image.merge("RGB", planes).convert("RGB", _matrices(self.matrix)[1]))

    def from_rgb(self, frame: np.ndarray) -> bytes:
        """Convert a frame, uint8 [height, width, 3], to its bytes."""
        if self.kind == "rgb24":
            return frame.tobytes()
        luma, *chroma = Image.fromarray(frame).convert("RGB", _matrices(self.matrix)[0]).split()
        planes = [luma.tobytes()]
        for plane in chroma:
            wide = Image.fromarray(np.pad(plane, ((0, 0), (1, 0)), mode="edge"))
            size, box = (self.width // 2, self.height // 2), (0.5, 0, self.width + 0.5, self.height)
            planes.append(wide.resize(size, Image.Resampling.BICUBIC, box).tobytes())
        return b"".join(planes)


@functools.cache
def _matrices(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the matrices from R'G'B' of 0..255 to Y'CbCr of limited range, and back.

    Each is three rows of four for Pillow, which adds the last.
    """
    red, blue = LUMA[name]
    luma = np.array([red, 1 - red - blue, blue])
    chroma = [(np.eye(3)[i] - luma) / (2 * (1 - luma[i])) for i in (2, 0)]
    forth = np.array([219 * luma, 224 * chroma[0], 224 * chroma[1]]) / 255
    offset, back = np.array([16.0, 128.0, 128.0]), np.linalg.inv(forth)
    rows = lambda matrix, added: tuple(float(v) for v in np.column_stack([matrix, added]).ravel())  # noqa: E731
    return rows(forth, offset), rows(back, -back @ offset)


def frames_of(source: BinaryIO, stream: Stream, name: str) -> Iterator[np.ndarray]:
    """Read frames and convert them to RGB.

    Args:
        source: the frames, one after the other.
        stream: their kind and size.
        name: of the source, for the message.

    Raises:
        SettopError: if the source ends within a frame.
    """
    for number in itertools.count(1):
        data = bytearray()
        while len(data) < stream.bytes and (part := source.read(stream.bytes - len(data))):
            data += part  # a pipe gives only what it has
        if not data:
            return
        if len(data) < stream.bytes:
            raise SettopError(
                f"{name}: ends within frame {number}, after {len(data)} of {stream.bytes} bytes;"
                " do --size and --format fit?"
            )
        yield stream.to_rgb(bytes(data))


def ahead(items: Iterable) -> Iterator:
    """Yield ``items``, which a thread makes while those before are used."""
    made: queue.Queue = queue.Queue(AHEAD)

    def make():
        try:
            for item in items:
                made.put((item, None))
            made.put((None, None))
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            made.put((None, error))

    # Nobody waits for this thread, which may wait for a camera.
    threading.Thread(target=make, daemon=True).start()
    while True:
        item, error = made.get()
        if error:
            raise error
        if item is None:
            return
        yield item
