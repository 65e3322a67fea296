"""Passes images through the codecs that people's images and videos come through, and back.

JPEG and WebP go through Pillow. The video codecs go through the FFmpeg of PyAV (the extra
``video``), as a short sequence, since most frames of a video are predicted from others and have
other artifacts than a frame that is coded alone. Everything happens in memory and in one thread, so
that one machine gives the same result every time. Another kind of CPU or another build of FFmpeg
may round elsewhere: x265, SVT-AV1 and the conversion of colours have code for each instruction set.
"""

import fractions
import io
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from rts_tf.errors import ConfigError
from rts_tf.video.scheduling import usual_scheduling

try:
    import av
except ImportError:  # only the video codecs need it
    av = None  # type: ignore[assignment]

SUBSAMPLING = {"4:4:4": 0, "4:2:0": 2}  # Pillow's numbers
RATE = fractions.Fraction(25)  # frames in a second, which the rate control of encoders heeds


class _VideoCodec(NamedTuple):
    """A video codec in FFmpeg.

    Attributes:
        encoder: Its name.
        decoder: Likewise.
        options: Of the encoder, besides the CRF. All keep it to one thread.
        scale: The CRF of this codec is ``scale * crf + offset`` where x264's is ``crf``; about
            that gives artifacts of the same strength.
        offset: See ``scale``.
    """

    encoder: str
    decoder: str
    options: dict[str, str]
    scale: float = 1.0
    offset: float = 0.0


# x264 is kept to instructions that every CPU of the last ten years has.
VIDEO_CODECS = {
    "h264": _VideoCodec(
        "libx264", "h264", {"preset": "veryfast", "x264-params": "asm=AVX2:threads=1"}
    ),
    "hevc": _VideoCodec(
        "libx265",
        "hevc",
        {"preset": "superfast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
        offset=4,
    ),
    "av1": _VideoCodec(
        "libsvtav1", "libdav1d", {"preset": "10", "svtav1-params": "lp=1"}, scale=1.6
    ),
}
CODECS = ("jpeg", "webp", *VIDEO_CODECS)


def jpeg(image: np.ndarray, quality: int, subsampling: str = "4:2:0") -> np.ndarray:
    """Compress and decompress uint8 [H, W, 3] as baseline JPEG.

    Args:
        quality: From 1 to 100, as libjpeg counts.
        subsampling: Of chroma, ``"4:2:0"`` or ``"4:4:4"``.
    """
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=SUBSAMPLING[subsampling])
    return np.asarray(Image.open(file).convert("RGB"))


def webp(image: np.ndarray, quality: int) -> np.ndarray:
    """Compress and decompress uint8 [H, W, 3] as lossy WebP of a quality from 1 to 100."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "WEBP", quality=quality, method=2)
    return np.asarray(Image.open(file).convert("RGB"))


def video(frames: Sequence[np.ndarray], codec: str, crf: float) -> list[np.ndarray]:
    """Encode and decode a short video with 4:2:0 chroma, limited range, by the matrix of BT.709.

    Args:
        frames: uint8 [H, W, 3] of one size, at least 64 pixels a side, in the order of time.
        codec: A key of ``VIDEO_CODECS``.
        crf: The quality on the scale of x264, from 0 to 51. Other codecs get what this corresponds
            to on their own scale.

    Returns:
        The decoded frames, in the order of time.

    Raises:
        ConfigError: PyAV is not installed.
    """
    if av is None:
        raise ConfigError(
            f"`codecs`={codec}: video codecs need PyAV; pip install 'rts_tf[video]', or choose"
            " among jpeg and webp."
        )
    os.environ.setdefault("SVT_LOG", "0")  # SVT-AV1 otherwise prints its settings
    kind = VIDEO_CODECS[codec]
    height, width = frames[0].shape[:2]
    even = height + height % 2, width + width % 2
    encoder: Any = av.CodecContext.create(kind.encoder, "w")
    encoder.width, encoder.height, encoder.pix_fmt = even[1], even[0], "yuv420p"
    encoder.framerate, encoder.time_base = RATE, 1 / RATE
    encoder.options = kind.options | {"crf": f"{round(kind.scale * crf + kind.offset)}"}
    with usual_scheduling():
        encoder.open(strict=False)
    decoder: Any = av.CodecContext.create(kind.decoder, "r")
    decoder.thread_count = 1
    packets = []
    for number, frame in enumerate(frames):
        packets += encoder.encode(_to_yuv(frame, even, number))
    packets += encoder.encode(None)
    decoded = [frame for packet in packets for frame in decoder.decode(packet)]
    decoded += decoder.decode(None)
    decoded.sort(key=lambda frame: frame.pts)
    if len(decoded) != len(frames):
        raise RuntimeError(f"{codec}: {len(decoded)} of {len(frames)} frames came back")
    return [_to_rgb(frame)[:height, :width] for frame in decoded]


def _to_yuv(image: np.ndarray, size: tuple[int, int], number: int) -> "av.VideoFrame":
    """Turn an image into a frame of an even ``size`` (height, width); its border is repeated."""
    bottom, right = size[0] - image.shape[0], size[1] - image.shape[1]
    padded: Any = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
    frame.pts, frame.time_base = number, 1 / RATE
    return frame


def _to_rgb(frame: "av.VideoFrame") -> np.ndarray:
    rgb = frame.reformat(
        format="rgb24",
        src_colorspace="ITU709",
        src_color_range="MPEG",
        dst_color_range="JPEG",
    )
    return rgb.to_ndarray()
