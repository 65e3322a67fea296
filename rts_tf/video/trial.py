"""Finds out before any work what an encoder and a container keep of the description of a video."""

import io
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from rts_tf.video.encoders import Coding, Packer, add_video
from rts_tf.video.ffmpeg_text import chroma_location
from rts_tf.video.hdr import Hdr
from rts_tf.video.info import UNSPECIFIED, VideoInfo, video_info, video_stream
from rts_tf.video.pixel_formats import planes_of
from rts_tf.video.reader import Frame

_SIDE = 64  # pixels of the frame that is tried; no description depends on the size
_SQUARE = Fraction(1)  # which players take if nothing is said
_ROUNDING = Fraction(1, 1000)  # of the shape of a pixel, which encoders write in small numbers


def can_encode(info: VideoInfo, coding: Coding, container: str) -> bool:
    """Whether an encoder takes frames of the size and format of ``info``, and the container both.

    Args:
        container: FFmpeg's name.
    """
    try:
        with av.open(io.BytesIO(), "w", format=container) as output:
            add_video(output, info, coding)
            output.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def lost_description(info: VideoInfo, coding: Coding, container: str) -> list[str]:
    """What a video does not say about its frames any more once it is written, in words.

    One frame is encoded and read again.

    Args:
        info: The video, in the format in which it is encoded.
        coding: How it is encoded.
        container: FFmpeg's name.

    Returns:
        Nothing if all is kept, or if the encoder fails, of which the rehearsal speaks.
    """
    try:
        return list(_differences(info, written_and_read(info, coding, container)))
    except (ValueError, av.error.FFmpegError):
        return []


def written_and_read(info: VideoInfo, coding: Coding, container: str) -> VideoInfo:
    """What a small video says that is written with the description of ``info``.

    Raises:
        ValueError: The container does not hold the codec.
        av.error.FFmpegError: The encoder or the container cannot write such a video.
    """
    small = info._replace(width=_SIDE, height=_SIDE)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = add_video(output, small, coding)
        planes = [
            np.zeros_like(plane)
            for plane in planes_of(av.VideoFrame(_SIDE, _SIDE, small.coded_format))
        ]
        alpha = planes.pop() if small.alpha else None
        frame = Packer(small)(Frame(0, tuple(planes), alpha), 0)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            packet.dts = packet.pts  # x265 gives any number if there are fewer than three frames
            output.mux(packet)
    file.seek(0)
    with av.open(file) as written:
        found = video_stream(written, info.path)
        chroma = chroma_location(written, found.index)
        return video_info(written, found, next(written.decode(found)), info.path, chroma)


def _differences(info: VideoInfo, found: VideoInfo) -> Iterator[str]:
    known, hdr, found_hdr = UNSPECIFIED, info.hdr or Hdr(), found.hdr or Hdr()
    if info.range_known and info.full_range != found.full_range:
        yield "its range of levels"
    if info.matrix not in (known, found.matrix):
        yield "its colour matrix"
    if info.primaries not in (known, found.primaries):
        yield "its colour primaries"
    if info.transfer not in (known, found.transfer):
        yield "its transfer function"
    subsampled = info.format.startswith("yuv420")
    if subsampled and info.chroma_location not in ("", found.chroma_location):
        yield f"the place of its chroma samples ({info.chroma_location})"
    if hdr.display and not found_hdr.display:
        yield "its mastering display (HDR metadata)"
    if hdr.light and hdr.light != found_hdr.light:
        yield "its content light level (HDR metadata)"
    if abs((info.aspect or _SQUARE) - (found.aspect or _SQUARE)) > _ROUNDING:
        # PyAV has no way to name it to the containers that keep it beside the stream of an encoder.
        yield f"the aspect ratio of its pixels ({info.aspect.numerator}:{info.aspect.denominator})"
