"""Write an ImageFile as PNG, JPEG, WebP, TIFF, BMP or AVIF, either completely or not at all.

Whatever the format can hold is kept: 16 bits, alpha, ICC profile, DPI and metadata.
"""

import io
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from rts_tf.errors import ImageError
from rts_tf.images import photoshop
from rts_tf.images.formats import FORMATS, WRITTEN_SUFFIXES, kind_of_suffix
from rts_tf.images.holding import check_format, held
from rts_tf.images.image_file import ImageFile
from rts_tf.images.jpeg_segments import with_segments
from rts_tf.images.png_write import encoded_png, samples_of
from rts_tf.images.transparency import visible_only
from rts_tf.storage import atomic_path

JPEG_QUALITY = 95  # with colour at full resolution (4:4:4)
WEBP_QUALITY = 95  # WebP always has colour at half the resolution (4:2:0)
AVIF_QUALITY = 90  # with colour at full resolution (4:4:4)
_STRIP_BYTES = 2**18  # of a TIFF, approximately
_EXTRA_SAMPLES = 338  # a TIFF tag
_XMP, _IPTC, _RESOURCES, _ICC_PROFILE = 700, 33723, 34377, 34675  # TIFF tags
_BYTE, _UNDEFINED = 1, 7  # TIFF types


def format_of(path: str | os.PathLike) -> str:
    """The format that the suffix of ``path`` stands for: PNG, JPEG, WEBP, TIFF, BMP or AVIF.

    Raises:
        ImageError: The suffix is none of :data:`rts_tf.images.formats.WRITTEN_SUFFIXES`, or the
            installed Pillow does not write the format.
    """
    kind = kind_of_suffix(path)
    if pathlib.Path(path).suffix.lower() not in WRITTEN_SUFFIXES:
        raise ImageError(
            f"{os.fspath(path)}: cannot tell the format; end it in {', '.join(WRITTEN_SUFFIXES)}"
        )
    if kind not in FORMATS:
        raise ImageError(f"{os.fspath(path)}: to write {kind}, pip install 'rts_tf[images]'")
    return kind


def check_writable(path: str | os.PathLike, image: ImageFile, scale: int = 1) -> None:
    """Check, before an image is enhanced, that the format of the suffix has room for it.

    Args:
        path: The path of the file to write.
        image: The image as it was read.
        scale: By how much the result will be larger.

    Raises:
        ImageError: As :func:`write_image_file`.
    """
    try:
        check_format(format_of(path), image, scale)
    except ImageError as error:
        raise ImageError(f"{os.fspath(path)}: {error}") from None


def write_image_file(path: str | os.PathLike, image: ImageFile) -> tuple[str, ...]:
    """Write an image in the format of the suffix, either completely or not at all.

    PNG, TIFF (uncompressed) and BMP are lossless. JPEG has quality 95 with 4:4:4 colour, and WebP
    has quality 95. AVIF has quality 90 with 4:4:4 colour. PNG and TIFF keep 16 bits, the other
    formats hold 8. Metadata for which a format has no room is converted or left out
    (:mod:`rts_tf.images.holding`).

    Args:
        path: The path of the file. An existing file is replaced.
        image: What to write.

    Returns:
        Notes: what was converted or left out, since the format cannot hold it.

    Raises:
        ImageError: The suffix is not supported, JPEG or BMP would have to hold transparency, or the
            format has no room for an image of this size. The message names the file and the reason.
        OSError: For example, the disk is full.
    """
    check_writable(path, image)
    kind = format_of(path)
    try:
        image, notes = held(kind, image)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            for part in _tiff(image) if kind == "TIFF" else [_encoded(image, kind)]:
                file.write(part)
            file.flush()
    except ImageError as error:
        raise ImageError(f"{os.fspath(path)}: {error}") from None
    return tuple(notes)


