"""Read from AVIF, HEIC and JPEG XL files what the decoders of Pillow do not say.

All decoders give 8 bits of colour whatever a file holds. That of JPEG XL also gives the first
image of an animation for the whole, leaves XMP out, and does not say that it has turned the pixels.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image
from PIL.ExifTags import Base

from rts_tf.errors import ImageError

_META = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # boxes that hold boxes, and what comes before those
_USUAL_PRIMARIES, _USUAL_TRANSFER = (1, 2), (1, 2, 6, 13)  # of sRGB, or not specified (H.273)

# Of width to height, by their numbers in JPEG XL; the first stands for none
_RATIOS = ((1, 1), (1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
# The types of auxiliary images that are maps of depth, in HEVC and in any codec (MPEG-B)
_DEPTH = (b"urn:mpeg:hevc:2015:auxid:2", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth")


class Unsaid(NamedTuple):
    """What a file holds beyond what Pillow gives.

    Attributes:
        bits: Of a sample.
        animated: Whether it holds several images.
        codes: The colour primaries and the transfer function that it names by number, if these are
            not those of sRGB.
        gain_map: Whether it holds a map for HDR screens.
        depth: Whether it holds a map of depth.
        xmp: Its XMP, or empty.
    """

    bits: int = 8
    animated: bool = False
    codes: tuple[int, int] | None = None
    gain_map: bool = False
    depth: bool = False
    xmp: bytes = b""


def complete(image: Image.Image, path: str | os.PathLike) -> str:
    """Complete an opened AVIF, HEIC or JPEG XL image from its file; other images are left alone.

    Returns:
        A line about what is lost when it is decoded, or empty.

    Raises:
        ImageError: The file is an animation.
    """
    if image.format not in ("AVIF", "HEIF", "JXL"):
        return ""
    with open(path, "rb") as file:
        contents = file.read()
    found = _of_jxl(contents) if image.format == "JXL" else _of_heif(contents)
    if found.animated:
        raise ImageError("holds several images (animated); save the one you want alone")
    if found.xmp:
        image.info.setdefault("xmp", found.xmp)
    if image.format == "JXL" and not getattr(image, "jpeg", False) and image.getexif():
        exif = image.getexif()
        exif[Base.Orientation] = 1  # the pixels are upright already
        image.info["exif"] = exif.tobytes()
    losses = []
    if found.bits > 8 and not image.mode.startswith("I"):
        losses.append(f"has {found.bits} bits a sample, of which 8 were kept")
    if found.codes and not image.info.get("icc_profile"):
        primaries, transfer = found.codes
        losses.append(
            f"has colours that it describes by numbers (primaries {primaries}, transfer function"
            f" {transfer}), and that description was left out"
        )
    if found.gain_map:
        losses.append("has a gain map for HDR screens, which was left out")
    if found.depth:
        losses.append("has a map of depth, which was left out")
    return "; ".join(losses)


def _boxes(contents: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the contents of each box of an ISO base media file."""
    start, end = 0, len(contents)
    while start + 8 <= end:
        size, head = int.from_bytes(contents[start : start + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(contents[start + 8 : start + 16], "big"), 16
        stop = end if size == 0 else min(end, start + size)
        if stop < start + head:
            return
        yield contents[start + 4 : start + 8], contents[start + head : stop]
        start = stop


def _nested(contents: bytes) -> Iterator[tuple[bytes, bytes]]:
    for kind, inner in _boxes(contents):
        yield kind, inner
        if kind in _META:
            yield from _nested(inner[_META[kind] :])


def _of_heif(contents: bytes) -> Unsaid:
    """What the boxes of an AVIF or HEIC file say."""
    found = Unsaid()
    for kind, inner in _nested(contents):
        if kind == b"pixi" and len(inner) > 5:
            found = found._replace(bits=max(found.bits, *inner[5:]))
        if kind == b"colr" and inner[:4] == b"nclx":
            codes = int.from_bytes(inner[4:6], "big"), int.from_bytes(inner[6:8], "big")
            usual = codes[0] in _USUAL_PRIMARIES and codes[1] in _USUAL_TRANSFER
            found = found._replace(codes=found.codes if usual else codes)
        if kind == b"iinf" and b"tmap" in inner:
            found = found._replace(gain_map=True)
        if kind == b"auxC":
            if b"hdrgainmap" in inner:
                found = found._replace(gain_map=True)
            if inner[4:].startswith(_DEPTH):
                found = found._replace(depth=True)
    return found


def jxl_size(contents: bytes) -> tuple[int, int]:
    """The height and width of a file of JPEG XL, as its header says; (0, 0) if it has none."""
    codestream = _codestream(contents)
    return _Bits(codestream[2:]).size() if len(codestream) > 2 else (0, 0)


def _codestream(contents: bytes) -> bytes:
    """The codestream of a file of JPEG XL, or its first part."""
    if contents.startswith(b"\xff\x0a"):
        return contents
    boxes = list(_boxes(contents))
    first = next((inner for kind, inner in boxes if kind == b"jxlc"), b"")
    return first or next((inner[4:] for kind, inner in boxes if kind == b"jxlp"), b"")


def _of_jxl(contents: bytes) -> Unsaid:
    found = _of_codestream(_codestream(contents))
    if contents.startswith(b"\xff\x0a"):
        return found
    for kind, inner in _boxes(contents):
        if kind == b"xml ":
            found = found._replace(xmp=inner)
        if kind == b"jhgm":
            found = found._replace(gain_map=True)
    return found


class _Bits:
    """Reads numbers from a codestream of JPEG XL, whose first bit is the lowest of its byte."""

    def __init__(self, data: bytes):
        self._value = int.from_bytes(data[:64], "little")

    def read(self, count: int) -> int:
        value, self._value = self._value & ((1 << count) - 1), self._value >> count
        return value

    def choose(self, *counts: int) -> int:
        """A number of as many bits as two bits say."""
        return self.read(counts[self.read(2)])

    def size(self) -> tuple[int, int]:
        """A height and a width."""
        small = self.read(1)
        height, ratio = self._side(small), self.read(3)
        across, down = _RATIOS[ratio]
        return height, height * across // down if ratio else self._side(small)

    def _side(self, small: int) -> int:
        return 8 * (self.read(5) + 1) if small else self.choose(9, 13, 18, 30) + 1


def _of_codestream(data: bytes) -> Unsaid:
    """What ImageMetadata says, ISO/IEC 18181-1. Of an image with a preview nothing is known."""
    bits = _Bits(data[2:])
    bits.size()
    if bits.read(1):  # all is as usual
        return Unsaid()
    if bits.read(1):
        bits.read(3)  # orientation
        if bits.read(1):
            bits.size()
        if bits.read(1):  # a preview
            return Unsaid()
        if bits.read(1):
            return Unsaid(animated=True)
    if bits.read(1):  # floating point
        choice = bits.read(2)
        return Unsaid(bits=1 + bits.read(6) if choice == 3 else (32, 16, 24)[choice])
    choice = bits.read(2)
    return Unsaid(bits=1 + bits.read(6) if choice == 3 else (8, 10, 12)[choice])
