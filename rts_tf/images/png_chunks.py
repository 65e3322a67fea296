"""The chunks of a PNG file: those that hold pixels, and those that say something about them."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What decodes the pixels, and what tells that a file is animated. The transparent colour of grey
# and RGB is not among them, since decoders disagree about it.
_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"}
_PALETTE = 3  # a colour type


class Header(NamedTuple):
    """What the header of a PNG file says: the size in pixels, bits a sample, and colour type."""

    width: int
    height: int
    bits: int
    colour_type: int


class PngFile(NamedTuple):
    """A PNG file taken apart.

    Attributes:
        header: Its header, or None if it does not begin like a PNG file.
        pixels: A PNG file with the same pixels and without any other chunk, so that damage in
            those does no harm.
        chunks: The types and contents of the other chunks.
        damaged: The types of chunks that were left out since their checksum is wrong.
    """

    header: Header | None
    pixels: bytes
    chunks: list[tuple[bytes, bytes]]
    damaged: list[bytes]


def taken_apart(contents: bytes) -> PngFile:
    """Take a PNG file apart. One that is cut off is taken apart as far as it goes."""
    if contents[:8] != SIGNATURE or contents[12:16] != b"IHDR" or len(contents) < 33:
        return PngFile(None, contents, [], [])
    header = Header(*struct.unpack(">IIBB", contents[16:26]))
    parts: list[bytes | memoryview] = [SIGNATURE]
    chunks: list[tuple[bytes, bytes]] = []
    damaged: list[bytes] = []
    view = memoryview(contents)
    for kind, start, end in _positions(contents):
        if kind in _PIXELS or (kind == b"tRNS" and header.colour_type == _PALETTE):
            parts.append(view[start:end])
            continue
        checksum = contents[end - 4 : end]
        if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(checksum, "big"):
            damaged.append(kind)
        else:
            chunks.append((kind, contents[start + 8 : end - 4]))
    return PngFile(header, b"".join(parts), chunks, damaged)


def _positions(contents: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type of each chunk, where it starts and where it ends."""
    start = 8
    while start + 8 <= len(contents):
        kind = contents[start + 4 : start + 8]
        end = start + 12 + int.from_bytes(contents[start : start + 4], "big")
        yield kind, start, min(end, len(contents))
        if kind == b"IEND":
            return
        start = end


def chunk(kind: bytes, contents: bytes) -> bytes:
    """All bytes of a chunk."""
    checksum = zlib.crc32(kind + contents)
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", checksum)


def keyword_of(contents: bytes) -> str:
    """The keyword of a text, or the name of a profile."""
    return contents.partition(b"\0")[0].decode("latin-1")


def text_of(kind: bytes, contents: bytes, most: int = 2**28) -> bytes:
    """The text in a chunk tEXt, zTXt or iTXt: Latin-1 in the first two, UTF-8 in the last.

    Raises:
        ValueError: It is damaged, or becomes more than ``most`` bytes when it is decompressed.
    """
    _, zero, rest = contents.partition(b"\0")
    if not zero:
        raise ValueError("the keyword does not end")
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return inflated(rest[1:], most)
    if rest.count(b"\0", 2) < 2:
        raise ValueError("the language does not end")
    compressed, (_, _, text) = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    return inflated(text, most) if compressed else text


def inflated(data: bytes, most: int = 2**28) -> bytes:
    """Decompress at most ``most`` bytes.

    Raises:
        ValueError: The data are damaged, or would become more than that.
    """
    decompressor = zlib.decompressobj()
    try:
        contents = decompressor.decompress(data, max(1, most))  # 0 stands for no limit
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not decompressor.eof:
        raise ValueError("the data are cut off, or too large")
    return contents
