"""Read image files with everything that belongs to them: alpha, 16 bits, profiles and metadata.

This is for images that people keep: ``python -m rts_tf.enhance`` reads them here and writes them
with :mod:`rts_tf.images.write`. For training and metrics, :mod:`rts_tf.images.rgb` gives the plain
8-bit RGB.
"""

import os
from typing import Any, NamedTuple

import numpy as np

from rts_tf.errors import ImageError
from rts_tf.images import icc as profiles
from rts_tf.images import photoshop, quiet_decoders
from rts_tf.images import xmp as packets
from rts_tf.images.coding import Coding
from rts_tf.images.content import Content, check_kind, first_bytes
from rts_tf.images.dtypes import halve_bits, to_float, to_uint8
from rts_tf.images.formats import kind_of_file
from rts_tf.images.metadata import Metadata
from rts_tf.images.pillow_file import read_with_pillow
from rts_tf.images.png_chunks import SIGNATURE as PNG_SIGNATURE
from rts_tf.images.png_file import read_png
from rts_tf.images.read import opened
from rts_tf.images.tiff_file import SIGNATURES as TIFF_SIGNATURES
from rts_tf.images.tiff_file import read_tiff, tiff_size
from rts_tf.limits import FILE_OF_IMAGE, IMAGE_PIXELS, allowed_pixels

LARGEST = IMAGE_PIXELS  # pixels of an image, unless limits are lifted

quiet_decoders.silence()


class ImageFile(NamedTuple):
    """A decoded image with what else its file holds. The pixels are upright.

    Attributes:
        pixels: uint8 or uint16, [H, W, 1] for grey or [H, W, 3] for RGB.
        alpha: [H, W] of the same dtype, or None. The colours are not multiplied by it.
        icc: The ICC profile, or empty.
        exif: The EXIF block ("Exif" and two zero bytes first) with orientation 1, or empty.
        dpi: The resolution along x and y in pixels per inch, or None.
        notes: Say what in the file was converted or could not be kept.
        coding: How the file was compressed.
        metadata: XMP, IPTC, texts and comments, and how a PNG file describes its colours.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes = b""
    exif: bytes = b""
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    coding: Coding = Coding()
    metadata: Metadata = Metadata()

    @property
    def warning(self) -> str:
        """The notes in one line, empty if there are none."""
        return "; ".join(self.notes)

    def to_rgb8(self) -> np.ndarray:
        """Convert to uint8 [H, W, 3] for display. Transparent parts are shown on white."""
        pixels = np.repeat(halve_bits(self.pixels), 3 // self.pixels.shape[2], axis=2)
        if self.alpha is None:
            return pixels
        return to_uint8(1 - to_float(self.alpha)[..., None] * (1 - to_float(pixels)))


def pixel_count(path: str | os.PathLike) -> int:
    """The number of pixels by the header of a file; 0 if there is none, or they are too many."""
    most = allowed_pixels(LARGEST)
    try:
        start = first_bytes(path, 24)
        if start[:8] == PNG_SIGNATURE:
            count = int.from_bytes(start[16:20], "big") * int.from_bytes(start[20:], "big")
            return count if count <= most else 0
        if start[:4] in TIFF_SIGNATURES:
            height, width = tiff_size(path)
            return height * width if height * width <= most else 0
        with opened(path, largest=most, check=check_kind) as image:
            return image.width * image.height
    except ImageError:
        return 0


def is_image_file(path: str | os.PathLike) -> bool:
    """Whether the file begins like one of the supported formats, even if it cannot be decoded."""
    return bool(kind_of_file(path))


def read_image_file(path: str | os.PathLike, largest: int = LARGEST) -> ImageFile:
    """Decode an image file of one of the :data:`rts_tf.images.formats.FORMATS`.

    8 bits stay 8 bits, and 16 bits (PNG and TIFF) stay 16; floating point from 0 to 1 becomes 16.
    Grey stays grey, a palette becomes RGB, and so do CMYK and Lab. A colour that is marked as
    transparent becomes alpha. The orientation is applied to the pixels and set to 1 in EXIF and
    XMP; the preview image in the EXIF is left out. Of a JPEG file with further images (MPO, Ultra
    HDR) the main one is decoded. Damaged metadata is left out. Notes say what is not kept as it is.

    Args:
        path: The path of the file.
        largest: The most pixels that the image may have.

    Raises:
        ImageError: The image is unreadable, truncated or animated, has more pixels than
            ``largest``, its file is beyond a limit (:mod:`rts_tf.limits`), or its samples cannot
            become 8 or 16 bits. The message names the file and the reason.
    """
    start, largest = first_bytes(path, 8), allowed_pixels(largest)
    if FILE_OF_IMAGE.exceeded_by(os.path.getsize(path)):
        raise ImageError(f"{os.fspath(path)}: {FILE_OF_IMAGE.reason}")
    if start == PNG_SIGNATURE:
        content = read_png(path, largest)
    elif start[:4] in TIFF_SIGNATURES:
        content = read_tiff(path, largest)
    else:
        content = read_with_pillow(path, largest)
    return _image_file(content)


def _image_file(content: Content) -> ImageFile:
    """The image with metadata that are true of its upright pixels."""
    samples, notes, metadata = content.samples, list(content.notes), content.metadata
    has_alpha = samples.shape[2] in (2, 4)
    pixels = np.ascontiguousarray(samples[..., :-1] if has_alpha else samples)
    icc, note = profiles.checked(content.icc, pixels.shape[2])
    notes += [note] if note else []
    if content.orientation != 1 and metadata.resources:
        resources, had_paths = photoshop.without_paths(metadata.resources)
        metadata = metadata._replace(resources=resources)
        notes += ["its clipping paths were left out, since it was rotated"] if had_paths else []
    xmp = packets.of_upright_image(metadata.xmp)
    if metadata.xmp and not xmp:
        notes.append("its XMP, which is long and of several images, was left out")
    return ImageFile(
        pixels=pixels,
        alpha=np.ascontiguousarray(samples[..., -1]) if has_alpha else None,
        icc=icc,
        exif=content.exif,
        dpi=_upright_dpi(content.dpi, content.orientation),
        notes=tuple(dict.fromkeys(notes)),
        coding=content.coding,
        metadata=metadata._replace(xmp=xmp),
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
