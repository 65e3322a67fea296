"""Photographs with all that belongs to them: alpha, 16 bits, ICC profile, EXIF and DPI, read and written.

``rts_tf.imaging.files.read_picture`` gives the plain 8-bit RGB of training; this is for pictures that people keep.
"""

import io
import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from rts_tf.errors import PictureError
from rts_tf.imaging.files import FORMATS, ODD_16_BITS, SUFFIXES, atomic_path, opened
from rts_tf.imaging.levels import halve_bits, to_float, to_uint8

LARGEST = 500_000_000  # pixels; Pillow's own limit against decompression bombs, 89 million, is below today's panoramas
JPEG_QUALITY = 95  # with 4:4:4, colour at full size
WEBP_QUALITY = 95  # WebP has 4:2:0 alone
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}  # others: the suffix itself
_LONGEST = {"JPEG": 65500, "WEBP": 16383}  # pixels a side
_STRIP = 2**18  # bytes of a TIFF strip, about
# EXIF tags that say how a file stores its pixels, and blocks that other programs keep there: of no use in another file
_LAYOUT = {*range(254, 267), 273, *range(277, 282), 284, *range(290, 294), 301, *range(317, 326), *range(330, 348),
           *range(512, 533), 700, 33723, 34377, 34675, 37724}  # fmt: skip



class Photograph(NamedTuple):
    """A decoded photograph, turned as its EXIF says."""

    pixels: np.ndarray  # uint8 or uint16 [H, W, 1] grey or [H, W, 3] RGB
    alpha: np.ndarray | None = None  # of the same type, [H, W]; the colours are not multiplied by it
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


def pixels_of(path: str | os.PathLike) -> int:
    """How many pixels the header promises, 0 where ``read_photograph`` would refuse the file by its header."""
    try:
        with opened(path, largest=LARGEST) as image:
            return image.width * image.height
    except PictureError:
        return 0


def is_picture(path: str | os.PathLike) -> bool:
    """Whether it begins as one of the formats does that are read, if it can be read or not."""
    try:
        with Image.open(path, formats=FORMATS):
            return True
    except Exception:  # as in opened
        return False


