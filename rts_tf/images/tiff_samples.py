"""Decode the samples of TIFF files to grey or RGB of 8 or 16 bits, and alpha."""

import contextlib
import lzma
import os
import pathlib
import zlib
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from rts_tf.errors import ImageError
from rts_tf.images import cmyk
from rts_tf.images.content import check_kind, samples8
from rts_tf.images.dtypes import halve_bits
from rts_tf.images.exif import upright
from rts_tf.images.read import opened
from rts_tf.images.sixteen_bits import colour16
from rts_tf.images.tiff_kind import (
    BLACK_IS_ZERO,
    CMYK,
    PALETTE,
    RGB,
    WHITE_IS_ZERO,
    YCBCR,
    TiffKind,
)

_SLACK = 2**16  # bytes that programs may write behind the last row of a strip or tile


class Samples(NamedTuple):
    """Decoded samples.

    Attributes:
        array: As in :class:`rts_tf.images.content.Content`.
        icc: The ICC profile of these colours, or empty.
        notes: What was converted.
    """

    array: np.ndarray
    icc: bytes
    notes: list[str]


def decoded_by_pillow(image: Image.Image, page: Any, kind: TiffKind, icc: bytes) -> Samples:
    """Decode a file that Pillow has opened.

    Raises:
        Exception: Pillow raises errors of many types on damaged files.
    """
    image.load()
    # Newer versions of Pillow make a TIFF upright while they load it.
    remaining = image.getexif().get(Base.Orientation, 1)
    notes: list[str] = []
    if image.mode in ("P", "PA"):
        stored = np.asarray(image).reshape(image.height, image.width, -1)
        array = _with_alpha(_from_palette(stored[..., 0], page), stored[..., 1:])
    elif image.mode in ("CMYK", "LAB", "YCbCr"):
        array, icc, note = cmyk.to_rgb(image, icc)
        notes += [note] if note else []
    else:
        array = samples8(image)
    if kind.premultiplied:
        array = _divided(array)
    return Samples(upright(array, remaining), icc, notes)


def decoded_by_tifffile(
    page: Any, kind: TiffKind, icc: bytes, path: str | os.PathLike, orientation: int
) -> Samples:
    """Decode a page of tifffile, with OpenCV where tifffile lacks the codec.

    Raises:
        ImageError: It cannot be decoded.
    """
    _check_segments(page)
    try:
        stored = page.asarray(squeeze=False, maxworkers=1)
    except Exception as error:  # tifffile raises errors of many types on damaged files
        if "imagecodecs" not in str(error):
            raise ImageError(f"cannot be read ({error})") from None
        return Samples(_without_codec(page, kind, path, orientation), icc, [])
    # (planes, depth 1, height, width, samples) to [H, W, samples]
    stored = np.moveaxis(stored[:, 0], 0, -1).reshape(*stored.shape[2:4], -1)
    colours, alpha = stored[..., : kind.colours], stored[..., :0]
    if kind.alpha is not None:
        alpha = stored[..., kind.alpha : kind.alpha + 1]
    notes: list[str] = []
    if kind.photometric == PALETTE:
        colours = _from_palette(colours[..., 0], page)
    else:
        colours = _levels(colours, kind, notes)
    alpha = _levels(alpha, kind, [])
    if kind.photometric == WHITE_IS_ZERO:
        colours = np.iinfo(colours.dtype).max - colours
    elif kind.photometric == CMYK:
        if colours.dtype == np.uint16:
            notes.append("its 16 bits per sample became 8")
        inks = np.ascontiguousarray(halve_bits(colours))
        colours, icc, note = cmyk.to_rgb(Image.fromarray(inks, "CMYK"), icc)
        notes.append(note)
    elif kind.photometric not in (BLACK_IS_ZERO, RGB, PALETTE):
        name = "YCbCr" if kind.photometric == YCBCR else "Lab"
        raise ImageError(f"is {name} of a kind that is not supported; convert it to RGB first")
    array = _with_alpha(colours, alpha)
    if kind.premultiplied:
        array = _divided(array)
    return Samples(upright(array, orientation), icc, notes)


def _check_segments(page: Any) -> None:
    """Raise ImageError if a strip or tile becomes more than it may when it is decompressed.

    tifffile decompresses all of it before it looks at the size.
    """
    codecs: dict[int, Any] = {8: zlib.decompressobj, 32946: zlib.decompressobj}
    start = (codecs | {34925: lzma.LZMADecompressor}).get(int(page.compression))
    if start is None:
        return
    rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (0, page.imagewidth)
    rows = rows or min(page.rowsperstrip or page.imagelength, page.imagelength)
    room = rows * columns * page.samplesperpixel * max(8, int(page.bitspersample)) // 8 + _SLACK
    handle = page.parent.filehandle
    for offset, size in zip(page.dataoffsets, page.databytecounts, strict=False):
        handle.seek(offset)
        decompressor: Any = start()
        with contextlib.suppress(zlib.error, lzma.LZMAError):  # decoding says what is wrong
            if len(decompressor.decompress(handle.read(size), room + 1)) > room:
                raise ImageError("cannot be read (a strip or tile holds more than its pixels)")


