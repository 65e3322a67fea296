"""Pixel formats: which planar format represents a video, and the planes of a frame as arrays."""

import re
from collections.abc import Sequence

import av
import numpy as np

from rts_tf.errors import VideoError

# The formats in which frames are enhanced: Y, or Y, Cb and Cr, one sample after the other. There
# may be alpha beside them.
_PLANAR = re.compile(r"(gray|yuv[ja]?(420|422|444)p)(9|10|12|14|16)?(le)?")
COMMON = (
    *(f"yuv{chroma}p{bits}" for bits in ("", "10le", "12le") for chroma in (420, 422, 444)),
    "gray",
    "gray10le",
)
_UNSPECIFIED = 2  # AVCOL_TRC_UNSPECIFIED


def bits_of(pixel_format: str) -> int:
    """The bits per sample of a planar format, from 8 to 16.

    Args:
        pixel_format: FFmpeg's name, e.g. "yuv420p10le".

    Raises:
        ValueError: The format is not planar.
    """
    match = _PLANAR.fullmatch(pixel_format)
    if match is None:
        raise ValueError(f"{pixel_format} is not a planar format")
    return int(match[3] or 8)


def without_range(pixel_format: str) -> str:
    """The format without the older way to mark full range: "yuvj420p" becomes "yuv420p"."""
    return re.sub("^yuvj", "yuv", pixel_format)


def has_alpha(pixel_format: str) -> bool:
    """Whether frames of this format may be transparent."""
    if pixel_format == "pal8":
        return True
    return any(component.is_alpha for component in av.VideoFormat(pixel_format).components)


def with_alpha(pixel_format: str) -> str:
    """The format with a plane of alpha: "yuv420p10le" becomes "yuva420p10le"."""
    return re.sub("^yuv(?=[0-9])", "yuva", pixel_format)


def without_alpha(pixel_format: str) -> str:
    """The format without its plane of alpha: "yuva420p10le" becomes "yuv420p10le"."""
    return re.sub("^yuva", "yuv", pixel_format)


def is_rgb(pixel_format: str) -> bool:
    """Whether frames of this format hold red, green and blue, or a palette of them."""
    return pixel_format == "pal8" or av.VideoFormat(pixel_format).is_rgb


def nearest_format(pixel_format: str, choice: Sequence[str], path: str) -> str:
    """The planar format of ``choice`` that loses least of ``pixel_format``.

    Args:
        pixel_format: FFmpeg's name of the format of the decoded frames.
        choice: FFmpeg's names; those that are not planar are ignored.
        path: The file, for the message.

    Raises:
        VideoError: There is none.
    """
    marked = ("yuvj", "yuva")
    formats = [name for name in choice if _PLANAR.fullmatch(name) and not name.startswith(marked)]
    plain = without_alpha(without_range(pixel_format))
    if plain in formats:
        return plain
    found, _ = av.codec.codec.find_best_pix_fmt_of_list(formats, pixel_format)
    if found is None:
        raise VideoError(
            f"{path}: the encoder has nothing like its pixel format {pixel_format}; name another"
            " `codec`"
        )
    return found.name


def converted(frame: av.VideoFrame, pixel_format: str, full_range: bool) -> av.VideoFrame:
    """Return ``frame`` in a planar format.

    RGB becomes BT.709 in limited range. All others keep their range and their matrix.

    Args:
        frame: A decoded frame.
        pixel_format: A planar format, see :func:`nearest_format`, or one of these with alpha.
        full_range: Whether YUV frames are of full range.
    """
    if pixel_format == without_range(frame.format.name):
        return frame
    if is_rgb(frame.format.name):
        return frame.reformat(format=pixel_format, dst_colorspace="ITU709", dst_color_range="MPEG")
    same = "JPEG" if full_range else "MPEG"
    # FFmpeg refuses some transfer functions, though it is to convert none.
    transfer, frame.color_trc = frame.color_trc, _UNSPECIFIED
    try:
        made = frame.reformat(format=pixel_format, src_color_range=same, dst_color_range=same)
    finally:
        frame.color_trc = transfer
    made.color_trc = transfer
    return made


def planes_of(frame: av.VideoFrame) -> tuple[np.ndarray, ...]:
    """Views of the planes of a planar frame, to read or to write.

    Returns:
        uint8 or uint16 [H, W] for Y, then [h, w] for Cb and Cr if there is colour, then [H, W] for
        alpha if the format has it.
    """
    dtype: np.dtype = np.dtype(np.uint8 if bits_of(frame.format.name) == 8 else np.uint16)
    views = []
    for plane in frame.planes:
        samples = np.frombuffer(memoryview(plane), dtype).reshape(
            -1, plane.line_size // dtype.itemsize
        )
        views.append(samples[: plane.height, : plane.width])
    return tuple(views)
