"""Read PNG files. Pillow and OpenCV decode the pixels; every other chunk is read here.

The decoders get a file without those chunks, so that damage in metadata never costs the image.
"""

import io
import os
import pathlib
import struct

import numpy as np
from PIL import Image

from rts_tf.images.content import Content, check_kind, exif_in, read_exif, samples8
from rts_tf.images.exif import upright
from rts_tf.images.metadata import Metadata
from rts_tf.images.png_chunks import Header, inflated, keyword_of, taken_apart, text_of
from rts_tf.images.png_colour import COLOUR_CHUNKS
from rts_tf.images.read import opened
from rts_tf.images.sixteen_bits import colour16
from rts_tf.limits import METADATA_BYTES, are_lifted

XMP_KEYWORD = "XML:com.adobe.xmp"
# Texts in which ImageMagick keeps EXIF, XMP and both: lines of hexadecimal digits
_RAW = "Raw profile type "
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_EXIF_MARK = b"Exif\0\0"
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"


def read_png(path: str | os.PathLike, largest: int) -> Content:
    """Decode a PNG file.

    Raises:
        ImageError: It cannot be read; see :func:`rts_tf.images.read.opened`.
    """
    file = taken_apart(pathlib.Path(path).read_bytes())
    chunks = _Chunks()
    for kind, contents in file.chunks:
        chunks.take(kind, contents)
    chunks.damaged += [kind.decode("latin-1") for kind in file.damaged]
    exif = read_exif(chunks.exif, chunks.xmp)
    with opened(io.BytesIO(file.pixels), os.fspath(path), largest, check_kind) as image:
        image.load()
        samples = _samples(image, file.header, file.pixels)
        if chunks.transparent and file.header:
            samples = chunks.with_alpha(samples, file.header)
    return Content(
        samples=upright(samples, exif.orientation),
        orientation=exif.orientation,
        exif=exif.block,
        icc=chunks.icc,
        dpi=chunks.dpi,
        metadata=Metadata(xmp=chunks.xmp, chunks=tuple(chunks.copied), colour=tuple(chunks.colour)),
        notes=chunks.all_notes() + exif.notes,
    )


def _samples(image: Image.Image, header: Header | None, contents: bytes) -> np.ndarray:
    """The samples of a loaded image, uint8 or uint16 [H, W, C], without the transparent colour."""
    if header is None or header.bits < 16:
        return samples8(image)
    values = np.asarray(image)
    if header.colour_type == 0:
        return values.astype(np.uint16)[..., None]
    # Pillow may decode grey and alpha as colour and alpha
    high = values[..., [0, -1]] if header.colour_type == 4 else values
    return colour16(contents, high, 1)


class _Chunks:
    """What the chunks around the pixels say."""

    def __init__(self) -> None:
        self.icc = self.xmp = self.transparent = b""
        self.dpi: tuple[float, float] | None = None
        self.copied: list[tuple[bytes, bytes]] = []
        self.colour: list[tuple[bytes, bytes]] = []
        self.damaged: list[str] = []
        self._exif = b""
        self._room = 2**40 if are_lifted() else METADATA_BYTES  # for what is decompressed
        self._left_out: list[str] = []
        self._notes: list[str] = []

    def take(self, kind: bytes, contents: bytes) -> None:
        """Read a chunk."""
        try:
            self._take(kind, contents)
        except (ValueError, IndexError, struct.error):
            self.damaged.append(kind.decode("latin-1"))

    def _take(self, kind: bytes, contents: bytes) -> None:
        if kind == b"iCCP":
            self.icc = inflated(contents.partition(b"\0")[2][1:], self._room)
            self._room -= len(self.icc)
        elif kind == b"eXIf":
            self._exif = contents
        elif kind == b"tRNS":
            self.transparent = contents
        elif kind == b"pHYs":
            x, y, unit = struct.unpack(">IIB", contents)
            self.dpi = (x * 0.0254, y * 0.0254) if unit == 1 else None
            if unit != 1 and x != y:
                self._notes.append(f"its pixel aspect ratio of {y}:{x} was left out")
        elif kind in COLOUR_CHUNKS:
            if len(contents) != COLOUR_CHUNKS[kind]:
                raise ValueError("the size is wrong")
            self.colour.append((kind, contents))
        elif kind in _TEXTS:
            self._take_text(kind, contents)
        elif kind[3:].islower():  # may be copied whatever is done to the pixels
            self.copied.append((kind, contents))
        else:
            self._left_out.append(kind.decode("latin-1"))

    def _take_text(self, kind: bytes, contents: bytes) -> None:
        keyword, text = keyword_of(contents), text_of(kind, contents, self._room)
        self._room -= len(text)
        profile = keyword[len(_RAW) :].lower() if keyword.startswith(_RAW) else ""
        if keyword == XMP_KEYWORD:
            self.xmp = text
        elif profile in ("exif", "app1", "xmp"):
            # A newline, the name, a newline, the number of bytes, a newline, and the digits
            block = bytes.fromhex(text.decode("ascii").split("\n", 3)[3])
            if profile == "xmp" or block.startswith(_XMP_MARK):
                self.xmp = self.xmp or block.removeprefix(_XMP_MARK)
            else:
                self._exif = self._exif or block.removeprefix(_EXIF_MARK)
        else:
            self.copied.append((kind, contents))

    def exif(self) -> Image.Exif:
        """The EXIF data, empty if there are none. Pillow raises errors of many types on damage."""
        return exif_in(_EXIF_MARK + self._exif) if self._exif else Image.Exif()

    def with_alpha(self, samples: np.ndarray, header: Header) -> np.ndarray:
        """``samples`` [H, W, 1 or 3] with the alpha that the transparent colour stands for.

        The colour is in the bits of the file. Fewer than 8 were scaled to 8 with the samples.
        """
        count = {0: 1, 2: 3}.get(header.colour_type, 0)
        if count != samples.shape[2] or len(self.transparent) != 2 * count:
            self.damaged.append("tRNS")
            return samples
        white = 2**header.bits - 1
        colour = np.frombuffer(self.transparent, ">u2").astype(int) & white
        if header.bits < 8:
            colour = colour * 255 // white
        opaque = np.iinfo(samples.dtype).max
        hidden = (samples == colour.astype(samples.dtype)).all(axis=2)
        return np.dstack([samples, np.where(hidden, 0, opaque).astype(samples.dtype)])

    def all_notes(self) -> list[str]:
        """The notes about what was left out."""
        notes = list(self._notes)
        for names, what in (
            (self.damaged, "are damaged"),
            (self._left_out, "describe the old file"),
        ):
            if names:
                listed = ", ".join(dict.fromkeys(names))
                notes.append(f"these PNG chunks {what} and were left out: {listed}")
        return notes