def _without_codec(
    page: Any, kind: TiffKind, path: str | os.PathLike, orientation: int
) -> np.ndarray:
    """Decode grey and RGB of 16 bits with Pillow and OpenCV."""
    compression = getattr(page.compression, "name", str(page.compression))
    reason = (
        f"is compressed by {compression} in a way that is not supported; save it without"
        " compression, or pip install imagecodecs"
    )
    if kind.bits % 8:  # tifffile unpacks them with imagecodecs alone
        reason = (
            f"has samples of {kind.bits} bits; convert it to 16 bits first, or pip install"
            " imagecodecs"
        )
    simple = kind.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB) and not kind.premultiplied
    if not simple or kind.bits != 16 or kind.floating or int(page.planarconfig) != 1:
        raise ImageError(reason)
    with opened(path, largest=page.imagewidth * page.imagelength, check=check_kind) as image:
        image.load()
        high = upright(np.asarray(image), image.getexif().get(Base.Orientation, 1))
        if image.mode.startswith("I"):
            array = high.astype(np.uint16)[..., None]
        else:
            array = colour16(pathlib.Path(path).read_bytes(), high, orientation)
    if array.shape[2] != kind.colours + (kind.alpha is not None):
        raise ImageError(reason)
    return 65535 - array if kind.photometric == WHITE_IS_ZERO else array


def _levels(samples: np.ndarray, kind: TiffKind, notes: list[str]) -> np.ndarray:
    """Convert samples of any number of bits to uint8 or uint16."""
    if kind.floating:
        if not samples.size:
            return samples.astype(np.uint16)
        low, high = float(samples.min()), float(samples.max())
        if not np.isfinite((low, high)).all():
            raise ImageError("has floating point samples that are infinite or not a number")
        if low < 0 or high > 1:
            raise ImageError(
                f"has floating point samples from {low:g} to {high:g}; scale them to 0 to 1 first"
            )
        notes.append(f"its floating point samples of {kind.bits} bits became integers of 16 bits")
        return np.rint(samples.astype(np.float64) * 65535).astype(np.uint16)
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if kind.bits in (8, 16):
        return samples
    if kind.bits > 8:
        notes.append(f"its {kind.bits} bits per sample became 16")
    dtype = np.uint16 if kind.bits > 8 else np.uint8
    most, white = 2**kind.bits - 1, int(np.iinfo(dtype).max)
    return ((samples.astype(np.uint32) * white + most // 2) // most).astype(dtype)


def _from_palette(indices: np.ndarray, page: Any) -> np.ndarray:
    """Look up the colours [H, W, 3]: uint8, or uint16 if the colour map needs it.

    The map has 16 bits. Some programs write 8 bits into it all the same, and libtiff and others
    take a map without any larger number for one of those.
    """
    colours = np.asarray(page.colormap).reshape(3, -1).T
    colours = colours.astype(colours.dtype.newbyteorder("="))
    for divisor in (1, 257, 256):
        eight, rest = np.divmod(colours, divisor)
        if not rest.any() and eight.max() < 256:
            colours = eight.astype(np.uint8)
            break
    if int(indices.max()) >= len(colours):
        raise ImageError("has pixels with a colour that is not in its colour map")
    return colours[indices]


def _with_alpha(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours and alpha [H, W, 1], or none [H, W, 0], in one array."""
    if not alpha.shape[2]:
        return colours
    if colours.dtype == np.uint8:
        alpha = halve_bits(alpha)
    elif alpha.dtype == np.uint8:
        alpha = alpha.astype(np.uint16) * 257
    return np.dstack([colours, alpha])


def _divided(array: np.ndarray) -> np.ndarray:
    """Divide colours by the alpha with which they were multiplied. Under alpha 0 they are black."""
    white = int(np.iinfo(array.dtype).max)
    alpha = array[..., -1:].astype(np.uint32)
    colours = array[..., :-1].astype(np.uint32)
    divided = (colours * white + alpha // 2) // np.maximum(alpha, 1)
    colours = np.where(alpha > 0, np.minimum(divided, white), colours)
    return np.dstack([colours, alpha]).astype(array.dtype)
