"""Films: what a file holds, and its frames with their times and all that belongs to them. Through PyAV, that is FFmpeg."""

import contextlib
import hashlib
import os
import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
import av.logging
import numpy as np

from rts_tf.errors import VideoError

FULL_RANGE = 2  # AVColorRange
BT709, BT470BG, SMPTE170M = (
    1,
    5,
    6,
)  # AVColorSpace; the first is also the number of its primaries and its transfer
HEIGHT_OF_BT709 = (
    720  # players take unmarked films from this height on for BT.709, and smaller ones for BT.601
)
_RECORD_THEIR_LENGTH = {"matroska", "mov", "avi", "asf"}  # of others FFmpeg estimates it
_MISSING = 0.5  # seconds that may be missing before a film counts as cut short, and a hundredth of its length; or in a gap
_PLANAR = re.compile(r"(gray|yuvj?(420|422|444)p)(9|10|12|14|16)?(le)?")

av.logging.set_level(None)  # FFmpeg's own lines about damage: what matters is raised


class Film(NamedTuple):
    """The video stream of a file that is to be enhanced, as its first frame has it."""

    path: str
    index: int  # of the stream
    width: int
    height: int
    source_format: str  # FFmpeg's name of the pixel format
    format: str  # the planar one, Y or YUV in 8 to 16 bits, in which ``frames`` gives it
    full_range: bool
    matrix: int  # AVColorSpace
    primaries: int
    transfer: int
    aspect: Fraction  # of a pixel, 0 if unknown
    display_matrix: tuple[int, ...] | None  # rotation and mirroring for the player
    hdr: bool  # whether it says more about its brightness than ``transfer``
    time_base: Fraction  # seconds
    length: int  # in the time base, 0 if its file does not say it
    rate: Fraction  # frames a second, on the average
    estimate: int  # how many frames there are about

    @property
    def bits(self) -> int:
        return bits_of(self.format)

    @property
    def marked_matrix(self) -> int:
        """The matrix, guessed as players do if the film does not say it."""
        if self.matrix != 2:
            return self.matrix
        return BT709 if self.height >= HEIGHT_OF_BT709 else SMPTE170M


class Survey(NamedTuple):
    """What a look at all packets of a film, decoding none, shows."""

    digest: str  # of everything that is to be decoded, and its times
    packets: int  # about as many as there are frames
    durations: dict[int, int]  # of packets by their time, both in the film's time base


class Frame(NamedTuple):
    """A decoded frame; ``time`` in the film's time base, later than that of the frame before."""

    time: int
    planes: tuple[np.ndarray, ...]  # uint8 or uint16 [H, W] Y, and [h, w] Cb, Cr


class Gap(NamedTuple):
    """Where frames are missing since a film is damaged."""

    start: float  # seconds from its first frame
    length: float  # seconds


def bits_of(pixel_format: str) -> int:
    """Bits of a sample of a planar format."""
    return int(_PLANAR.fullmatch(pixel_format)[3] or 8)


def open_file(path: str | os.PathLike, mode: str = "r", **options) -> "av.container.Container":
    """``av.open`` by the absolute path: FFmpeg takes what stands in front of the colon in ``12:30.mp4`` for a protocol."""
    return av.open(os.path.abspath(path), mode, metadata_errors="replace", **options)


@contextlib.contextmanager
def opened(path: str | os.PathLike) -> Iterator["av.container.InputContainer"]:
    """The open file; what FFmpeg says about it is raised as VideoError with its name."""
    try:
        with open_file(path) as container:
            yield container
    except av.error.FFmpegError as error:
        empty = os.path.isfile(path) and not os.path.getsize(path)
        reason = "is empty" if empty else f"cannot be read as a film ({error.strerror})"
        raise VideoError(f"{os.fspath(path)}: {reason}") from None