def _encoded(image: ImageFile, kind: str) -> bytes | memoryview:
    """The contents of a file of any format but TIFF."""
    if kind == "PNG":
        return encoded_png(image)
    pixels, metadata = image.pixels, image.metadata
    options: dict[str, Any] = {}
    if kind == "JPEG":
        options = {"quality": JPEG_QUALITY, "subsampling": 0}
    elif kind == "WEBP":
        options = {"quality": WEBP_QUALITY, "exact": True, "xmp": metadata.xmp}
        pixels = visible_only(pixels, image.alpha)  # else they would bleed into visible colours
    elif kind == "AVIF":
        subsampling = "4:0:0" if pixels.shape[2] == 1 else "4:4:4"
        options = {"quality": AVIF_QUALITY, "subsampling": subsampling, "xmp": metadata.xmp}
        pixels = visible_only(pixels, image.alpha)
    if image.exif:
        options["exif"] = image.exif
    if image.icc:
        options["icc_profile"] = image.icc
    if image.dpi and kind not in ("WEBP", "AVIF"):
        options["dpi"] = image.dpi
    samples = samples_of(pixels, image.alpha)
    file = io.BytesIO()
    try:
        Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(
            file, kind, **options
        )
    except (ValueError, OSError, SystemError) as error:
        raise ImageError(f"cannot be written as {kind} ({error})") from None
    return with_segments(file.getbuffer(), metadata) if kind == "JPEG" else file.getbuffer()


def _tiff(image: ImageFile) -> Iterator[bytes | memoryview]:
    """Yield the parts of an uncompressed TIFF of 8 or 16 bits.

    Pillow's own writer cannot write colour in 16 bits.
    """
    samples = samples_of(image.pixels, image.alpha)
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    head = io.BytesIO()
    _tiff_directory(image, samples).save(head)
    yield head.getvalue()
    yield samples.view(np.uint8).data.cast("B")


def _tiff_directory(image: ImageFile, samples: np.ndarray) -> ImageFileDirectory_v2:
    """The tags of a TIFF whose ``samples`` [H, W, C] follow in strips."""
    directory = ImageFileDirectory_v2()
    exif = Image.Exif()
    if image.exif:
        exif.load(image.exif)
    for tag, value in exif.items():
        directory[tag] = exif.get_ifd(tag) if tag in (IFD.Exif, IFD.GPSInfo) else value
    height, width, count = samples.shape
    row_bytes = samples[0].nbytes
    rows = max(1, _STRIP_BYTES // row_bytes)
    starts = range(0, height, rows)
    directory[Base.ImageWidth], directory[Base.ImageLength] = width, height
    directory[Base.BitsPerSample] = (8 * samples.itemsize,) * count
    directory[Base.SampleFormat] = (1,) * count  # unsigned integers
    directory[Base.Compression] = 1  # none
    directory[Base.PhotometricInterpretation] = 2 if image.pixels.shape[2] == 3 else 1
    directory[Base.SamplesPerPixel], directory[Base.PlanarConfiguration] = count, 1
    directory[Base.RowsPerStrip] = rows
    directory[Base.StripOffsets] = tuple(start * row_bytes for start in starts)
    directory[Base.StripByteCounts] = tuple(min(rows, height - y) * row_bytes for y in starts)
    if image.alpha is not None:
        directory[_EXTRA_SAMPLES] = (2,)  # alpha by which the colours are not multiplied
    metadata = image.metadata
    for tag, kind, contents in (
        (_XMP, _BYTE, metadata.xmp),
        (_IPTC, _UNDEFINED, metadata.iptc),
        (_RESOURCES, _BYTE, photoshop.joined(metadata.iptc, metadata.resources)),
        (_ICC_PROFILE, _UNDEFINED, image.icc),
    ):
        if contents:
            directory.tagtype[tag] = kind
            directory[tag] = contents
    if image.dpi:
        directory[Base.XResolution], directory[Base.YResolution] = image.dpi
        directory[Base.ResolutionUnit] = 2  # inches
    return directory
