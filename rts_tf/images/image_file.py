"""CalibrationCrops with all that belongs to them: alpha, 16 bits, ICC profile, EXIF and DPI, read and written.

``rts_tf.images.read.read_image`` gives the plain 8-bit RGB of training; this is for pictures that people keep.
"""

import os
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base

from rts_tf.errors import ImageError
from rts_tf.images.dtypes import halve_bits, to_float, to_uint8
from rts_tf.images.read import FORMATS, ODD_16_BITS, opened

LARGEST = 500_000_000  # pixels; Pillow's own limit against decompression bombs, 89 million, is below today's panoramas
# EXIF tags that say how a file stores its pixels, and blocks that other programs keep there: of no use in another file
_LAYOUT = {
    *range(254, 267),
    273,
    *range(277, 282),
    284,
    *range(290, 294),
    301,
    *range(317, 326),
    *range(330, 348),
    *range(512, 533),
    700,
    33723,
    34377,
    34675,
    37724,
}


class ImageFile(NamedTuple):
    """A decoded photograph, turned as its EXIF says."""

    pixels: np.ndarray  # uint8 or uint16 [H, W, 1] grey or [H, W, 3] RGB
    alpha: np.ndarray | None = (
        None  # of the same type, [H, W]; the colours are not multiplied by it
    )
    icc: bytes = b""  # the ICC profile
    exif: bytes = b""  # the EXIF block ("Exif" and two zeros in front), its orientation "as it is"
    dpi: tuple[float, float] | None = None
    remark: str = ""  # what of the file could not be kept

    def to_rgb8(self) -> np.ndarray:
        """uint8 [H, W, 3] to look at; what is transparent is shown on white."""
        pixels = np.repeat(halve_bits(self.pixels), 3 // self.pixels.shape[2], axis=2)
        if self.alpha is None:
            return pixels
        return to_uint8(1 - to_float(self.alpha)[..., None] * (1 - to_float(pixels)))


def pixel_count(path: str | os.PathLike) -> int:
    """How many pixels the header promises, 0 where ``read_image_file`` would refuse the file by its header."""
    try:
        with opened(path, largest=LARGEST) as image:
            return image.width * image.height
    except ImageError:
        return 0


def is_image_file(path: str | os.PathLike) -> bool:
    """Whether it begins as one of the formats does that are read, if it can be read or not."""
    try:
        with Image.open(path, formats=FORMATS):
            return True
    except Exception:  # as in opened
        return False


def read_image_file(path: str | os.PathLike, largest: int = LARGEST) -> ImageFile:
    """Decode a PNG, JPEG, WebP, TIFF or BMP.

    8 bits stay 8, 16 bits (PNG and TIFF, grey and RGB) 16; grey stays grey, a palette becomes RGB; what is marked as
    transparent becomes alpha. Orientation is applied to the pixels and reset in the EXIF block; the preview in it, XMP and
    IPTC are left out. Of a JPEG with a preview behind the photograph (MPO) the photograph is taken.

    Raises:
        ImageError: names the file and why, as ``read_image``, but transparency is no reason; above ``largest`` pixels.
    """
    with opened(path, largest=largest) as image:
        orientation = image.getexif().get(Base.Orientation, 1)
        block, remark = _exif_block(image.getexif())
        image.load()
        left = image.getexif().get(
            Base.Orientation, 1
        )  # newer versions of Pillow turn a TIFF while they load it
        decode = _samples16 if _has_16_bits(image, path) else _samples8
        samples = (
            turned(decode(image), left)
            if decode is _samples8
            else decode(image, path, orientation, left)
        )
        has_alpha = samples.shape[2] in (2, 4)
        return ImageFile(
            pixels=np.ascontiguousarray(samples[..., :-1] if has_alpha else samples),
            alpha=np.ascontiguousarray(samples[..., -1]) if has_alpha else None,
            icc=image.info.get("icc_profile") or b"",
            exif=block,
            dpi=_dpi(image.info.get("dpi"), orientation),
            remark=remark,
        )


def turned(samples: np.ndarray, orientation: int) -> np.ndarray:
    """A view of ``samples`` [H, W, C], stored with the EXIF ``orientation`` (2.3, tag 0x0112), the right way up."""
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return samples[:, ::-1] if orientation in (2, 3, 6, 7) else samples


def _exif_block(exif: Image.Exif) -> tuple[bytes, str]:
    """The block to keep, and what to say if it cannot be. ``exif`` stays as it is: Pillow turns a TIFF by it."""
    kept = Image.Exif()
    try:
        for tag, value in exif.items():
            if tag not in _LAYOUT:
                kept[tag] = value
        for tag in (IFD.Exif, IFD.GPSInfo):
            kept.pop(tag, None)
            if within := dict(exif.get_ifd(tag)):
                if IFD.Interop in within:
                    within[IFD.Interop] = exif.get_ifd(IFD.Interop)
                kept[tag] = within
        if Base.Orientation in exif:
            kept[Base.Orientation] = 1
        return (kept.tobytes() if len(kept) else b""), ""
    except (
        Exception
    ):  # Pillow writes no value that is not of its tag's type, and raises many types about it
        return b"", "its EXIF is damaged and was left out"


def _dpi(found, orientation: int) -> tuple[float, float] | None:
    try:
        x, y = float(found[0]), float(found[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    if not (0 < x < 1e6 and 0 < y < 1e6):
        return None
    return (y, x) if orientation in (5, 6, 7, 8) else (x, y)


def _has_16_bits(image: Image.Image, path: str | os.PathLike) -> bool:
    if image.format == "PNG":
        return _png_header(path)[0] == 16
    return image.format == "TIFF" and 16 in image.tag_v2.get(Base.BitsPerSample, ())


def _samples8(image: Image.Image) -> np.ndarray:
    """uint8 [H, W, 1 to 4]."""
    transparent = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    grey = image.mode in ("1", "L", "LA")
    mode = ("LA" if transparent else "L") if grey else ("RGBA" if transparent else "RGB")
    samples = np.asarray(image.convert(mode))
    return samples if samples.ndim == 3 else samples[..., None]


def _samples16(
    image: Image.Image, path: str | os.PathLike, orientation: int, left: int
) -> np.ndarray:
    """uint16 [H, W, 1 to 4], the right way up; ``image``, which is loaded, is yet to be turned by ``left``.

    Of colour Pillow keeps the high bytes alone, so OpenCV decodes it; which of the two knows best about orientation, planes
    and damage differs from version to version, so the high bytes of one must be what the other read.
    """
    if "transparency" in image.info:
        raise ImageError(
            "marks a colour as transparent, in 16 bits; give it an alpha channel instead"
        )
    high = turned(np.asarray(image), left)
    if image.mode.startswith("I"):
        return high.astype(np.uint16)[..., None]
    samples = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if (
        samples is None
        or samples.dtype != np.uint16
        or samples.ndim != 3
        or samples.shape[2] not in (3, 4)
    ):
        raise ImageError(ODD_16_BITS)
    if (
        image.format == "PNG" and _png_header(path)[1] == 4
    ):  # grey and alpha, which both may read as colour
        order, high = [0, 3], high[..., [0, -1]]
    else:
        order = [2, 1, 0, 3][: samples.shape[2]]  # BGR, BGRA
    for candidate in (samples, turned(samples, orientation)):
        if (*candidate.shape[:2], len(order)) == high.shape:
            chosen = np.ascontiguousarray(candidate[..., order])
            if (
                chosen.view(np.uint8).reshape(*chosen.shape, 2)[..., 1] == high
            ).all():  # little-endian
                return chosen
    raise ImageError(ODD_16_BITS)


def _png_header(path: str | os.PathLike) -> tuple[int, int]:
    """Bits of a sample, and the colour type."""
    with open(path, "rb") as file:
        return tuple(file.read(26)[-2:])


# --- writing
