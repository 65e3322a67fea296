"""Read TIFF files: tifffile says what is in them; Pillow, tifffile or OpenCV decodes the pixels."""

import io
import os
import pathlib
from typing import Any

import tifffile
from PIL import Image
from PIL.ExifTags import IFD, Base

from rts_tf.errors import ImageError
from rts_tf.images import photoshop
from rts_tf.images.content import Content, check_kind, read_exif
from rts_tf.images.metadata import Metadata
from rts_tf.images.quiet_pillow import quiet_pillow
from rts_tf.images.read import opened, too_many_pixels
from rts_tf.images.tiff_kind import TiffKind, kind_of
from rts_tf.images.tiff_samples import decoded_by_pillow, decoded_by_tifffile

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DNG_VERSION = 50706
_MOST_PAGES = 1000  # with masks and smaller copies of the image
_MOST_SAMPLES = 64  # per pixel; programs for layout write up to 60 inks
_XMP, _IPTC, _RESOURCES, _ICC, _LAYERS, _SUB_IMAGES = 700, 33723, 34377, 34675, 37724, 330
# Of a big-endian BigTIFF, these alone are kept
_TEXTS = {
    *(Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime),
    *(Base.Artist, Base.Copyright, Base.Orientation),
}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}  # bytes of a value by the type of a tag


def read_tiff(path: str | os.PathLike, largest: int) -> Content:
    """Decode a TIFF or BigTIFF file.

    Raises:
        ImageError: It cannot be read, or holds something else than an image in grey, RGB, CMYK or
            Lab of at most 16 bits, or of floating point from 0 to 1. The message starts with the
            path and gives the reason.
    """
    try:
        file = tifffile.TiffFile(path)
    except Exception:  # it raises errors of many types on damaged files
        with opened(path, largest=largest, check=check_kind):  # says what is wrong
            raise ImageError(f"{os.fspath(path)}: cannot be read (damaged)") from None
    with file:
        try:
            return _read(file, path, largest)
        except ImageError as error:
            reason = str(error).removeprefix(f"{os.fspath(path)}: ")
        except Exception as error:
            reason = f"cannot be read ({error or type(error).__name__})"
    raise ImageError(f"{os.fspath(path)}: {reason}")


def tiff_size(path: str | os.PathLike) -> tuple[int, int]:
    """Height and width by the header; (0, 0) if the file cannot be read."""
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0].keyframe
            return int(page.imagelength), int(page.imagewidth)
    except Exception:  # it raises errors of many types on damaged files
        return 0, 0


def _read(file: tifffile.TiffFile, path: str | os.PathLike, largest: int) -> Content:
    page, notes = _only_page(file)
    if page.imagewidth * page.imagelength > largest:
        raise ImageError(too_many_pixels(largest))
    if page.samplesperpixel > _MOST_SAMPLES:
        raise ImageError(f"has {page.samplesperpixel} samples per pixel; convert it to RGB first")
    kind = kind_of(page)
    metadata, icc, more = _metadata(page)
    notes += more
    contents: bytes | None = None
    if kind.for_pillow and kind.rewritten:
        # Pillow leaves an unspecified sample out, and rounds down where it divides by alpha. It
        # decodes both as they are if the tag calls them alpha by which nothing is multiplied.
        changed = bytearray(pathlib.Path(path).read_bytes())
        plain_alpha = (2).to_bytes(2, "little" if file.byteorder == "<" else "big")
        changed[kind.rewritten : kind.rewritten + 2] = plain_alpha
        contents = bytes(changed)
    source = path if contents is None else io.BytesIO(contents)
    if kind.for_pillow and _pillow_opens(source, kind):
        with opened(source, os.fspath(path), largest, check_kind) as image:
            exif = read_exif(image.getexif, metadata.xmp)
            samples = decoded_by_pillow(image, page, kind, icc)
    else:
        exif = read_exif(lambda: _tags_without_pillow(file, page, notes), metadata.xmp)
        samples = decoded_by_tifffile(page, kind, icc, path, exif.orientation)
    return Content(
        samples=samples.array,
        orientation=exif.orientation,
        exif=exif.block,
        icc=samples.icc,
        dpi=_dpi_of(page, notes),
        metadata=metadata,
        notes=[*notes, *exif.notes, *kind.notes, *filter(None, samples.notes)],
    )


