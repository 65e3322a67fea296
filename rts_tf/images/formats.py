"""The formats of image files: how they begin, how their files are called, and which are written.

A file is of the format that its first bytes say, whatever its name is.
"""

import functools
import importlib
import importlib.util
import os
import pathlib
from typing import NamedTuple

from PIL import features

SIGNATURE = 64  # bytes at the start of a file that tell the format


class Format(NamedTuple):
    """A format of image files.

    Attributes:
        name: What people call it.
        suffixes: Those of its files, in lower case; new files get the first one.
        written: Whether images are written in it. GIF holds 256 colours, the package that writes
            JPEG XL leaves out colour profiles, and HEIC needs an encoder under another license.
        instead: The format, by Pillow's name, that an image becomes where its own is not written.
            HEIC is what phones make, and its images would be four times as large in PNG.
    """

    name: str
    suffixes: tuple[str, ...]
    written: bool = True
    instead: str = "PNG"

    @property
    def suffix_written(self) -> str:
        """The suffix of a new file for an image that was read in this format."""
        return self.suffixes[0] if self.written else KINDS[self.instead].suffixes[0]


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
    "HEIF": Format("HEIC", (".heic", ".heif", ".hif"), written=False, instead="JPEG"),
}
# The packages that read formats which Pillow does not. They are imported for such a file only.
PLUG_INS = {"JXL": "pillow_jxl", "HEIF": "pillow_heif"}
_ALL = [kind.name for kind in KINDS.values()]
NAMES = f"{', '.join(_ALL[:-1])} or {_ALL[-1]}"
IMAGE_SUFFIXES = tuple(suffix for kind in KINDS.values() for suffix in kind.suffixes)
WRITTEN_SUFFIXES = tuple(s for kind in KINDS.values() if kind.written for s in kind.suffixes)


def _readable() -> tuple[str, ...]:
    """Pillow's names of the formats that can be read with what is installed."""
    missing = {kind for kind, name in PLUG_INS.items() if not importlib.util.find_spec(name)}
    if not features.check("avif"):
        missing.add("AVIF")
    return tuple(kind for kind in KINDS if kind not in missing)


@functools.cache
def make_known(kind: str) -> None:
    """Make a format known to Pillow, if it is one of ``PLUG_INS``.

    Raises:
        ImportError: The package is not installed, or not whole.
    """
    if kind not in PLUG_INS:
        return
    plug_in = importlib.import_module(PLUG_INS[kind])
    if kind == "HEIF":  # the other package does this when it is imported
        plug_in.register_heif_opener(thumbnails=False)


# In ISO/IEC 23008-12: images, and sequences of them, in HEVC
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
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
        listed = start[8 : min(len(start), int.from_bytes(start[:4], "big"))]
        brands = {listed[i : i + 4] for i in range(0, len(listed), 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIC_BRANDS:
            return "HEIF"
    return ""


def refusal(kind: str) -> str:
    """Why a file of the format ``kind``, or of none if it is empty, is not read."""
    if kind and kind not in FORMATS:
        return f"is {KINDS[kind].name}; to read it, pip install 'rts_tf[images]'"
    return f"is not a {NAMES} image"
