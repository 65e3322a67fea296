"""Reads what an image file holds, without the readers of the package, to compare two files.

PNG is decoded here byte by byte, since Pillow reads 8 of 16 bits of colour, and TIFF by tifffile.
"""

import io
import pathlib
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image
from PIL.ExifTags import IFD, Base

from tests.formats.image_parts import CAPTION

XMP_KEY, IPTC_RESOURCE = b"XML:com.adobe.xmp", 0x0404
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, PROFILE_TAG = 700, 33723, 34377, 34675


class ImageContents(NamedTuple):
    """What an image file holds.

    Attributes:
        pixels: As they are stored, uint8 or uint16 [H, W, 1 or 3]; None if they were not decoded.
        alpha: [H, W] of the same type, or None.
        profile: The ICC profile, or empty.
        exif: Make, f-number, GPS and orientation, as far as they are there.
        xmp: The packet, or empty.
        iptc: Whether the caption is there.
        texts: Of a PNG, by key.
        comment: Of a JPEG or GIF, or empty.
        dpi: Pixels per inch along x; 0 if nothing is said.
        chunks: Those of a PNG by their type.
    """

    pixels: np.ndarray | None
    alpha: np.ndarray | None
    profile: bytes
    exif: dict[str, object]
    xmp: bytes
    iptc: bool
    texts: dict[str, str]
    comment: bytes
    dpi: float
    chunks: dict[bytes, bytes]


def read_contents(path: pathlib.Path, pixels: bool = True) -> ImageContents:
    """Read the file at ``path``; without ``pixels`` only what belongs to them."""
    data = path.read_bytes()
    if data[:2] in (b"II", b"MM"):
        return _read_tiff(data, pixels)
    with Image.open(io.BytesIO(data)) as image:
        kind, info = image.format, dict(image.info)
        exif = _exif(image)
        colours, alpha = _decoded(image) if pixels and kind != "PNG" else (None, None)
    chunks = dict(png_chunks(data)) if kind == "PNG" else {}
    if pixels and kind == "PNG":
        colours, alpha = decode_png(data)
    texts = dict(_texts(data)) if kind == "PNG" else {}
    xmp = texts.pop(XMP_KEY.decode(), "").encode() or info.get("xmp") or b""
    comment = info.get("comment") or b""
    resources = info.get("photoshop") or {}
    return ImageContents(
        colours,
        alpha,
        info.get("icc_profile") or b"",
        exif,
        xmp.encode() if isinstance(xmp, str) else bytes(xmp),
        CAPTION in resources.get(IPTC_RESOURCE, b"") or _iptc_in_png(texts),
        texts,
        comment.encode() if isinstance(comment, str) else comment,
        _dpi(info, exif),
        chunks,
    )


def _read_tiff(data: bytes, pixels: bool) -> ImageContents:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].tags
        values = {tag.code: tag.value for tag in tags}
    exif: dict[str, object] = {"orientation": int(values.get(Base.Orientation, 1))}
    if Base.Make in values:
        exif["make"] = values[Base.Make].strip("\0")
    nested = values.get(IFD.Exif) or {}
    if "FNumber" in nested:
        number = nested["FNumber"]
        number = number[0] / number[1] if isinstance(number, tuple) else number
        exif["f-number"] = round(number, 2)
    if "GPSLatitudeRef" in (values.get(IFD.GPSInfo) or {}):
        exif["GPS"] = values[IFD.GPSInfo]["GPSLatitudeRef"]
    blocks = [_bytes(values.get(tag)) for tag in (IPTC_TAG, PHOTOSHOP_TAG)]
    across = values.get(Base.XResolution, (0, 1))
    unit = int(values.get(Base.ResolutionUnit, 2))
    dpi = across[0] / across[1] * (2.54 if unit == 3 else 1) if unit > 1 else 0.0
    colours, alpha = _decode_tiff(data) if pixels else (None, None)
    return ImageContents(
        colours,
        alpha,
        _bytes(values.get(PROFILE_TAG)),
        exif,
        _bytes(values.get(XMP_TAG)),
        any(CAPTION in block for block in blocks),
        {"ImageDescription": str(values.get(Base.ImageDescription, ""))},
        b"",
        dpi,
        {},
    )


def _bytes(value: object) -> bytes:
    """The bytes of a tag, which tifffile also gives as numbers."""
    if isinstance(value, tuple):
        try:
            return bytes(value)
        except (TypeError, ValueError):  # IPTC is often marked as numbers of 32 bits
            return b"".join(int(number).to_bytes(4, "little") for number in value)
    return value.encode() if isinstance(value, str) else bytes(value or b"")  # type: ignore


def _iptc_in_png(texts: dict[str, str]) -> bool:
    """ImageMagick and others keep IPTC as hexadecimal text."""
    return any(CAPTION.hex() in "".join(text.split()).lower() for text in texts.values())


