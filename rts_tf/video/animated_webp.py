"""Animated WebP as a video, since FFmpeg reads only still WebP."""

import io
import os
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image, ImageSequence

from rts_tf import limits
from rts_tf.errors import VideoError, first_line

_MILLISECOND = Fraction(1, 1000)
_HEADER = 21  # bytes: RIFF, size, WEBP, VP8X, size, flags
_ANIMATED = 2  # a flag


def is_animated_webp(path: str | os.PathLike) -> bool:
    """Whether a file is an animated WebP."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        start = file.read(_HEADER)
    riff, webp = start[:4] == b"RIFF", start[8:16] == b"WEBPVP8X"
    return riff and webp and len(start) == _HEADER and bool(start[-1] & _ANIMATED)


def as_mov(path: str | os.PathLike) -> io.BytesIO:
    """The frames of an animated WebP with their times, as a video without loss.

    Raises:
        VideoError: The file is damaged, or beyond a limit (:mod:`rts_tf.limits`).
    """
    file = io.BytesIO()
    try:
        with Image.open(path, formats=("WEBP",)) as image:
            _check_limits(image, path)
            with av.open(file, "w", format="mov") as container:
                _write(image, container)
    except VideoError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        reason = first_line(error)
        raise VideoError(f"{os.fspath(path)}: cannot be read as a video ({reason})") from None
    file.seek(0)
    return file


def _check_limits(image: Image.Image, path: str | os.PathLike) -> None:
    pixels, frames = image.width * image.height, getattr(image, "n_frames", 1)
    for limit, number in ((limits.FRAME, pixels), (limits.ANIMATION, pixels * frames)):
        if limit.exceeded_by(number):
            raise VideoError(f"{os.fspath(path)}: {limit.reason}")


def _write(image: Image.Image, container: OutputContainer) -> None:
    stream = container.add_stream("png", rate=25, width=image.width, height=image.height)
    assert isinstance(stream, VideoStream)
    stream.codec_context.pix_fmt, stream.codec_context.time_base = "rgba", _MILLISECOND
    stream.time_base, time = _MILLISECOND, 0
    for each in ImageSequence.Iterator(image):
        frame = av.VideoFrame.from_ndarray(np.array(each.convert("RGBA")), "rgba")
        frame.pts, frame.time_base = time, _MILLISECOND
        frame.duration = max(1, each.info["duration"])
        time += frame.duration
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
