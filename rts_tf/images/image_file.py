"""Read image files with everything that belongs to them: alpha, 16 bits, ICC profile, EXIF and DPI.

This is for images that people keep: ``python -m rts_tf.enhance`` reads them here and writes them
with :mod:`rts_tf.images.write`. For training and metrics, :mod:`rts_tf.images.rgb` gives the plain
8-bit RGB.
"""

import os
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import TiffImageFile

from rts_tf.errors import ImageError
from rts_tf.images.boxes import complete
from rts_tf.images.coding import Coding, coding_of
from rts_tf.images.dtypes import halve_bits, to_float, to_uint8
from rts_tf.images.exif import kept_exif, upright
from rts_tf.images.formats import kind_of_file
from rts_tf.images.read import ODD_16_BITS, opened

# The most pixels of an image. Pillow's own limit against decompression bombs, 89 million, is below
# the size of panoramas.
LARGEST = 500_000_000


class ImageFile(NamedTuple):
    """A decoded image with what else its file holds. The pixels are upright.

    Attributes:
        pixels: uint8 or uint16, [H, W, 1] for grey or [H, W, 3] for RGB.
        alpha: [H, W] of the same dtype, or None. The colours are not multiplied by it.
        icc: The ICC profile, or empty.
        exif: The EXIF block ("Exif" and two zero bytes first) with orientation 1, or empty.
        dpi: The resolution along x and y in pixels per inch, or None.
        warning: Says what in the file could not be kept, or is empty.
        coding: How the file was compressed.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes = b""
    exif: bytes = b""
    dpi: tuple[float, float] | None = None
    warning: str = ""
    coding: Coding = Coding()

    def to_rgb8(self) -> np.ndarray:
        """Convert to uint8 [H, W, 3] for display. Transparent parts are shown on white."""
        pixels = np.repeat(halve_bits(self.pixels), 3 // self.pixels.shape[2], axis=2)
        if self.alpha is None:
            return pixels
        return to_uint8(1 - to_float(self.alpha)[..., None] * (1 - to_float(pixels)))


def pixel_count(path: str | os.PathLike) -> int:
    """The number of pixels by the header of a file; 0 if ``read_image_file`` would refuse it."""
    try:
        with opened(path, largest=LARGEST) as image:
            return image.width * image.height
    except ImageError:
        return 0


def is_image_file(path: str | os.PathLike) -> bool:
    """Whether the file begins like one of the supported formats, even if it cannot be decoded."""
    return bool(kind_of_file(path))


def read_image_file(path: str | os.PathLike, largest: int = LARGEST) -> ImageFile:
    """Decode an image file of one of the :data:`rts_tf.images.formats.FORMATS`.

    8 bits stay 8 bits, and 16 bits (PNG and TIFF, grey and RGB) stay 16. Grey stays grey, and a
    palette becomes RGB. A colour that is marked as transparent becomes alpha. The orientation is
    applied to the pixels and set to 1 in the EXIF block; the preview image in the EXIF, XMP and
    IPTC are left out. If a JPEG file also holds a preview (MPO), the main image is decoded.

    Args:
        path: The path of the file.
        largest: The most pixels that the image may have.

    Raises:
        ImageError: The file is unreadable, truncated, CMYK, floating point, grey of 12 or 32 bits
            or animated, or it has more pixels than ``largest``. The message names the
            file and gives the reason.
    """
    with opened(path, largest=largest) as image:
        unsaid = complete(image, path)
        orientation = image.getexif().get(Base.Orientation, 1)
        exif, warning = kept_exif(image.getexif())
        coding = coding_of(image, path)
        image.load()
        # Newer versions of Pillow make a TIFF upright while they load it.
        remaining = image.getexif().get(Base.Orientation, 1)
        if _has_16_bits(image, path):
            samples = _samples16(image, path, orientation, remaining)
        else:
            samples = upright(_samples8(image), remaining)
        has_alpha = samples.shape[2] in (2, 4)
        return ImageFile(
            pixels=np.ascontiguousarray(samples[..., :-1] if has_alpha else samples),
            alpha=np.ascontiguousarray(samples[..., -1]) if has_alpha else None,
            icc=image.info.get("icc_profile") or b"",
            exif=exif,
            dpi=_upright_dpi(image.info.get("dpi"), orientation),
            warning="; ".join(filter(None, (warning, unsaid))),
            coding=coding,
        )


def _upright_dpi(dpi: Any, orientation: int) -> tuple[float, float] | None:
    """The resolution (x, y) of the upright image; None if the file's own is missing or invalid."""
    try:
        x, y = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    if not (0 < x < 1e6 and 0 < y < 1e6):
        return None
    return (y, x) if orientation in (5, 6, 7, 8) else (x, y)


def _has_16_bits(image: Image.Image, path: str | os.PathLike) -> bool:
    if image.format == "PNG":
        return _png_bits_and_colour_type(path)[0] == 16
    if image.format == "JXL":
        return image.mode.startswith("I")
    return isinstance(image, TiffImageFile) and 16 in image.tag_v2.get(Base.BitsPerSample, ())


def _samples8(image: Image.Image) -> np.ndarray:
    """Decode to uint8 [H, W, C]: grey (C = 1), grey and alpha (2), RGB (3) or RGBA (4)."""
    transparent = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    grey = image.mode in ("1", "L", "LA")
    mode = ("LA" if transparent else "L") if grey else ("RGBA" if transparent else "RGB")
    samples = np.asarray(image.convert(mode))
    return samples if samples.ndim == 3 else samples[..., None]


def _samples16(
    image: Image.Image, path: str | os.PathLike, orientation: int, remaining: int
) -> np.ndarray:
    """Decode to uint16 [H, W, C], with C as in ``_samples8``, upright.

    Of colour in 16 bits Pillow keeps the high bytes only, so OpenCV decodes it. Versions of both
    differ in how they treat orientation, colour planes and damage. So OpenCV's samples are accepted
    only if their high bytes are those that Pillow decoded.

    Args:
        image: The loaded image.
        path: The path of its file.
        orientation: The EXIF orientation that the file records.
        remaining: The part of it that Pillow has not applied while loading.
    """
    if "transparency" in image.info:
        raise ImageError(
            "marks a colour as transparent, in 16 bits; give it an alpha channel instead"
        )
    high = upright(np.asarray(image), remaining)
    if image.mode.startswith("I"):
        return high.astype(np.uint16)[..., None]
    samples = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16 or samples.ndim != 3:
        raise ImageError(ODD_16_BITS)
    if samples.shape[2] not in (3, 4):
        raise ImageError(ODD_16_BITS)
    if image.format == "PNG" and _png_bits_and_colour_type(path)[1] == 4:
        # Grey and alpha, which both may decode as colour and alpha
        order, high = [0, 3], high[..., [0, -1]]
    else:
        order = [2, 1, 0, 3][: samples.shape[2]]  # OpenCV has BGR or BGRA
    for candidate in (samples, upright(samples, orientation)):
        if (*candidate.shape[:2], len(order)) == high.shape:
            chosen = np.ascontiguousarray(candidate[..., order])
            little_endian = chosen.astype("<u2", copy=False).view(np.uint8)
            if (little_endian.reshape(*chosen.shape, 2)[..., 1] == high).all():
                return chosen
    raise ImageError(ODD_16_BITS)


def _png_bits_and_colour_type(path: str | os.PathLike) -> tuple[int, int]:
    """The bits per sample and the colour type in the header of a PNG file."""
    with open(path, "rb") as file:
        bits, colour_type = file.read(26)[-2:]
    return bits, colour_type