def probe(path: str | os.PathLike) -> Film:
    """What is in a file, from its header and its first frame.

    Raises:
        VideoError: names the file and why: it cannot be read, has no video stream, is interlaced.
    """
    name = os.fspath(path)
    with opened(path) as container:
        streams = [
            s
            for s in container.streams.video
            if not s.disposition & av.stream.Disposition.attached_pic
        ]
        if not streams:
            raise VideoError(f"{name}: has no video stream")
        stream = container.streams.best("video")
        stream = stream if stream in streams else streams[0]
        if stream.codec_context is None:
            raise VideoError(f"{name}: there is no decoder for its video stream")
        stream.thread_type = "AUTO"
        first = next((frame for frame, _ in _decoded(container, stream, name)), None)
        if first is None:
            raise VideoError(f"{name}: has no frame that can be decoded")
        if first.interlaced_frame:
            raise VideoError(
                f"{name}: is interlaced; make whole frames of it first, such as with FFmpeg's filter bwdif"
            )
        source = first.format.name
        full = first.color_range == FULL_RANGE or source.startswith("yuvj")
        colours = first.colorspace, first.color_primaries, first.color_trc
        if first.format.is_rgb or source == "pal8":
            full, colours = (
                False,
                (
                    BT709,
                    colours[1] if colours[1] != 2 else BT709,
                    colours[2] if colours[2] != 2 else BT709,
                ),
            )
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        seconds = (stream.duration or 0) * (stream.time_base or 0) or (
            container.duration or 0
        ) / av.time_base
        return Film(
            path=name,
            index=stream.index,
            width=first.width,
            height=first.height,
            source_format=source,
            format=_nearest(source, _COMMON, name),
            full_range=full,
            matrix=colours[0],
            primaries=colours[1],
            transfer=colours[2],
            aspect=stream.sample_aspect_ratio or Fraction(0),
            display_matrix=_display_matrix(first),
            hdr=any(data.type.name in _HDR for data in first.side_data),
            time_base=stream.time_base,
            length=stream.duration or 0,
            rate=rate,
            estimate=stream.frames or max(1, round(float(seconds * rate))),
        )


def suited(film: Film, formats: tuple[str, ...]) -> Film:
    """``film`` with its own pixel format, or the nearest of ``formats``, those that an encoder takes.

    Raises:
        VideoError: there is no planar one among them.
    """
    return film._replace(format=_nearest(film.source_format, formats, film.path))


def _nearest(source: str, wanted: tuple[str, ...], name: str) -> str:
    own = re.sub("^yuvj", "yuv", source)
    formats = [name for name in wanted if _PLANAR.fullmatch(name) and not name.startswith("yuvj")]
    if own in formats:
        return own
    found, _ = av.codec.codec.find_best_pix_fmt_of_list(formats, source)
    if found is None:
        raise VideoError(
            f"{name}: the encoder knows nothing like its pixel format {source}; name another --codec"
        )
    return found.name


_COMMON = (
    *(f"yuv{chroma}p{bits}" for bits in ("", "10le", "12le") for chroma in (420, 422, 444)),
    "gray",
    "gray10le",
)
_HDR = (
    "MASTERING_DISPLAY_METADATA",
    "CONTENT_LIGHT_LEVEL",
    "DYNAMIC_HDR_PLUS",
    "DOVI_METADATA",
    "DOVI_RPU_BUFFER",
)


def _display_matrix(frame: "av.VideoFrame") -> tuple[int, ...] | None:
    return next(
        (
            struct.unpack("=9i", bytes(data))
            for data in frame.side_data
            if data.type.name == "DISPLAYMATRIX"
        ),
        None,
    )


def survey(film: Film) -> Survey:
    """Read all packets of the file.

    Raises:
        VideoError: the file is cut short, or cannot be read to its end.
    """
    digest, durations, packets, left_out, end = hashlib.sha256(), {}, 0, 0, 0.0
    with opened(film.path) as container:
        for packet in container.demux():
            if packet.size == 0 and packet.dts is None:  # the end of a stream
                continue
            time, duration = (
                packet.pts if packet.pts is not None else packet.dts,
                packet.duration or 0,
            )
            if packet.stream_index == film.index:
                if packet.is_corrupt:
                    raise VideoError(f"{film.path}: is damaged at {clock(end)} or cut short there")
                digest.update(packet)
                digest.update(f"{packet.pts} {packet.dts}".encode())
                if packet.is_discard:  # by a cut that its file only notes
                    left_out += 1
                    continue
                packets += 1
                if time is not None and duration:
                    durations[time] = duration
            if time is not None:
                end = max(end, float((time + duration) * packet.time_base))
        formats = set(container.format.name.split(","))
        start = (container.start_time or 0) / av.time_base
        length = (container.duration or 0) / av.time_base if formats & _RECORD_THEIR_LENGTH else 0
        expected = max((s.frames for s in container.streams if s.index == film.index), default=0)
    if length - (end - start) > _MISSING + 0.01 * length or (
        "mov" in formats and packets + left_out < 0.99 * expected
    ):
        raise VideoError(
            f"{film.path}: is cut short, at {clock(end - start)} of {clock(length)}; to enhance what is there, copy it"
            " into another file first (ffmpeg -i FILM -c copy OTHER)"
        )
    return Survey(digest.hexdigest(), packets, durations)


