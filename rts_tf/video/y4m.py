"""Reads and writes frames in a pipe: YUV4MPEG2, and bare frames of a size that is known.

YUV4MPEG2 is a line that describes the video, and for each frame a line that begins with ``FRAME``
and the samples, plane after plane. Lines are kept as they are, byte for byte. Files must be
unbuffered, so that a frame moves on as soon as it is whole. This module needs no FFmpeg.
"""

import itertools
import re
from collections.abc import Iterator
from io import FileIO
from typing import NamedTuple

import numpy as np

from rts_tf.errors import VideoError

SUFFIX = ".y4m"
RAW_FORMATS = ("yuv420p", "nv12")
LONGEST_LINE = 4096  # bytes
LARGEST_SIDE = 32768  # samples
MAGIC = b"YUV4MPEG2"
_FRAME = re.compile(rb"FRAME( [^\n]*)?\n")
_INTERLACED_FRAME = re.compile(rb" I.i")  # how it is shown, and i for two moments in a frame
# Colour spaces: 420, 420jpeg, 420p10, mono, mono12 ... Their chroma has other places, but one size.
_COLOURS = re.compile(r"(420|422|444)(?:jpeg|mpeg2|paldv)?(?:p(9|10|12|14|16))?|(mono)(\d+)?")
_BITS = ("9", "10", "12", "14", "16")


class StreamFormat(NamedTuple):
    """What a stream holds.

    Attributes:
        header: The first line with its end; empty for bare frames.
        width: Samples of luma.
        height: Samples of luma.
        pixels: FFmpeg's name of the pixel format, e.g. "yuv420p10le".
        bits: Bits per sample, from 8 to 16.
        full_range: Whether samples use the full range of levels, not the limited one of TV.
        shapes: Rows and columns of each plane. The interleaved chroma of nv12 counts as one.
    """

    header: bytes
    width: int
    height: int
    pixels: str
    bits: int
    full_range: bool
    shapes: tuple[tuple[int, int], ...]


class StreamFrame(NamedTuple):
    """A frame of a stream.

    Attributes:
        line: The line in front of it with its end; empty for bare frames.
        planes: uint8 or uint16, one [H, W] for each of ``StreamFormat.shapes``.
    """

    line: bytes
    planes: tuple[np.ndarray, ...]


def y4m_format(line: bytes, name: str) -> StreamFormat:
    """Understand the first line of a YUV4MPEG2 stream.

    Args:
        line: With its end.
        name: The stream, for messages.

    Raises:
        VideoError: It is no such line, or the video is interlaced or of a kind that is not
            supported. The message says what to do.
    """
    words = line.rstrip(b"\n").split(b" ")
    if words[0] != MAGIC or not line.endswith(b"\n"):
        raise VideoError(
            f"{name}: is not YUV4MPEG2; make it with ffmpeg -i VIDEO -f yuv4mpegpipe -"
        )
    values = {word[:1]: word[1:].decode("latin-1") for word in words[1:] if word[:1] != b"X"}
    if values.get(b"I", "p") not in ("p", "?"):
        raise VideoError(
            f"{name}: is interlaced; make whole frames of it first, e.g. with ffmpeg -vf bwdif"
        )
    width, height = (_side(values.get(key, ""), name) for key in (b"W", b"H"))
    chroma, bits = _colours(values.get(b"C", "420"), name)
    pixels = f"yuv{chroma}p" if chroma else "gray"
    return StreamFormat(
        line,
        width,
        height,
        pixels if bits == 8 else f"{pixels}{bits}le",
        bits,
        b"XCOLORRANGE=FULL" in words,
        _shapes(width, height, chroma),
    )


def raw_format(size: str, pixels: str) -> StreamFormat:
    """Describe bare frames of 8 bits.

    Args:
        size: As in "1920x1080".
        pixels: One of ``RAW_FORMATS``.

    Raises:
        VideoError: The size is none.
    """
    across, _, down = size.partition("x")
    width, height = _side(across, "`raw_size`"), _side(down, "`raw_size`")
    luma, *chroma = _shapes(width, height, "420")
    if pixels == "nv12":
        rows, columns = chroma[0]
        chroma = [(rows, 2 * columns)]
    return StreamFormat(b"", width, height, pixels, 8, False, (luma, *chroma))


