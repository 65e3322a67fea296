"""Write an ImageFile as PNG, JPEG, WebP, TIFF or BMP, whole or not at all."""

import io
import os
import pathlib
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from rts_tf.errors import ImageError
from rts_tf.images.dtypes import halve_bits
from rts_tf.images.image_file import ImageFile
from rts_tf.images.read import IMAGE_SUFFIXES
from rts_tf.storage import atomic_path

JPEG_QUALITY = 95  # with 4:4:4, colour at full size
WEBP_QUALITY = 95  # WebP has 4:2:0 alone
_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}  # others: the suffix itself
_LONGEST = {"JPEG": 65500, "WEBP": 16383}  # pixels a side
_STRIP = 2**18  # bytes of a TIFF strip, about


def format_of(path: str | os.PathLike) -> str:
    """The format by the suffix of ``path``: PNG, JPEG, WEBP, TIFF or BMP. Raises ImageError for another one."""
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise ImageError(
            f"{os.fspath(path)}: cannot tell the format; end it in {', '.join(IMAGE_SUFFIXES)}"
        )
    return _FORMATS.get(suffix, suffix[1:].upper())


def write_image_file(path: str | os.PathLike, photograph: ImageFile) -> None:
    """Write it in the format of the suffix: whole, or not at all.

    JPEG in quality 95 and 4:4:4, WebP in quality 95, PNG, TIFF (uncompressed) and BMP without loss. 16 bits stay 16 in PNG and
    TIFF, where grey with alpha becomes RGB with alpha; the others hold 8. BMP holds neither profile nor EXIF.

    Raises:
        ImageError: names the file and why: a suffix that is none of these, transparency into JPEG or BMP, a size that
            the format has no room for.
        OSError: the disk is full, or the like.
    """
    kind, (height, width, channels) = format_of(path), photograph.pixels.shape
    if (
        photograph.alpha is not None
        and photograph.alpha.dtype == np.uint16
        and kind in ("PNG", "TIFF")
    ):
        # Neither Pillow nor OpenCV reads grey with alpha of 16 bits from every file
        photograph = photograph._replace(pixels=np.repeat(photograph.pixels, 3 // channels, axis=2))
    try:
        if photograph.alpha is not None and kind in ("JPEG", "BMP"):
            if (photograph.alpha < np.iinfo(photograph.alpha.dtype).max).any():
                raise ImageError(f"is transparent in places, which {kind} cannot hold; name a .png")
            photograph = photograph._replace(alpha=None)
        if kind == "WEBP" and channels == 1 and photograph.icc:
            raise ImageError("is grey with a profile for grey, which WebP cannot hold; name a .png")
        if max(height, width) > _LONGEST.get(kind, max(height, width)):
            raise ImageError(
                f"{width}x{height} is more than the {_LONGEST[kind]} pixels a side of {kind}; name a .png"
            )
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            for part in _tiff(photograph) if kind == "TIFF" else [_encoded(photograph, kind)]:
                file.write(part)
            file.flush()
    except ImageError as error:
        raise ImageError(f"{os.fspath(path)}: {error}") from None


def _encoded(photograph: ImageFile, kind: str) -> bytes | memoryview:
    options = {
        "PNG": {"compress_level": 1},
        "JPEG": {"quality": JPEG_QUALITY, "subsampling": 0},
        "WEBP": {"quality": WEBP_QUALITY, "exact": True},
    }.get(kind, {})
    exif = _exif_of(photograph)
    if exif and kind != "BMP":
        options["exif"] = exif
    if photograph.icc and kind != "BMP":
        options["icc_profile"] = photograph.icc
    if photograph.dpi and kind != "WEBP":
        options["dpi"] = photograph.dpi
    pixels, alpha = photograph.pixels, photograph.alpha
    if kind == "PNG" and not (pixels.shape[2] == 1 and alpha is not None):
        return _png(pixels, alpha, options)
    if pixels.dtype == np.uint16 and kind != "PNG":
        pixels, alpha = halve_bits(pixels), alpha if alpha is None else halve_bits(alpha)
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    try:
        file = io.BytesIO()
        Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(
            file, kind, **options
        )
    except (ValueError, OSError, SystemError) as error:  # such as an EXIF block above 64 kB
        raise ImageError(f"cannot be written as {kind} ({error})") from None
    return file.getbuffer()


def _png(pixels: np.ndarray, alpha: np.ndarray | None, options: dict) -> bytes:
    """A PNG that OpenCV encodes, with the chunks that Pillow makes.

    OpenCV knows 16 bits of colour, and takes a quarter of the time for photographs 6 % larger (run lengths alone).
    """
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    to_bgr = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(samples.shape[2])
    contents = cv2.imencode(".png", samples if to_bgr is None else cv2.cvtColor(samples, to_bgr))[
        1
    ].tobytes()
    file = io.BytesIO()
    Image.new("L" if pixels.shape[2] == 1 else "RGB", (1, 1)).save(file, "PNG", **options)
    kept = b"".join(
        chunk for kind, chunk in _chunks(file.getvalue()) if kind in (b"iCCP", b"pHYs", b"eXIf")
    )
    header = 8 + 25  # signature and IHDR
    return contents[:header] + kept + contents[header:]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, whole chunk) of each chunk of a PNG."""
    start = 8
    while start < len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        yield png[start + 4 : start + 8], png[start:end]
        start = end


def _tiff(photograph: ImageFile) -> Iterator[bytes | memoryview]:
    """An uncompressed TIFF of 8 or 16 bits (Pillow's own writer has no 16 bits of colour), part by part."""
    pixels, alpha = photograph.pixels, photograph.alpha
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    height, width, count = samples.shape
    if samples.nbytes > 2**32 - 2**24:
        raise ImageError(f"{width}x{height} is more than the 4 GB of a TIFF; name a .png")
    rows = max(1, _STRIP // samples[0].nbytes)
    starts = range(0, height, rows)
    directory = ImageFileDirectory_v2()
    exif = Image.Exif()
    if photograph.exif:
        exif.load(_exif_of(photograph))
    for tag, value in exif.items():
        directory[tag] = exif.get_ifd(tag) if tag in (IFD.Exif, IFD.GPSInfo) else value
    directory[Base.ImageWidth], directory[Base.ImageLength] = width, height
    directory[Base.BitsPerSample] = (8 * samples.itemsize,) * count
    directory[Base.SampleFormat] = (1,) * count
    directory[Base.Compression] = 1
    directory[Base.PhotometricInterpretation] = 2 if pixels.shape[2] == 3 else 1
    directory[Base.SamplesPerPixel], directory[Base.PlanarConfiguration] = count, 1
    directory[Base.RowsPerStrip] = rows
    directory[Base.StripOffsets] = tuple(start * samples[0].nbytes for start in starts)
    directory[Base.StripByteCounts] = tuple(
        min(rows, height - start) * samples[0].nbytes for start in starts
    )
    if alpha is not None:
        directory[338] = (2,)  # ExtraSamples: alpha that the colours are not multiplied by
    if photograph.icc:
        directory.tagtype[34675] = 7  # undefined bytes
        directory[34675] = photograph.icc
    if photograph.dpi:
        directory[Base.XResolution], directory[Base.YResolution], directory[Base.ResolutionUnit] = (
            *photograph.dpi,
            2,
        )
    head = io.BytesIO()
    directory.save(head)
    yield head.getvalue()
    yield memoryview(samples).cast("B")


def _exif_of(photograph: ImageFile) -> bytes:
    """The block with the picture's own size in it."""
    if not photograph.exif:
        return b""
    exif = Image.Exif()
    exif.load(photograph.exif)
    within = exif.get_ifd(IFD.Exif)
    for tag, size in (
        (Base.ExifImageWidth, photograph.pixels.shape[1]),
        (Base.ExifImageHeight, photograph.pixels.shape[0]),
    ):
        if tag in within:
            within[tag] = size
    return exif.tobytes()
