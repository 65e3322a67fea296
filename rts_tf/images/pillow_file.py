"""Read JPEG, WebP, BMP, AVIF, GIF, JPEG XL and HEIC files, which Pillow decodes."""

import os

import numpy as np
from PIL import Image

from rts_tf.images import cmyk
from rts_tf.images.boxes import complete
from rts_tf.images.coding import coding_of
from rts_tf.images.content import Content, check_kind, exif_in, read_exif, samples8
from rts_tf.images.exif import upright
from rts_tf.images.jpeg_segments import read_segments
from rts_tf.images.metadata import Metadata
from rts_tf.images.read import opened


def read_with_pillow(path: str | os.PathLike, largest: int) -> Content:
    """Decode a file of a format that Pillow reads in full.

    Raises:
        ImageError: It cannot be read; see :func:`rts_tf.images.read.opened`.
    """
    with opened(path, largest=largest, check=check_kind) as image:
        unsaid = complete(image, path)
        metadata, notes = _metadata(image, path)
        notes += [unsaid] if unsaid else []
        block = image.info.get("exif")
        exif = read_exif(lambda: exif_in(block) if block else image.getexif(), metadata.xmp)
        notes += exif.notes
        coding = coding_of(image, path)
        icc = image.info.get("icc_profile") or _bmp_profile(image, path)
        image.load()
        if image.mode in ("CMYK", "LAB", "YCbCr"):
            samples, icc, note = cmyk.to_rgb(image, icc)
            notes += [note] if note else []
        elif image.mode.startswith("I"):  # JPEG XL
            samples = np.asarray(image).astype(np.uint16)[..., None]
        else:
            samples = samples8(image)
        return Content(
            samples=upright(samples, exif.orientation),
            orientation=exif.orientation,
            exif=exif.block,
            icc=icc,
            dpi=_dpi_of(image, notes),
            metadata=metadata,
            notes=notes,
            coding=coding,
        )


def _metadata(image: Image.Image, path: str | os.PathLike) -> tuple[Metadata, list[str]]:
    """The metadata of an opened file, and notes about what is left out."""
    if image.format in ("JPEG", "MPO"):
        return read_segments(image, path)
    xmp, comment = image.info.get("xmp") or b"", image.info.get("comment") or b""
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return Metadata(xmp=xmp, comments=(comment,) if comment else ()), []


def _dpi_of(image: Image.Image, notes: list[str]) -> object:
    """The resolution of an opened file. If it is a ratio alone, a note is appended."""
    density = image.info.get("jfif_density")
    if image.info.get("jfif_unit") == 0 and density and density[0] != density[1]:
        notes.append(f"its pixel aspect ratio of {density[1]}:{density[0]} was left out")
    if image.format in ("WEBP", "AVIF", "HEIF"):  # which have no place for it but EXIF
        return _dpi_in_exif(image.info.get("exif"))
    return image.info.get("dpi")


def _dpi_in_exif(block: bytes | None) -> object:
    exif = Image.Exif()
    try:
        exif.load(block or b"")
        factor = {2: 1.0, 3: 2.54}[exif.get(296, 2)]  # inch, centimetre
        return float(exif[282]) * factor, float(exif[283]) * factor
    except Exception:  # Pillow raises errors of many types
        return None


def _bmp_profile(image: Image.Image, path: str | os.PathLike) -> bytes:
    """The ICC profile in the header of a BMP file of version 5, which Pillow passes over."""
    if image.format != "BMP":
        return b""
    with open(path, "rb") as file:
        header = file.read(138)
        if int.from_bytes(header[14:18], "little") < 124 or header[70:74] != b"DEBM":
            return b""
        file.seek(14 + int.from_bytes(header[126:130], "little"))
        return file.read(int.from_bytes(header[130:134], "little"))
