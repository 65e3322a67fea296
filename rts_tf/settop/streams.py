"""Says how the frames of video lie in memory, and converts them to RGB and back."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from .errors import SettopError

FORMATS = ("yuv420p", "nv12", "rgb24")  # of raw frames
# By kind, rows and columns of pixels for each sample of chroma; (0, 0): it has none.
CHROMA = {
    "yuv420p": (2, 2),
    "nv12": (2, 2),
    "yuv422p": (1, 2),
    "yuv444p": (1, 1),
    "gray": (0, 0),
}
LUMA = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114)}  # shares of red and blue


class Stream(NamedTuple):
    """The kind and size of the frames of a stream.

    "rgb24" is full-range R'G'B', byte by byte. All others are Y'CbCr of 8 bits, with the plane of
    luma first. "nv12" has Cb and Cr in turn in one plane, the others have a plane of each.

    For a network of RGB, "yuv420p" and "nv12" are of limited range (Y' 16..235, Cb and Cr 16..240)
    with the matrix of ITU-R BT.709 or BT.601, and have even sides. Their chroma lies beside every
    second pixel of a line and between two lines (as in MPEG-2, H.264 and HEVC unless they say
    otherwise). It is brought to full size and back by bicubic interpolation; what lies outside of
    the RGB cube is clipped.
    """

    kind: str
    height: int
    width: int
    matrix: str = "bt709"

    @property
    def luma(self) -> int:
        """The bytes of the plane of luma, with which a frame begins; 0 if it has none."""
        return 0 if self.kind == "rgb24" else self.height * self.width

    @property
    def chroma(self) -> tuple[int, int]:
        """Height and width of each of the two planes of chroma; the last samples may be shared."""
        rows, columns = CHROMA[self.kind]
        if not rows:
            return 0, 0
        return -(-self.height // rows), -(-self.width // columns)

    @property
    def nbytes(self) -> int:
        """The bytes of a frame."""
        if self.kind == "rgb24":
            return 3 * self.height * self.width
        rows, columns = self.chroma
        return self.luma + 2 * rows * columns

    def scaled(self, scale: int) -> "Stream":
        """Return the same stream with frames ``scale`` times as high and wide."""
        return self._replace(height=scale * self.height, width=scale * self.width)

    def to_rgb(self, data: bytes | np.ndarray) -> np.ndarray:
        """Convert the bytes of a frame to uint8 [height, width, 3]."""
        values = np.frombuffer(data, np.uint8)
        if self.kind == "rgb24":
            return values.reshape(self.height, self.width, 3)
        rows, columns = self.chroma
        planes = [Image.fromarray(values[: self.luma].reshape(self.height, self.width))]
        order = (rows, columns, 2) if self.kind == "nv12" else (2, rows, columns)
        chroma = values[self.luma :].reshape(order)
        for samples in np.moveaxis(chroma, -1, 0) if self.kind == "nv12" else chroma:
            wide = Image.fromarray(np.pad(samples, ((0, 0), (0, 1)), mode="edge"))
            # The first pixel of luma, at 1/2, lies on the first of chroma.
            box = (0.25, 0, columns + 0.25, rows)
            planes.append(wide.resize((self.width, self.height), Image.Resampling.BICUBIC, box))
        return np.asarray(Image.merge("RGB", planes).convert("RGB", _matrices(self.matrix)[1]))

    def from_rgb(self, frame: np.ndarray) -> bytes:
        """Convert a frame, uint8 [height, width, 3], to its bytes."""
        if self.kind == "rgb24":
            return frame.tobytes()
        luma, *chroma = Image.fromarray(frame).convert("RGB", _matrices(self.matrix)[0]).split()
        rows, columns = self.chroma
        box, planes = (0.5, 0, self.width + 0.5, self.height), []
        for plane in chroma:
            wide = Image.fromarray(np.pad(np.asarray(plane), ((0, 0), (1, 0)), mode="edge"))
            planes.append(np.asarray(wide.resize((columns, rows), Image.Resampling.BICUBIC, box)))
        together = np.stack(planes, axis=-1 if self.kind == "nv12" else 0)
        return luma.tobytes() + together.tobytes()


class ThroughRgb:
    """Takes whole frames through a network of RGB."""

    def __init__(self, stream: Stream, scale: int):
        """``scale`` is the network's.

        Raises:
            SettopError: if the frames cannot be converted to RGB.
        """
        name = f"{stream.kind} of {stream.width}x{stream.height}"
        if stream.kind not in FORMATS:
            raise SettopError(
                f"{name}: a network of RGB takes 4:2:0 alone; let ffmpeg convert it"
                " (-pix_fmt yuv420p), or take a file for luma"
            )
        if stream.luma and (stream.height % 2 or stream.width % 2):
            raise SettopError(
                f"{name}: with one sample of chroma for 2x2 pixels, a network of RGB needs even"
                " sides"
            )
        self._stream, self._made = stream, stream.scaled(scale)

    def image(self, data: np.ndarray) -> np.ndarray:
        """Return what the network takes, uint8 [H, W, 3], from the bytes of a frame."""
        return self._stream.to_rgb(data)

    def parts(self, result: np.ndarray, data: np.ndarray) -> Sequence:
        """Return what is written: buffers, from the network's result and the frame's bytes."""
        return (self._made.from_rgb(result),)


class LumaAlone:
    """Takes the plane of luma through a network, and leaves the bytes of chroma as they are."""

    def __init__(self, stream: Stream):
        """Raises SettopError if the frames have no such plane."""
        if not stream.luma:
            raise SettopError(
                f"--format={stream.kind}: has no plane of luma, which is what this network takes;"
                f" let ffmpeg convert it (-pix_fmt {FORMATS[0]})"
            )
        self._stream = stream

    def image(self, data: np.ndarray) -> np.ndarray:
        """Return the plane, uint8 [H, W], of a frame; it shares the memory of ``data``."""
        return data[: self._stream.luma].reshape(self._stream.height, self._stream.width)

    def parts(self, result: np.ndarray, data: np.ndarray) -> Sequence:
        """Return what is written: the plane that was computed, and the rest of the frame."""
        return result, data[self._stream.luma :]


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