def frames(film: Film, first: int = 0, gaps: list[Gap] | None = None) -> Iterator[Frame]:
    """The frames in the order in which they are shown, from the one numbered ``first`` on.

    All before it are decoded too, since few formats can be entered at a frame: a hundredth of the time that the network
    took for them.

    Args:
        gaps: gets those of the whole film that lie beside a frame which the decoder calls corrupt: without such a one, frames
            far apart are those of a film of variable rate.

    Raises:
        VideoError: a frame that cannot be decoded, or is of another size or kind than the first.
    """
    start = last = duration = None
    damaged = False
    with opened(film.path) as container:
        stream = container.streams[film.index]
        stream.thread_type = "AUTO"
        for number, (frame, length) in enumerate(_decoded(container, stream, film.path)):
            if (frame.width, frame.height, frame.format.name) != (
                film.width,
                film.height,
                film.source_format,
            ):
                now = f"{frame.width}x{frame.height} {frame.format.name}"
                raise VideoError(
                    f"{film.path}: changes to {now} at frame {number}; cut it there, and enhance the parts"
                )
            duration = length or duration or max(1, round(1 / (film.rate * film.time_base)))
            time = frame.pts
            if last is not None and (
                time is None or time <= last
            ):  # no file may hold two frames of one time
                time = last + (duration if time is None else 1)
            time = time or 0
            start = time if start is None else start
            missing = float((time - (start if last is None else last + duration)) * film.time_base)
            if gaps is not None and missing > _MISSING and (damaged or frame.is_corrupt):
                gaps.append(Gap(float((last - start) * film.time_base), missing))
            last, damaged = time, frame.is_corrupt
            if number >= first:
                yield Frame(last, planes_of(_converted(frame, film)))


def _decoded(container, stream, name: str) -> Iterator[tuple["av.VideoFrame", int]]:
    """Frames, and the duration of the packet (0 if unknown) after which each came."""
    number = 0
    for packet in container.demux(stream):
        try:
            found = packet.decode()
        except av.error.InvalidDataError as error:
            if number == 0:  # a recording may begin in the middle of a group of pictures
                continue
            raise VideoError(
                f"{name}: is damaged after frame {number} ({error.strerror}); repair it first"
            ) from None
        for frame in found:
            number += 1
            yield frame, packet.duration or 0


def _converted(frame: "av.VideoFrame", film: Film) -> "av.VideoFrame":
    if film.format == re.sub("^yuvj", "yuv", film.source_format):
        return frame
    if frame.format.is_rgb or film.source_format == "pal8":
        return frame.reformat(format=film.format, dst_colorspace="ITU709", dst_color_range="MPEG")
    of = "JPEG" if film.full_range else "MPEG"
    return frame.reformat(format=film.format, src_color_range=of, dst_color_range=of)


def planes_of(frame: "av.VideoFrame") -> tuple[np.ndarray, ...]:
    """Views of the planes of a planar frame, uint8 or uint16 [H, W], to read or to write."""
    dtype = np.dtype(np.uint8 if bits_of(frame.format.name) == 8 else np.uint16)
    views = []
    for plane in frame.planes:
        samples = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // dtype.itemsize)
        views.append(samples[: plane.height, : plane.width])
    return tuple(views)


def clock(seconds: float) -> str:
    """A place in a film, such as 1:02:03.4."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