def _exif(image: Image.Image) -> dict[str, object]:
    block = image.getexif()
    found: dict[str, object] = {}
    if Base.Make in block:
        found["make"] = str(block[Base.Make]).strip("\0")
    number = block.get_ifd(IFD.Exif).get(Base.FNumber)
    if number is not None:
        found["f-number"] = round(float(number), 2)
    north = block.get_ifd(IFD.GPSInfo).get(1)
    if north is not None:
        found["GPS"] = north
    found["orientation"] = block.get(Base.Orientation, 1)
    unit = 2.54 if block.get(Base.ResolutionUnit) == 3 else 1
    if Base.XResolution in block:
        found["dpi"] = float(block[Base.XResolution]) * unit
    return found


def _dpi(info: dict, exif: dict) -> float:
    dpi = info.get("dpi")
    try:
        return float(dpi[0]) if dpi else float(exif.get("dpi", 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def _decoded(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    grey = image.mode in ("1", "L", "LA")
    clear = image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info
    mode = ("LA" if clear else "L") if grey else ("RGBA" if clear else "RGB")
    values = np.asarray(image.convert(mode))
    values = values if values.ndim == 3 else values[..., None]
    return (values[..., :-1], values[..., -1]) if clear else (values, None)


def _decode_tiff(data: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        values, extra = page.asarray(), tuple(page.extrasamples or ())
        photometric = page.photometric.name
    values = values if values.ndim == 3 else values[..., None]
    assert photometric in ("RGB", "MINISBLACK"), photometric
    if extra or values.shape[2] in (2, 4):
        return values[..., :-1], values[..., -1]
    return values, None


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The type and the contents of each chunk of a PNG."""
    place = 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    for kind, chunk in png_chunks(data):
        key, _, rest = chunk.partition(b"\0")
        if kind == b"tEXt":
            yield key.decode("latin-1"), rest.decode("latin-1")
        elif kind == b"zTXt":
            yield key.decode("latin-1"), zlib.decompress(rest[1:]).decode("latin-1")
        elif kind == b"iTXt":
            packed, text = rest[0], rest[2:].split(b"\0", 2)[2]
            text = zlib.decompress(text) if packed else text
            yield key.decode("latin-1"), text.decode("utf-8")


def decode_png(data: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode a PNG without interlacing: [H, W, 1 or 3] and alpha, in 8 or 16 bits."""
    chunks: dict[bytes, bytes] = {}
    for kind, chunk in png_chunks(data):
        chunks[kind] = chunks.get(kind, b"") + chunk
    header = chunks[b"IHDR"]
    width, height = (int.from_bytes(header[i : i + 4], "big") for i in (0, 4))
    bits, colour_type, interlaced = header[8], header[9], header[12]
    assert not interlaced
    count = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    rows = _unfiltered(zlib.decompress(chunks[b"IDAT"]), height, width * bits * count, bits * count)
    if bits == 16:
        values = rows.view(">u2").astype(np.uint16).reshape(height, width, count)
    elif bits == 8:
        values = rows.reshape(height, width, count)
    else:
        spread = np.unpackbits(rows, axis=1)[:, : width * bits].reshape(height, width, bits)
        values = np.dot(spread, 1 << np.arange(bits)[::-1]).astype(np.uint8)[..., None]
    return _shown(values, bits, colour_type, chunks)


def _shown(
    values: np.ndarray, bits: int, colour_type: int, chunks: dict[bytes, bytes]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours and alpha, with the palette and the colour that counts as transparent."""
    key, peak = chunks.get(b"tRNS"), 65535 if bits == 16 else 255
    if colour_type == 3:
        palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
        alpha = None
        if key is not None:
            levels = np.full(256, 255, np.uint8)
            levels[: len(key)] = np.frombuffer(key, np.uint8)
            alpha = levels[values[..., 0]]
        return palette[values[..., 0]], alpha
    alpha = None
    if key is not None:
        colour = np.frombuffer(key, ">u2")
        alpha = np.where((values == colour).all(-1), 0, peak).astype(values.dtype)
    if colour_type in (4, 6):
        values, alpha = values[..., :-1], values[..., -1]
    if bits < 8:
        values = (values.astype(int) * 255 // (2**bits - 1)).astype(np.uint8)
    return values, alpha


def _unfiltered(data: bytes, height: int, row_bits: int, pixel_bits: int) -> np.ndarray:
    """Undo the filters of the rows of a PNG: uint8 [H, bytes]."""
    length, step = -(-row_bits // 8), max(1, pixel_bits // 8)
    above = bytearray(length)
    rows = []
    for i in range(height):
        start = i * (length + 1)
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + length])
        for j in range(length if kind else 0):
            left = row[j - step] if j >= step else 0
            corner = above[j - step] if j >= step else 0
            row[j] = row[j] + _predicted(kind, left, above[j], corner) & 255
        rows.append(row)
        above = row
    return np.frombuffer(b"".join(rows), np.uint8).reshape(height, length).copy()


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    distances = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
    return (left, up, corner)[distances.index(min(distances))]
