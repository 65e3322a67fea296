"""The video encoders: their settings, and streams that encode a video with them."""

import os
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from rts_tf.video.info import VideoInfo
from rts_tf.video.pixel_formats import planes_of
from rts_tf.video.presets import preset_options
from rts_tf.video.reader import Frame

THREADS = 2  # of the encoder. The number is fixed, since the output of x264 and x265 depends on it
# FFmpeg puts other codecs into a .ts file too, but as data, which it does not recognize again.
_TRANSPORT_STREAM_CODECS = ("h264", "hevc")
_AVX_512F = 13  # of cv2.checkHardwareSupport


class Encoder(NamedTuple):
    """An encoder of FFmpeg.

    Attributes:
        name: FFmpeg's name.
        crf: The default of the rate factor, about visually lossless; None if there is no such
            setting.
        options: All other settings.
    """

    name: str
    crf: int | None
    options: dict[str, str]


# With AVX-512, x264's macroblock tree of 8 bits depends on uninitialised memory, unless a row has a
# multiple of 8 macroblocks: no two runs would give the same video. Without these instructions it
# does not, and all others give the same output as each other.
REPEATABLE = {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_AVX_512F) else {}

os.environ.setdefault("SVT_LOG", "0")  # SVT-AV1 otherwise prints its settings
ENCODERS = {
    "h264": Encoder("libx264", 17, {"preset": "medium"} | REPEATABLE),
    "hevc": Encoder(
        "libx265",
        19,
        {"preset": "fast", "x265-params": f"log-level=none:pools={THREADS}:frame-threads=1"},
    ),
    "vp9": Encoder("libvpx-vp9", 24, {"deadline": "good", "cpu-used": "4", "row-mt": "1"}),
    "av1": Encoder("libsvtav1", 25, {"preset": "8", "svtav1-params": f"lp={THREADS}"}),
    "ffv1": Encoder("ffv1", None, {"level": "3", "slices": "4"}),
}


class Coding(NamedTuple):
    """How frames are encoded.

    Attributes:
        codec: A key of ``ENCODERS``.
        crf: The rate factor, or None if the encoder has none.
        preset: One of ``rts_tf.video.presets.PRESETS``; empty for that of the encoder.
    """

    codec: str
    crf: int | None
    preset: str = ""

    @property
    def encoder(self) -> Encoder:
        """The encoder of the codec."""
        return ENCODERS[self.codec]

    @property
    def options(self) -> dict[str, str]:
        """FFmpeg's options of the encoder, but for the rate factor."""
        return self.encoder.options | preset_options(self.codec, self.preset)

    def formats(self) -> tuple[str, ...]:
        """The pixel formats that the encoder takes."""
        codec = av.codec.Codec(self.encoder.name, "w")
        return tuple(pixel_format.name for pixel_format in codec.video_formats or ())


def add_video(container: OutputContainer, info: VideoInfo, coding: Coding) -> VideoStream:
    """Add a stream to ``container`` with an encoder for the video ``info``.

    Raises:
        ValueError: The container cannot hold what the encoder makes.
    """
    encoder = coding.encoder
    if container.format.name == "mpegts" and coding.codec not in _TRANSPORT_STREAM_CODECS:
        raise ValueError(f"'mpegts' format does not support '{encoder.name}' codec")
    options = coding.options | ({} if coding.crf is None else {"crf": str(coding.crf)})
    if coding.codec == "h264" and info.bits > 8:
        # With the macroblock tree, one run in thirty would give other frames.
        options["mbtree"] = "0"
    stream = container.add_stream(
        encoder.name, rate=info.rate, options=options, width=info.width, height=info.height
    )
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    context.pix_fmt, context.time_base, context.thread_count = info.format, info.time_base, THREADS
    context.color_range, context.colorspace = _range_of(info), info.matrix
    context.color_primaries, context.color_trc = info.primaries, info.transfer
    if info.aspect:
        context.sample_aspect_ratio = info.aspect
    if coding.codec == "hevc" and container.format.name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # without it Apple's players show nothing
    stream.time_base = info.time_base
    stream.set_display_matrix(info.display_matrix)
    return stream


def packed(frame: Frame, info: VideoInfo, delay: int) -> av.VideoFrame:
    """Return a frame for the encoder.

    Args:
        frame: With planes in ``info.format``.
        info: The video that it is of.
        delay: What to add to its time, in the time base of the video.
    """
    result = av.VideoFrame(info.width, info.height, info.format)
    result.pts, result.time_base = frame.time + delay, info.time_base
    result.color_range, result.colorspace = _range_of(info), info.matrix
    for view, plane in zip(planes_of(result), frame.planes, strict=True):
        np.copyto(view, plane)
    return result


def _range_of(info: VideoInfo) -> int:
    """AVColorRange."""
    return 2 if info.full_range else 1
