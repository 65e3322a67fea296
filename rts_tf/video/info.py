"""What a file says about its video: size, pixel format, colours, times and length."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from rts_tf.errors import VideoError
from rts_tf.video.pixel_formats import COMMON, bits_of, is_rgb, nearest_format

FULL_RANGE = 2  # AVColorRange
# AVColorSpace. The first is also the number of its primaries and of its transfer function.
BT709, UNSPECIFIED, BT470BG, SMPTE170M = 1, 2, 5, 6
# Players take unmarked video of at least this height for BT.709, and smaller video for BT.601.
HEIGHT_OF_BT709 = 720
_HDR = (
    "MASTERING_DISPLAY_METADATA",
    "CONTENT_LIGHT_LEVEL",
    "DYNAMIC_HDR_PLUS",
    "DOVI_METADATA",
    "DOVI_RPU_BUFFER",
)


class VideoInfo(NamedTuple):
    """The video stream of a file, as its header and its first frame describe it.

    Attributes:
        path: The file.
        stream_index: The number of the stream in the file.
        width: Pixels.
        height: Pixels.
        source_format: FFmpeg's name of the pixel format of the decoded frames.
        format: The planar format, Y or YUV in 8 to 16 bits, to which frames are converted.
        full_range: Whether samples use the full range of levels, not the limited one of TV.
        matrix: AVColorSpace, from RGB to YUV.
        primaries: AVColorPrimaries.
        transfer: AVColorTransferCharacteristic.
        aspect: Width of a pixel over its height; 0 if unknown.
        display_matrix: Rotation and mirroring for the player, if there is any.
        hdr: Whether the frames carry HDR metadata.
        time_base: The unit of times in seconds.
        length: Length in the time base; 0 if the file does not say it.
        rate: Frames per second, on average.
        estimate: About how many frames there are.
        codec: FFmpeg's name of the codec of the file.
    """

    path: str
    stream_index: int
    width: int
    height: int
    source_format: str
    format: str
    full_range: bool
    matrix: int
    primaries: int
    transfer: int
    aspect: Fraction
    display_matrix: tuple[int, ...] | None
    hdr: bool
    time_base: Fraction
    length: int
    rate: Fraction
    estimate: int
    codec: str = ""

    @property
    def bits(self) -> int:
        """Bits per sample of ``format``."""
        return bits_of(self.format)

    @property
    def megapixels(self) -> float:
        """Megapixels of a frame."""
        return self.width * self.height / 1e6

    @property
    def marked_matrix(self) -> int:
        """The matrix; if the file does not say it, the one that players assume."""
        if self.matrix != UNSPECIFIED:
            return self.matrix
        return BT709 if self.height >= HEIGHT_OF_BT709 else SMPTE170M

    def in_format_of(self, formats: Sequence[str]) -> "VideoInfo":
        """Return this with the one of ``formats`` that is nearest to the source format.

        Raises:
            VideoError: None of ``formats`` is planar and similar.
        """
        return self._replace(format=nearest_format(self.source_format, formats, self.path))


def video_stream(container: InputContainer, path: str) -> VideoStream:
    """The video stream of an open file; cover images do not count.

    Raises:
        VideoError: There is none, or there is no decoder for it.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        raise VideoError(f"{path}: has no video stream")
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    if stream.codec_context is None:
        raise VideoError(f"{path}: there is no decoder for its video stream")
    return stream


def video_info(
    container: InputContainer, stream: VideoStream, first: av.VideoFrame, path: str
) -> VideoInfo:
    """What the header and the first decoded frame of a file say.

    Raises:
        VideoError: The video is interlaced, or its pixel format is like none that is supported.
    """
    if first.interlaced_frame:
        raise VideoError(
            f"{path}: is interlaced; make whole frames of it first, e.g. with FFmpeg's filter bwdif"
        )
    full_range, colours = _colours(first)
    time_base = stream.time_base or Fraction(0)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    seconds = (stream.duration or 0) * time_base or (container.duration or 0) / av.time_base
    return VideoInfo(
        path=path,
        stream_index=stream.index,
        width=first.width,
        height=first.height,
        source_format=first.format.name,
        format=nearest_format(first.format.name, COMMON, path),
        full_range=full_range,
        matrix=colours[0],
        primaries=colours[1],
        transfer=colours[2],
        aspect=stream.sample_aspect_ratio or Fraction(0),
        display_matrix=_display_matrix(first),
        hdr=any(data.type.name in _HDR for data in _side_data(first)),
        time_base=time_base,
        length=stream.duration or 0,
        rate=rate,
        estimate=stream.frames or max(1, round(float(seconds * rate))),
        codec=stream.codec_context.name,
    )


def _colours(frame: av.VideoFrame) -> tuple[bool, tuple[int, int, int]]:
    """Whether the converted frames are of full range, and their matrix, primaries and transfer."""
    matrix, primaries, transfer = frame.colorspace, frame.color_primaries, frame.color_trc
    if is_rgb(frame.format.name):  # which is converted to BT.709 in limited range
        known = [BT709 if value == UNSPECIFIED else value for value in (primaries, transfer)]
        return False, (BT709, known[0], known[1])
    full_range = frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
    return full_range, (matrix, primaries, transfer)


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    for data in _side_data(frame):
        if data.type.name == "DISPLAYMATRIX":
            return struct.unpack("=9i", bytes(data))
    return None


def _side_data(frame: av.VideoFrame) -> Any:
    return frame.side_data  # PyAV's types take its items for strings