def _only_page(file: tifffile.TiffFile) -> tuple[Any, list[str]]:
    """The page that holds the image; raises ImageError if several do."""
    pages: list[Any] = []
    for page in file.pages:  # which may be a circle
        if len(pages) == _MOST_PAGES:
            raise ImageError(f"holds more than {_MOST_PAGES} images; save the one you want alone")
        pages.append(page.aspage())
    if not pages:
        raise ImageError("holds no image")
    further = [page for page in pages[1:] if not (page.is_reduced or page.is_mask)]
    if further or pages[0].imagedepth > 1:
        count = len(further) + 1 if further else pages[0].imagedepth
        raise ImageError(
            f"holds {count} images (animated or multi-page); save the one you want alone"
        )
    if pages[0].is_reduced or _DNG_VERSION in pages[0].tags:
        raise ImageError("is a raw file of a camera, which holds a preview; develop it first")
    small = len(pages) > 1 or _SUB_IMAGES in pages[0].tags
    return pages[0], ["smaller images and masks in the file were left out"] if small else []


def _pillow_opens(source: str | os.PathLike | io.BytesIO, kind: TiffKind) -> bool:
    """Whether Pillow knows this kind, and its alpha if it has one."""
    try:
        with quiet_pillow(), Image.open(source, formats=("TIFF",)) as image:
            check_kind(image)
            return (image.mode in ("LA", "PA", "RGBA")) == (kind.alpha is not None)
    except Exception:  # Pillow raises errors of many types
        return False


def _tags_without_pillow(file: tifffile.TiffFile, page: Any, notes: list[str]) -> Image.Exif:
    """The EXIF data of a file that Pillow cannot open.

    Of a big-endian BigTIFF Pillow cannot read them either. Its texts are kept, and a note says what
    is left out.
    """
    exif = Image.Exif()
    exif.endian, exif.bigtiff = file.byteorder, file.is_bigtiff
    if not (file.is_bigtiff and file.byteorder == ">"):
        with open(file.filehandle.path, "rb") as handle:
            exif.load_from_fp(handle, page.offset)
            dict(exif)
            nested = [exif.get_ifd(tag) for tag in (IFD.Exif, IFD.GPSInfo)]
        del nested  # they are read while the file is open
        return exif
    for tag in page.tags:
        if tag.code in _TEXTS and isinstance(tag.value, str | int):
            exif[tag.code] = tag.value
    if {IFD.Exif, IFD.GPSInfo} & set(page.tags.keys()):
        notes.append("the EXIF of camera and place in a big-endian BigTIFF was left out")
    return exif


def _metadata(page: Any) -> tuple[Metadata, bytes, list[str]]:
    """XMP, IPTC and Photoshop's resources, the ICC profile, and notes about what is left out."""
    notes = []
    iptc, resources = _raw(page, _IPTC), b""
    try:
        within, resources = photoshop.split(_raw(page, _RESOURCES))
        iptc = iptc or within
    except ValueError:
        notes.append("its Photoshop resources are damaged and were left out")
    if _LAYERS in page.tags:
        notes.append("its Photoshop layers were left out")
    return (
        Metadata(xmp=_raw(page, _XMP).rstrip(b"\0"), iptc=iptc, resources=resources),
        _raw(page, _ICC),
        notes,
    )


def _raw(page: Any, code: int) -> bytes:
    """The bytes of a tag, whatever type it has; none if it is missing."""
    tag = page.tags.get(code)
    if tag is None:
        return b""
    handle = page.parent.filehandle
    handle.seek(tag.valueoffset)
    return handle.read(tag.count * _SIZES.get(int(tag.dtype), 1))


def _dpi_of(page: Any, notes: list[str]) -> object:
    """The resolution in pixels per inch. If it is a ratio alone, a note is appended."""
    tags = page.tags
    try:
        (a, b), (c, d) = (tags[code].value for code in (Base.XResolution, Base.YResolution))
        x, y = a / b, c / d
        unit = int(tags[Base.ResolutionUnit].value) if Base.ResolutionUnit in tags else 2
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if unit == 1 and x != y:
        notes.append(f"its pixel aspect ratio of {y:g}:{x:g} was left out")
    factor = {2: 1.0, 3: 2.54}.get(unit)  # inch, centimetre
    return (x * factor, y * factor) if factor else None
