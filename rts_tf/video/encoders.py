"""The video encoders: their settings, and streams that encode a video with them."""

import os
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.filter import Graph
from av.video.stream import VideoStream

from rts_tf.video.filters import filter_graph
from rts_tf.video.info import UNSPECIFIED, VideoInfo
from rts_tf.video.pixel_formats import planes_of
from rts_tf.video.presets import preset_options
from rts_tf.video.reader import Frame
from rts_tf.video.scheduling import usual_scheduling

GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER

# Frames bring closed captions and what programs wrote into them, which the encoders then keep.
_SIDE_DATA_OPTIONS = {"h264": {"udu_sei": "1"}, "hevc": {"udu_sei": "1", "a53cc": "1"}}
_LEFT_BY_ITSELF = ("h264", "hevc")  # chroma lies left in them if they do not say where
_LAST_PRIMARIES = 12  # AVColorPrimaries that x265 knows; it fails with later ones
_SLICED = 32  # samples a side, from which FFV1 always has room for slices
THREADS = 2  # of the encoder. The number is fixed, since the output of x264 and x265 depends on it
# FFmpeg puts other codecs into a .ts file too, but as data, which it does not recognize again.
_TRANSPORT_STREAM_CODECS = ("h264", "hevc")
# x265 writes beyond its memory for narrower frames, such as 48x32.
_NARROWEST_HEVC = 64
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

    def options_for(self, info: VideoInfo) -> dict[str, str]:
        """The options that the video ``info`` adds to ``options``; most add none."""
        return (
            _options_of_description(self.codec, info)
            | _options_of_alpha(self.codec, info)
            | _options_of_size(self.codec, info)
        )


def _options_of_description(codec: str, info: VideoInfo) -> dict[str, str]:
    """Options for what the video says about its colours beside the fields of the encoder."""
    options: dict[str, str] = {}
    by_itself = info.chroma_location == "left" and codec in _LEFT_BY_ITSELF
    if info.chroma_location and not by_itself:
        options["chroma_sample_location"] = info.chroma_location
    if info.hdr and (found := info.hdr.options(codec)):
        _add(options, dict([found]))
    undescribed = {info.primaries, info.transfer, info.matrix} == {UNSPECIFIED}
    if codec == "h264" and undescribed and info.range_known and not info.full_range:
        # Only with another field of its group does x264 write that the range is limited.
        _add(options, {"x264-params": "videoformat=component"})
    return options


def _add(options: dict[str, str], others: dict[str, str]) -> None:
    """Add ``others`` to ``options``. An encoder's own parameters are one option."""
    for name, value in others.items():
        before = options.get(name)
        options[name] = f"{before}:{value}" if before and name.endswith("-params") else value


def _options_of_alpha(codec: str, info: VideoInfo) -> dict[str, str]:
    # libvpx cannot look ahead with two encoders, for the colours and for alpha, in step.
    return {"auto-alt-ref": "0"} if info.alpha and codec == "vp9" else {}


def _options_of_size(codec: str, info: VideoInfo) -> dict[str, str]:
    # Slices of FFV1 cannot part frames whose chroma has half a sample at the border.
    odd = info.width % 2 or info.height % 2 or min(info.width, info.height) < _SLICED
    return {"slices": "1"} if odd and codec == "ffv1" else {}


def add_video(
    container: OutputContainer, info: VideoInfo, coding: Coding, global_header: bool = True
) -> VideoStream:
    """Add a stream to ``container`` with an encoder for the video ``info``.

    Args:
        container: Where it is added.
        info: The video.
        coding: How it is encoded.
        global_header: Whether the header of the encoder may be stored once in front of the stream,
            as the container wants it, and not with every key frame.

    Raises:
        ValueError: The container cannot hold what the encoder makes.
        av.error.FFmpegError: The encoder of AV1 cannot be opened. Others are opened later.
    """
    encoder = coding.encoder
    if container.format.name == "mpegts" and coding.codec not in _TRANSPORT_STREAM_CODECS:
        raise ValueError(f"'mpegts' format does not support '{encoder.name}' codec")
    if coding.codec == "hevc" and info.width < _NARROWEST_HEVC:
        raise ValueError(f"'{encoder.name}' needs {_NARROWEST_HEVC} pixels of width")
    options = coding.options | ({} if coding.crf is None else {"crf": str(coding.crf)})
    _add(options, _SIDE_DATA_OPTIONS.get(coding.codec, {}) | coding.options_for(info))
    if coding.codec == "h264" and info.bits > 8:
        # With the macroblock tree, one run in thirty would give other frames.
        options["mbtree"] = "0"
    stream = container.add_stream(
        encoder.name, rate=info.rate, options=options, width=info.width, height=info.height
    )
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    context.pix_fmt, context.time_base = info.coded_format, info.time_base
    context.thread_count = THREADS
    context.color_range, context.colorspace = _range_of(info), info.matrix
    known = coding.codec != "hevc" or info.primaries <= _LAST_PRIMARIES
    context.color_primaries = info.primaries if known else UNSPECIFIED
    context.color_trc = info.transfer
    if info.aspect:
        context.sample_aspect_ratio = info.aspect
    if coding.codec == "hevc" and container.format.name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # without it Apple's players show nothing
    stream.time_base = info.time_base
    stream.set_display_matrix(info.display_matrix)
    if info.alpha and coding.codec == "vp9":
        stream.metadata["alpha_mode"] = "1"
    if not global_header:
        context.flags &= ~GLOBAL_HEADER
    if coding.codec == "av1":
        with usual_scheduling():
            context.open(strict=False)
    return stream


class Packer:
    """Makes frames for the encoder of a video."""

    def __init__(self, info: VideoInfo):
        """Prepare for frames of the video ``info``."""
        self._info = info
        self._copies: Graph | None = None

    def __call__(self, frame: Frame, delay: int) -> av.VideoFrame:
        """Return a frame for the encoder.

        Args:
            frame: With planes in ``info.format``.
            delay: What to add to its time, in the time base of the video.
        """
        info = self._info
        if frame.source is None:
            result = av.VideoFrame(info.width, info.height, info.coded_format)
        else:
            result = self._copy_of(frame.source)
        result.pts, result.time_base = frame.time + delay, info.time_base
        result.color_range, result.colorspace = _range_of(info), info.matrix
        planes = frame.planes if frame.alpha is None else (*frame.planes, frame.alpha)
        for view, plane in zip(planes_of(result), planes, strict=True):
            np.copyto(view, plane)
        return result

    def _copy_of(self, source: av.VideoFrame) -> av.VideoFrame:
        """A frame with the side data of ``source``, whose samples may be written over.

        PyAV cannot give side data to a frame, but FFmpeg's filters pass them on.
        """
        if self._copies is None:
            self._copies = filter_graph(source, ("copy", {}))
        self._copies.push(source)
        result = self._copies.vpull()
        result.pict_type = 0  # the encoder decides
        return result


def _range_of(info: VideoInfo) -> int:
    """AVColorRange."""
    if not info.range_known:
        return 0
    return 2 if info.full_range else 1
