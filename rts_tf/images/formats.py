"""The formats of image files: how they begin, how their files are called, and which are written.

A file is of the format that its first bytes say, whatever its name is.
"""

import contextlib
import importlib
import os
import pathlib
from typing import NamedTuple

from PIL import Image, features

SIGNATURE = 64  # bytes at the start of a file that tell the format


class Format(NamedTuple):
    """A format of image files.

    Attributes:
        name: What people call it.
        suffixes: Those of its files, in lower case; new files get the first one.
        written: Whether images are written in it. GIF holds 256 colours, and the package that
            writes JPEG XL leaves out colour profiles.
    """

    name: str
    suffixes: tuple[str, ...]
    written: bool = True


# By Pillow's names
KINDS = {
    "PNG": Format("PNG", (".png",)),
    "JPEG": Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif")),
    "WEBP": Format("WebP", (".webp",)),
    "TIFF": Format("TIFF", (".tif", ".tiff")),
    "BMP": Format("BMP", (".bmp",)),
    "AVIF": Format("AVIF", (".avif",)),
    "GIF": Format("GIF", (".gif",), written=False),
    "JXL": Format("JPEG XL", (".jxl",), written=False),
}
_ALL = [kind.name for kind in KINDS.values()]
NAMES = f"{', '.join(_ALL[:-1])} or {_ALL[-1]}"
IMAGE_SUFFIXES = tuple(suffix for kind in KINDS.values() for suffix in kind.suffixes)
WRITTEN_SUFFIXES = tuple(s for kind in KINDS.values() if kind.written for s in kind.suffixes)


def _readable() -> tuple[str, ...]:
    """Pillow's names of the formats that can be read with what is installed."""
    missing = set() if features.check("avif") else {"AVIF"}
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_jxl")
    if "JXL" not in Image.OPEN:
        missing.add("JXL")
    return tuple(kind for kind in KINDS if kind not in missing)


# Pillow would read other formats too, for example EPS by starting Ghostscript
FORMATS = _readable()


def kind_of_suffix(path: str | os.PathLike) -> str:
    """The format that the suffix of a path stands for, by Pillow's name; empty if there is none."""
    suffix = pathlib.Path(path).suffix.lower()
    return next((kind for kind, format in KINDS.items() if suffix in format.suffixes), "")


def kind_of_file(path: str | os.PathLike) -> str:
    """The format of a file by its first bytes, by Pillow's name.

    Returns:
        Empty if the file is none of ``KINDS``, or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return kind_of(file.read(SIGNATURE))
    except OSError:
        return ""


def kind_of(start: bytes) -> str:
    """The format of a file that begins with ``start``, ``SIGNATURE`` bytes or all that it has."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0\x08\0", b"MM\0+\0\x08")):  # "+": BigTIFF
        return "" if start[8:10] == b"CR" else "TIFF"  # the preview in a raw file of Canon
    # Text may begin with these letters too; the size of the second header follows, a small number
    if start.startswith(b"BM") and 12 <= int.from_bytes(start[14:18], "little") <= 124:
        return "BMP"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if start.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return "JXL"
    if start[4:8] == b"ftyp":
        brands = start[8 : min(len(start), int.from_bytes(start[:4], "big"))]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
    return ""


def refusal(kind: str) -> str:
    """Why a file of the format ``kind``, or of none if it is empty, is not read."""
    if kind and kind not in FORMATS:
        return f"is {KINDS[kind].name}; to read it, pip install 'rts_tf[images]'"
    return f"is not a {NAMES} image"