def _side(text: str, name: str) -> int:
    if re.fullmatch("[0-9]{1,5}", text) and 0 < int(text) <= LARGEST_SIDE:
        return int(text)
    raise VideoError(
        f"{name}: its width and height must be from 1 to {LARGEST_SIDE}, as in 1920x1080"
    )


def _colours(text: str, name: str) -> tuple[str, int]:
    """How chroma is subsampled ("420", or empty for none), and the bits per sample."""
    match = _COLOURS.fullmatch(text)
    if match is None or match[4] not in (None, *_BITS):
        raise VideoError(
            f"{name}: its colour space {text} is not supported; convert it, e.g. with ffmpeg"
            " -pix_fmt yuv420p"
        )
    return match[1] or "", int(match[2] or match[4] or 8)


def _shapes(width: int, height: int, chroma: str) -> tuple[tuple[int, int], ...]:
    rows = -(-height // 2) if chroma == "420" else height
    columns = width if chroma == "444" else -(-width // 2)
    return ((height, width), *([(rows, columns)] * 2 if chroma else []))


def read_line(file: FileIO) -> bytes:
    """Read up to the end of a line. Without an end it is cut short, or too long to be one."""
    return file.readline(LONGEST_LINE)


def read_frames(file: FileIO, stream: StreamFormat, name: str) -> Iterator[StreamFrame]:
    """Yield the frames that follow the header, each in memory of its own.

    Args:
        file: The stream, behind its header.
        stream: What it holds.
        name: The stream, for messages.

    Raises:
        VideoError: A frame is cut short, or something else stands in its place.
    """
    dtype = np.dtype(np.uint8 if stream.bits == 8 else "<u2")
    ends = np.cumsum([0, *(rows * columns for rows, columns in stream.shapes)])
    for number in itertools.count(1):
        line = read_line(file) if stream.header else b""
        if stream.header and not line:
            return
        whole = line.endswith(b"\n") or not stream.header
        if stream.header and whole and not _FRAME.fullmatch(line):
            raise VideoError(
                f"{name}: something else is in the place of frame {number}; all frames before it"
                " were enhanced"
            )
        if _INTERLACED_FRAME.search(line):
            raise VideoError(
                f"{name}: is interlaced from frame {number} on; make whole frames of it first, e.g."
                " with ffmpeg -vf bwdif"
            )
        samples = np.empty(ends[-1], dtype)
        found = _read_into(file, samples.data.cast("B")) if whole else 0
        if found == 0 and not stream.header:
            return
        if found < samples.nbytes:
            raise VideoError(
                f"{name}: is cut short in frame {number}; all frames before it were enhanced"
            )
        parts = zip(ends[:-1], ends[1:], stream.shapes, strict=True)
        yield StreamFrame(line, tuple(samples[a:b].reshape(shape) for a, b, shape in parts))


def _read_into(file: FileIO, memory: memoryview) -> int:
    """Fill ``memory`` as far as the file goes, and return the number of bytes."""
    done = 0
    while done < len(memory) and (count := file.readinto(memory[done:])):
        done += count
    return done


def write_all(file: FileIO, *parts: bytes | memoryview) -> None:
    """Write ``parts`` one after the other, each to its last byte."""
    for part in parts:
        rest = memoryview(part).cast("B")
        while rest:
            rest = rest[file.write(rest) :]


def write_frame(file: FileIO, frame: StreamFrame) -> None:
    """Write a frame with the line in front of it.

    Raises:
        OSError: The file cannot be written, or nobody reads the pipe any more.
    """
    planes = (np.ascontiguousarray(plane, plane.dtype.newbyteorder("<")) for plane in frame.planes)
    write_all(file, frame.line, *(plane.view(np.uint8).data for plane in planes))
