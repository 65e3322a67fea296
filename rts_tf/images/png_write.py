"""Encode an ImageFile as PNG."""

import struct
import zlib

import cv2
import numpy as np

from rts_tf.images.image_file import ImageFile
from rts_tf.images.png_chunks import SIGNATURE, chunk
from rts_tf.images.png_file import XMP_KEYWORD

_HEADER = 8 + 25  # the bytes of the signature and of IHDR
_GREY_AND_ALPHA = 4  # a colour type
_LEFT = 1  # a filter: each sample minus that of the pixel to the left


def samples_of(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Pixels and alpha in one array [H, W, C]."""
    return pixels if alpha is None else np.dstack([pixels, alpha])


def encoded_png(image: ImageFile) -> bytes:
    """The contents of a PNG file with everything that belongs to an image.

    OpenCV encodes the pixels: it can write colour in 16 bits, takes a quarter of Pillow's time, and
    its files of natural images are 6 % larger, since it uses run lengths only.
    """
    samples = samples_of(image.pixels, image.alpha)
    if samples.shape[2] == 2:  # which OpenCV does not write
        contents = _grey_and_alpha(samples)
    else:
        to_bgr = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(samples.shape[2])
        if to_bgr is not None:
            samples = cv2.cvtColor(samples, to_bgr)
        contents = cv2.imencode(".png", samples)[1].tobytes()
    return b"".join([contents[:_HEADER], *_chunks(image), contents[_HEADER:]])


def _chunks(image: ImageFile) -> list[bytes]:
    """The chunks between the header and the pixels."""
    metadata = image.metadata
    parts = list(metadata.colour)
    if image.icc:
        parts.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(image.icc)))
    if image.dpi:
        x, y = (min(round(dpi / 0.0254), 2**31 - 1) for dpi in image.dpi)
        parts.append((b"pHYs", struct.pack(">IIB", x, y, 1)))  # 1: per metre
    if image.exif:
        parts.append((b"eXIf", image.exif[6:]))
    parts += metadata.chunks
    if metadata.xmp:
        parts.append((b"iTXt", XMP_KEYWORD.encode() + bytes(5) + metadata.xmp))
    return [chunk(*part) for part in parts]


def _grey_and_alpha(samples: np.ndarray) -> bytes:
    """A PNG of [H, W, 2] in 8 or 16 bits."""
    height, width, _ = samples.shape
    bits = 8 * samples.itemsize
    rows = np.ascontiguousarray(samples, samples.dtype.newbyteorder(">")).view(np.uint8)
    rows = rows.reshape(height, width, -1)
    filtered = rows.copy()
    filtered[:, 1:] -= rows[:, :-1]
    filtered = filtered.reshape(height, -1)
    lines = np.concatenate([np.full((height, 1), _LEFT, np.uint8), filtered], axis=1)
    header = struct.pack(">IIBBBBB", width, height, bits, _GREY_AND_ALPHA, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 1)), (b"IEND", b""))
    return SIGNATURE + b"".join(chunk(*part) for part in parts)
