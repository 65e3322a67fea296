"""What a file says about its video: size, pixel format, colours, times and length."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from rts_tf.errors import VideoError
from rts_tf.video.hdr import Hdr, hdr_of
from rts_tf.video.pixel_formats import COMMON, bits_of, is_rgb, nearest_format, with_alpha
from rts_tf.video.side_data import contents_of, types_of

FULL_RANGE = 2  # AVColorRange
# AVColorSpace. The first is also the number of its primaries and of its transfer function.
BT709, UNSPECIFIED, BT470BG, SMPTE170M = 1, 2, 5, 6
# Players take unmarked video of at least this height for BT.709, and smaller video for BT.601.
HEIGHT_OF_BT709 = 720


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
        hdr: The display that HDR video was graded on; None if the file does not say it.
        time_base: The unit of times in seconds.
        length: Length in the time base; 0 if the file does not say it.
        rate: Frames per second, on average.
        estimate: About how many frames there are.
        codec: FFmpeg's name of the codec of the file.
        range_known: Whether the file says which range samples use. Players take limited range.
        chroma_location: FFmpeg's name of the place of chroma samples; empty if unknown.
        alpha: Whether the transparency of frames is encoded beside ``format``.
        side_data: FFmpeg's types of what the first frame carries beside its samples.
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
    hdr: Hdr | None
    time_base: Fraction
    length: int
    rate: Fraction
    estimate: int
    codec: str = ""
    range_known: bool = True
    chroma_location: str = ""
    alpha: bool = False
    side_data: tuple[str, ...] = ()

    @property
    def coded_format(self) -> str:
        """The format that is encoded: ``format``, with a plane of alpha if there is ``alpha``."""
        return with_alpha(self.format) if self.alpha else self.format

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
    container: InputContainer, stream: VideoStream, first: av.VideoFrame, path: str, chroma: str
) -> VideoInfo:
    """What the header and the first decoded frame of a file say.

    Args:
        container: The open file.
        stream: Its video.
        first: The frame.
        path: The file, for messages.
        chroma: By :func:`rts_tf.video.ffmpeg_text.chroma_location`, before anything was decoded.

    Raises:
        VideoError: Its pixel format is like none that is supported.
    """
    index = stream.index
    full_range, colours = _colours(first)
    side_data = dict(contents_of(first))
    hdr = hdr_of(side_data)
    time_base = stream.time_base or Fraction(0)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    seconds = (stream.duration or 0) * time_base or (container.duration or 0) / av.time_base
    return VideoInfo(
        path=path,
        stream_index=index,
        width=first.width,
        height=first.height,
        source_format=first.format.name,
        format=nearest_format(first.format.name, COMMON, path),
        full_range=full_range,
        matrix=colours[0],
        primaries=colours[1],
        transfer=colours[2],
        aspect=stream.sample_aspect_ratio or Fraction(0),
        display_matrix=_display_matrix(side_data),
        hdr=hdr if any(hdr) else None,
        time_base=time_base,
        length=stream.duration or 0,
        rate=rate,
        estimate=stream.frames or max(1, round(float(seconds * rate))),
        codec=stream.codec_context.codec.canonical_name,
        range_known=is_rgb(first.format.name) or full_range or first.color_range != 0,
        chroma_location="" if is_rgb(first.format.name) else chroma,
        side_data=tuple(sorted(types_of(first))),
    )


def _colours(frame: av.VideoFrame) -> tuple[bool, tuple[int, int, int]]:
    """Whether the converted frames are of full range, and their matrix, primaries and transfer."""
    matrix, primaries, transfer = frame.colorspace, frame.color_primaries, frame.color_trc
    if is_rgb(frame.format.name):  # which is converted to BT.709 in limited range
        known = [BT709 if value == UNSPECIFIED else value for value in (primaries, transfer)]
        return False, (BT709, known[0], known[1])
    full_range = frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
    return full_range, (matrix, primaries, transfer)


def _display_matrix(side_data: dict[str, bytes]) -> tuple[int, ...] | None:
    found = side_data.get("DISPLAYMATRIX")
    return struct.unpack("=9i", found) if found else None