def read_photograph(path: str | os.PathLike, largest: int = LARGEST) -> Photograph:
    """Decode a PNG, JPEG, WebP, TIFF or BMP.

    8 bits stay 8, 16 bits (PNG and TIFF, grey and RGB) 16; grey stays grey, a palette becomes RGB; what is marked as
    transparent becomes alpha. Orientation is applied to the pixels and reset in the EXIF block; the preview in it, XMP and
    IPTC are left out. Of a JPEG with a preview behind the photograph (MPO) the photograph is taken.

    Raises:
        PictureError: names the file and why, as ``read_picture``, but transparency is no reason; above ``largest`` pixels.
    """
    with opened(path, largest=largest) as image:
        orientation = image.getexif().get(Base.Orientation, 1)
        block, remark = _exif_block(image.getexif())
        image.load()
        left = image.getexif().get(Base.Orientation, 1)  # newer versions of Pillow turn a TIFF while they load it
        decode = _samples16 if _has_16_bits(image, path) else _samples8
        samples = turned(decode(image), left) if decode is _samples8 else decode(image, path, orientation, left)
        has_alpha = samples.shape[2] in (2, 4)
        return Photograph(
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
    except Exception:  # Pillow writes no value that is not of its tag's type, and raises many types about it
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


def _samples16(image: Image.Image, path: str | os.PathLike, orientation: int, left: int) -> np.ndarray:
    """uint16 [H, W, 1 to 4], the right way up; ``image``, which is loaded, is yet to be turned by ``left``.

    Of colour Pillow keeps the high bytes alone, so OpenCV decodes it; which of the two knows best about orientation, planes
    and damage differs from version to version, so the high bytes of one must be what the other read.
    """
    if "transparency" in image.info:
        raise PictureError("marks a colour as transparent, in 16 bits; give it an alpha channel instead")
    high = turned(np.asarray(image), left)
    if image.mode.startswith("I"):
        return high.astype(np.uint16)[..., None]
    samples = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16 or samples.ndim != 3 or samples.shape[2] not in (3, 4):
        raise PictureError(ODD_16_BITS)
    if image.format == "PNG" and _png_header(path)[1] == 4:  # grey and alpha, which both may read as colour
        order, high = [0, 3], high[..., [0, -1]]
    else:
        order = [2, 1, 0, 3][: samples.shape[2]]  # BGR, BGRA
    for candidate in (samples, turned(samples, orientation)):
        if (*candidate.shape[:2], len(order)) == high.shape:
            chosen = np.ascontiguousarray(candidate[..., order])
            if (chosen.view(np.uint8).reshape(*chosen.shape, 2)[..., 1] == high).all():  # little-endian
                return chosen
    raise PictureError(ODD_16_BITS)


def _png_header(path: str | os.PathLike) -> tuple[int, int]:
    """Bits of a sample, and the colour type."""
    with open(path, "rb") as file:
        return tuple(file.read(26)[-2:])


# --- writing


def format_of(path: str | os.PathLike) -> str:
    """The format by the suffix of ``path``: PNG, JPEG, WEBP, TIFF or BMP. Raises PictureError for another one."""
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise PictureError(f"{os.fspath(path)}: cannot tell the format; end it in {', '.join(SUFFIXES)}")
    return _FORMATS.get(suffix, suffix[1:].upper())


def write_photograph(path: str | os.PathLike, photograph: Photograph) -> None:
    """Write it in the format of the suffix: whole, or not at all.

    JPEG in quality 95 and 4:4:4, WebP in quality 95, PNG, TIFF (uncompressed) and BMP without loss. 16 bits stay 16 in PNG and
    TIFF, where grey with alpha becomes RGB with alpha; the others hold 8. BMP holds neither profile nor EXIF.

    Raises:
        PictureError: names the file and why: a suffix that is none of these, transparency into JPEG or BMP, a size that
            the format has no room for.
        OSError: the disk is full, or the like.
    """
    kind, (height, width, channels) = format_of(path), photograph.pixels.shape
    if photograph.alpha is not None and photograph.alpha.dtype == np.uint16 and kind in ("PNG", "TIFF"):
        # Neither Pillow nor OpenCV reads grey with alpha of 16 bits from every file
        photograph = photograph._replace(pixels=np.repeat(photograph.pixels, 3 // channels, axis=2))
    try:
        if photograph.alpha is not None and kind in ("JPEG", "BMP"):
            if (photograph.alpha < np.iinfo(photograph.alpha.dtype).max).any():
                raise PictureError(f"is transparent in places, which {kind} cannot hold; name a .png")
            photograph = photograph._replace(alpha=None)
        if kind == "WEBP" and channels == 1 and photograph.icc:
            raise PictureError("is grey with a profile for grey, which WebP cannot hold; name a .png")
        if max(height, width) > _LONGEST.get(kind, max(height, width)):
            raise PictureError(f"{width}x{height} is more than the {_LONGEST[kind]} pixels a side of {kind}; name a .png")
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            for part in _tiff(photograph) if kind == "TIFF" else [_encoded(photograph, kind)]:
                file.write(part)
            file.flush()
    except PictureError as error:
        raise PictureError(f"{os.fspath(path)}: {error}") from None


def _encoded(photograph: Photograph, kind: str) -> bytes | memoryview:
    options = {"PNG": {"compress_level": 1}, "JPEG": {"quality": JPEG_QUALITY, "subsampling": 0},
               "WEBP": {"quality": WEBP_QUALITY, "exact": True}}.get(kind, {})  # fmt: skip
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
        Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(file, kind, **options)
    except (ValueError, OSError, SystemError) as error:  # such as an EXIF block above 64 kB
        raise PictureError(f"cannot be written as {kind} ({error})") from None
    return file.getbuffer()


def _png(pixels: np.ndarray, alpha: np.ndarray | None, options: dict) -> bytes:
    """A PNG that OpenCV encodes, with the chunks that Pillow makes.

    OpenCV knows 16 bits of colour, and takes a quarter of the time for photographs 6 % larger (run lengths alone).
    """
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    to_bgr = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(samples.shape[2])
    contents = cv2.imencode(".png", samples if to_bgr is None else cv2.cvtColor(samples, to_bgr))[1].tobytes()
    file = io.BytesIO()
    Image.new("L" if pixels.shape[2] == 1 else "RGB", (1, 1)).save(file, "PNG", **options)
    kept = b"".join(chunk for kind, chunk in _chunks(file.getvalue()) if kind in (b"iCCP", b"pHYs", b"eXIf"))
    header = 8 + 25  # signature and IHDR
    return contents[:header] + kept + contents[header:]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, whole chunk) of each chunk of a PNG."""
    start = 8
    while start < len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        yield png[start + 4 : start + 8], png[start:end]
        start = end


def _tiff(photograph: Photograph) -> Iterator[bytes | memoryview]:
    """An uncompressed TIFF of 8 or 16 bits (Pillow's own writer has no 16 bits of colour), part by part."""
    pixels, alpha = photograph.pixels, photograph.alpha
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    height, width, count = samples.shape
    if samples.nbytes > 2**32 - 2**24:
        raise PictureError(f"{width}x{height} is more than the 4 GB of a TIFF; name a .png")
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
    directory[Base.StripByteCounts] = tuple(min(rows, height - start) * samples[0].nbytes for start in starts)
    if alpha is not None:
        directory[338] = (2,)  # ExtraSamples: alpha that the colours are not multiplied by
    if photograph.icc:
        directory.tagtype[34675] = 7  # undefined bytes
        directory[34675] = photograph.icc
    if photograph.dpi:
        directory[Base.XResolution], directory[Base.YResolution], directory[Base.ResolutionUnit] = *photograph.dpi, 2
    head = io.BytesIO()
    directory.save(head)
    yield head.getvalue()
    yield memoryview(samples).cast("B")


def _exif_of(photograph: Photograph) -> bytes:
    """The block with the picture's own size in it."""
    if not photograph.exif:
        return b""
    exif = Image.Exif()
    exif.load(photograph.exif)
    within = exif.get_ifd(IFD.Exif)
    for tag, size in ((Base.ExifImageWidth, photograph.pixels.shape[1]), (Base.ExifImageHeight, photograph.pixels.shape[0])):
        if tag in within:
            within[tag] = size
    return exif.tobytes()
