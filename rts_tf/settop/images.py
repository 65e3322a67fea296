"""Reads and writes images, and says what of a file is not kept."""

import os
import pathlib
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from .errors import SettopError
from .files import named_errors, publish, temporary_beside

READ = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
# By suffix, what Pillow is given to write the format.
WRITTEN: dict[str, dict[str, Any]] = {
    ".png": {},
    ".jpg": {"quality": 95, "subsampling": 0},
    ".webp": {"quality": 95},
    ".bmp": {},
}
WRITTEN |= dict.fromkeys((".jpeg", ".jpe", ".jfif", ".jfi"), WRITTEN[".jpg"])
# TIFF tags: samples, kind of pixels, planes, signs, extra samples, size of this image, raw of a DNG
_BITS, _KIND, _PLANES, _SIGNS, _EXTRA, _REDUCED, _DNG = 258, 262, 284, 339, 338, 254, 50706
# TIFF tags that say how the pixels are stored, and those that are read here
_LAYOUT = {*range(254, 300), 317, *range(320, 326), 338, 339, 347, *range(529, 533), 34675}
_COLOUR_CHUNKS = ("gAMA", "cHRM", "cICP", "mDCV", "cLLI")
_TEXT_CHUNKS = ("tEXt", "zTXt", "iTXt")
_LARGEST_EXIF = 65533  # bytes, in a JPEG


class Extras(NamedTuple):
    """What a file holds beside its pixels.

    Attributes:
        profile: the ICC profile, or None.
        exif: the EXIF of the upright image, or None.
        dpi: pixels per inch along x and y, or None.
        lost: the names of what is not kept.
    """

    profile: bytes | None = None
    exif: bytes | None = None
    dpi: tuple | None = None
    lost: tuple[str, ...] = ()


def read_image(path: str) -> tuple[np.ndarray, Extras]:
    """Read an image.

    Returns:
        The pixels, uint8 [H, W, 3], turned as EXIF says, and what else the file holds.

    Raises:
        SettopError: if the file cannot be read as one RGB or grey image of 8 bits.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=READ) as image:
                if reason := _unfit(image, path):
                    raise SettopError(f"{path}: {reason}")
                turned = ImageOps.exif_transpose(image)
                return np.asarray(turned.convert("RGB")), _extras(image, turned, path)
    except SettopError:
        raise
    except UnidentifiedImageError:
        raise SettopError(
            f"{path}: cannot be read as an image: it is none of {', '.join(READ)} that Pillow"
            " reads here, which rts_tf.enhance may do; for raw frames name their --size"
        ) from None
    except Exception as error:  # Pillow's decoders raise nearly every type on damaged files
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SettopError(
            f"{path}: cannot be read as an image ({reason}); for raw frames name their --size"
        ) from None


def _unfit(image: Image.Image, path: str) -> str:
    """Why Pillow would not decode the whole of an image to RGB; empty if it does."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        return f"holds {frames} images (animated or multi-page); save the one you want alone"
    reason = ""
    if image.mode not in ("1", "L", "P", "RGB") or "transparency" in image.info:
        reason = f"is of mode {image.mode}, or transparent"
    elif image.format == "PNG":
        with open(path, "rb") as file:
            bits = file.read(25)[24]
        reason = f"is of {bits} bits a sample" if bits > 8 else ""
    elif isinstance(image, TiffImageFile):
        if image.tag_v2.get(_REDUCED, 0) & 1 or _DNG in image.tag_v2:
            return "is a raw file of a camera, which holds a preview; develop it first"
        reason = _unfit_tiff(image.tag_v2)
    return reason and f"{reason}, not plain RGB or grey of 8 bits; rts_tf.enhance takes it"


def _unfit_tiff(tags: Mapping) -> str:
    bits = max(tags.get(_BITS, (1,)))
    if bits > 8:
        return f"is of {bits} bits a sample"
    if tags.get(_EXTRA):
        return "has samples beside its colours, perhaps alpha"
    if tags.get(_KIND) == 3 or set(tags.get(_SIGNS, (1,))) != {1} or tags.get(_PLANES) == 2:
        return "is a TIFF with a palette, with signs or with separate planes"
    return ""


def _extras(image: Image.Image, turned: Image.Image, path: str) -> Extras:
    """What the file of ``image`` holds; ``turned`` is the same image upright."""
    info, lost = image.info, []
    profile = info.get("icc_profile") or None
    if profile and image.mode not in ("RGB", "P"):
        profile = None  # of grey; what is written is RGB
        lost.append("ICC profile for grey")
    exif: Image.Exif | None = turned.getexif()
    if image.format == "TIFF":
        lost += ["other TIFF tags"] if set(turned.getexif()) - _LAYOUT else []
        exif = None
    if "xmp" in info or "XML:com.adobe.xmp" in info:
        lost.append("XMP")
    lost += [name for name, key in (("IPTC", "photoshop"), ("comment", "comment")) if info.get(key)]
    if image.format == "MPO":
        lost.append("further images")
    if image.format == "PNG":
        chunks = _chunks(path)
        usual = "sRGB" in chunks and "cICP" not in chunks
        lost += [] if usual else [name for name in _COLOUR_CHUNKS if name in chunks]
        lost += ["text"] if chunks.intersection(_TEXT_CHUNKS) and "XMP" not in lost else []
    block = exif.tobytes() if exif else None
    return Extras(profile, block, info.get("dpi"), tuple(lost))


def _chunks(path: str) -> set[str]:
    """The types of the chunks of a PNG."""
    found = set()
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            found.add(head[4:].decode("latin-1"))
            file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    return found


def write_image(path: pathlib.Path, image: np.ndarray, extras: Extras) -> list[str]:
    """Write an image, uint8 [H, W, 3], with what the format takes of ``extras``.

    Returns:
        The names of what was not kept.

    Raises:
        SettopError: if the file cannot be written; there is none then.
    """
    suffix, lost = path.suffix.lower(), list(extras.lost)
    values: dict[str, Any] = {"icc_profile": extras.profile, "exif": extras.exif, "dpi": extras.dpi}
    if suffix == ".bmp":
        lost += ["ICC profile"] if extras.profile else []
        lost += ["EXIF"] if extras.exif else []
        values = {"dpi": extras.dpi}
    elif suffix == ".webp":
        del values["dpi"]
    elif suffix != ".png" and len(extras.exif or b"") > _LARGEST_EXIF:
        lost.append("EXIF, which is too large for JPEG")
        del values["exif"]
    given = {key: value for key, value in values.items() if value}
    with named_errors(path), temporary_beside(path) as temporary:
        Image.fromarray(image).save(temporary, **WRITTEN[suffix], **given)
        publish(temporary, path)
    return lost
