"""Write an ImageFile as PNG, JPEG, WebP, TIFF, BMP or AVIF, either completely or not at all.

Whatever the format can hold is kept: 16 bits, alpha, ICC profile, EXIF and DPI.
"""

import io
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from rts_tf.errors import ImageError
from rts_tf.images.dtypes import halve_bits
from rts_tf.images.exif import exif_for_size
from rts_tf.images.formats import FORMATS, WRITTEN_SUFFIXES, kind_of_suffix
from rts_tf.images.image_file import ImageFile
from rts_tf.storage import atomic_path

JPEG_QUALITY = 95  # with colour at full resolution (4:4:4)
WEBP_QUALITY = 95  # WebP always has colour at half the resolution (4:2:0)
AVIF_QUALITY = 90  # with colour at full resolution (4:4:4)
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "AVIF": 32768}  # pixels
_STRIP_BYTES = 2**18  # of a TIFF, approximately
_EXTRA_SAMPLES = 338  # a TIFF tag
_ICC_PROFILE = 34675  # a TIFF tag
_UNDEFINED = 7  # a TIFF type: bytes


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


def write_image_file(path: str | os.PathLike, image: ImageFile) -> None:
    """Write an image in the format of the suffix, either completely or not at all.

    PNG, TIFF (uncompressed) and BMP are lossless. JPEG has quality 95 with 4:4:4 colour, and WebP
    has quality 95. AVIF has quality 90 with 4:4:4 colour. PNG and TIFF keep 16 bits, the other
    formats hold 8. Grey with alpha in 16 bits is written as RGB with alpha. BMP holds neither
    profile nor EXIF.

    Args:
        path: The path of the file. An existing file is replaced.
        image: What to write.

    Raises:
        ImageError: The suffix is not supported, JPEG or BMP would have to hold transparency, or the
            format has no room for an image of this size. The message names the file and the reason.
        OSError: For example, the disk is full.
    """
    kind = format_of(path)
    try:
        image = _adapted(image, kind)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            for part in _tiff(image) if kind == "TIFF" else [_encoded(image, kind)]:
                file.write(part)
            file.flush()
    except ImageError as error:
        raise ImageError(f"{os.fspath(path)}: {error}") from None


def _adapted(image: ImageFile, kind: str) -> ImageFile:
    """The image in a form that the format ``kind`` can hold; raises ImageError if there is none."""
    height, width, channels = image.pixels.shape
    alpha = image.alpha
    if alpha is not None and alpha.dtype == np.uint16 and kind in ("PNG", "TIFF"):
        # Neither Pillow nor OpenCV reads every file of grey with alpha in 16 bits.
        image = image._replace(pixels=np.repeat(image.pixels, 3 // channels, axis=2))
    if alpha is not None and kind in ("JPEG", "BMP"):
        if (alpha < np.iinfo(alpha.dtype).max).any():
            raise ImageError(f"is transparent in places, which {kind} cannot hold; name a .png")
        image = image._replace(alpha=None)
    if kind == "WEBP" and channels == 1 and image.icc:
        raise ImageError("is grey with a profile for grey, which WebP cannot hold; name a .png")
    if max(height, width) > (longest := _LONGEST_SIDE.get(kind, max(height, width))):
        raise ImageError(
            f"{width}x{height} is more than the {longest} pixels a side of {kind}; name a .png"
        )
    return image


def _exif_of(image: ImageFile) -> bytes:
    """The EXIF block of ``image`` with the size of its pixels."""
    height, width = image.pixels.shape[:2]
    return exif_for_size(image.exif, width, height)


def _encoded(image: ImageFile, kind: str) -> bytes | memoryview:
    """The contents of a file of any format but TIFF."""
    grey = image.pixels.shape[2] == 1
    settings: dict[str, dict[str, Any]] = {
        "PNG": {"compress_level": 1},
        "JPEG": {"quality": JPEG_QUALITY, "subsampling": 0},
        "WEBP": {"quality": WEBP_QUALITY, "exact": True},
        "AVIF": {"quality": AVIF_QUALITY, "subsampling": "4:0:0" if grey else "4:4:4"},
    }
    options = settings.get(kind, {})
    exif = _exif_of(image)
    if exif and kind != "BMP":
        options["exif"] = exif
    if image.icc and kind != "BMP":
        options["icc_profile"] = image.icc
    if image.dpi and kind not in ("WEBP", "AVIF"):
        options["dpi"] = image.dpi
    pixels, alpha = image.pixels, image.alpha
    if kind == "PNG" and not (pixels.shape[2] == 1 and alpha is not None):
        return _png(pixels, alpha, options)
    if pixels.dtype == np.uint16 and kind != "PNG":
        pixels, alpha = halve_bits(pixels), alpha if alpha is None else halve_bits(alpha)
    samples = _samples(pixels, alpha)
    file = io.BytesIO()
    try:
        Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(
            file, kind, **options
        )
    except (ValueError, OSError, SystemError) as error:  # for example, the EXIF is above 64 kB
        raise ImageError(f"cannot be written as {kind} ({error})") from None
    return file.getbuffer()


def _samples(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Pixels and alpha in one array [H, W, C]."""
    return pixels if alpha is None else np.dstack([pixels, alpha])


def _png(pixels: np.ndarray, alpha: np.ndarray | None, options: dict[str, Any]) -> bytes:
    """A PNG whose pixels are encoded by OpenCV and whose other chunks are made by Pillow.

    OpenCV can write colour in 16 bits. It takes a quarter of Pillow's time, and its files of
    natural images are 6 % larger, since it uses run lengths only.
    """
    samples = _samples(pixels, alpha)
    to_bgr = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(samples.shape[2])
    if to_bgr is not None:
        samples = cv2.cvtColor(samples, to_bgr)
    contents = cv2.imencode(".png", samples)[1].tobytes()
    file = io.BytesIO()
    Image.new("L" if pixels.shape[2] == 1 else "RGB", (1, 1)).save(file, "PNG", **options)
    wanted = (b"iCCP", b"pHYs", b"eXIf")
    kept = b"".join(chunk for kind, chunk in _chunks(file.getvalue()) if kind in wanted)
    header = 8 + 25  # the bytes of the signature and of IHDR
    return contents[:header] + kept + contents[header:]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and all bytes of each chunk of a PNG."""
    start = 8
    while start < len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        yield png[start + 4 : start + 8], png[start:end]
        start = end


def _tiff(image: ImageFile) -> Iterator[bytes | memoryview]:
    """Yield the parts of an uncompressed TIFF of 8 or 16 bits.

    Pillow's own writer cannot write colour in 16 bits.
    """
    samples = _samples(image.pixels, image.alpha)
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    height, width, _ = samples.shape
    if samples.nbytes > 2**32 - 2**24:
        raise ImageError(f"{width}x{height} is more than the 4 GB of a TIFF; name a .png")
    head = io.BytesIO()
    _tiff_directory(image, samples).save(head)
    yield head.getvalue()
    yield samples.view(np.uint8).data.cast("B")


def _tiff_directory(image: ImageFile, samples: np.ndarray) -> ImageFileDirectory_v2:
    """The tags of a TIFF whose ``samples`` [H, W, C] follow in strips."""
    directory = ImageFileDirectory_v2()
    exif = Image.Exif()
    if image.exif:
        exif.load(_exif_of(image))
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
    if image.icc:
        directory.tagtype[_ICC_PROFILE] = _UNDEFINED
        directory[_ICC_PROFILE] = image.icc
    if image.dpi:
        directory[Base.XResolution], directory[Base.YResolution] = image.dpi
        directory[Base.ResolutionUnit] = 2  # inches
    return directory
