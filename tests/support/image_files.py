"""Image files for the tests: pixels, a profile and EXIF to write, and files made byte by byte."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base
from skimage import data

from rts_tf.images.icc import SRGB_CURVE, SRGB_PRIMARIES, profile

# uint8 and uint16 [41, 55, 3]; the sides are odd and differ, so that no wrong rotation goes unseen
EIGHT = np.ascontiguousarray(data.chelsea()[100:141, 120:175])
SIXTEEN = np.rint(65535 * (EIGHT / 255.0) ** 1.3).astype(np.uint16)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

GREY_PROFILE = profile(SRGB_PRIMARIES, SRGB_CURVE, 1, "grey")

# By EXIF orientation (tag 0x0112): from the stored samples [H, W, C] to the upright ones
ORIENTED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: x.transpose(1, 0, 2)[:, ::-1],
    7: lambda x: x.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda x: x.transpose(1, 0, 2)[::-1],
}


def exif(orientation: int = 1, artist: str = "") -> bytes:
    """An EXIF block with entries of every directory that is kept."""
    block = Image.Exif()
    if artist:
        block[Base.Artist] = artist
    block[Base.Orientation] = orientation
    block[Base.Make], block[Base.Copyright] = "a camera", "somebody"
    block.get_ifd(IFD.Exif)[Base.FNumber] = 2.8
    block.get_ifd(IFD.Exif)[Base.ExifImageWidth] = 4000
    block.get_ifd(IFD.GPSInfo)[1] = "N"
    return block.tobytes()


def check_exif(found: bytes, orientation: int = 1, width: int = 0) -> None:
    """Check that ``found`` has the entries of :func:`exif`, and the image width unless it is 0."""
    block = Image.Exif()
    block.load(found)
    assert block[Base.Orientation] == orientation
    assert (block[Base.Make], block[Base.Copyright]) == ("a camera", "somebody")
    assert float(block.get_ifd(IFD.Exif)[Base.FNumber]) == 2.8
    assert block.get_ifd(IFD.GPSInfo)[1] == "N"
    if width:
        assert block.get_ifd(IFD.Exif)[Base.ExifImageWidth] == width


def saved(image: Image.Image, kind: str, **options) -> bytes:
    """The file that Pillow writes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tif(samples: np.ndarray, **options) -> bytes:
    """The file that tifffile writes."""
    file = io.BytesIO()
    tifffile.imwrite(file, samples, **options)
    return file.getvalue()


def planes(colour16: np.ndarray) -> bytes:
    """A TIFF of uint16 [H, W, 3] that stores the colours one after the other."""
    return tif(colour16.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")


def chunk(kind: bytes, contents: bytes) -> bytes:
    """A chunk of a PNG."""
    checksum = zlib.crc32(kind + contents)
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", checksum)


def png(
    width: int, height: int, bits: int, colour_type: int, rows: bytes, *chunks: tuple[bytes, bytes]
) -> bytes:
    """A PNG of a kind that Pillow does not write, with ``chunks`` before the pixels.

    ``rows`` are the samples with a filter byte before each row, as :func:`rows_of` makes them.
    """
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def rows_of(samples: np.ndarray) -> bytes:
    """The rows of a PNG, each with the filter byte "none"."""
    return b"".join(b"\0" + row.tobytes() for row in samples)


def tiff(
    samples: np.ndarray, bits: int, white_at_zero: bool = False, sample_format: int = 1
) -> bytes:
    """A grey TIFF of one strip.

    Args:
        samples: [H, W] of a little-endian (or one-byte) type, or the packed bytes of each row; a
            big-endian type makes a big-endian file.
        bits: per sample.
        white_at_zero: whether 0 stands for white.
        sample_format: 1 for unsigned and 2 for signed integers.
    """
    order = ">" if samples.dtype.byteorder == ">" else "<"
    height, contents = len(samples), samples.tobytes()
    width = 8 * samples[0].nbytes // bits
    tags = {
        256: width,
        257: height,
        258: bits,
        259: 1,
        262: 0 if white_at_zero else 1,
        273: 8,
        277: 1,
        278: height,
        279: len(contents),
        339: sample_format,
    }
    entries = [struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items()]
    signature = b"MM\0*" if order == ">" else b"II*\0"
    directory = struct.pack(f"{order}H", len(tags)) + b"".join(entries) + bytes(4)
    return signature + struct.pack(f"{order}I", 8 + len(contents)) + contents + directory


def cmyk_profile() -> bytes:
    """A small ICC profile for CMYK in which black ink alone is a dark blue."""
    corners = np.empty((2, 2, 2, 2, 3))  # by cyan, magenta, yellow and black: L, a, b
    for c, m, y, k in np.ndindex(2, 2, 2, 2):
        light = 100 - 30 * c - 40 * m - 10 * y
        corners[c, m, y, k] = (20, 10, -40) if k else (light, 60 * (m - c), 70 * (y - m))
    scaled = np.clip(np.rint(corners * (2.55, 1, 1) + (0, 128, 128)), 0, 255).astype(np.uint8)
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + 4 * ramp
    table += scaled.tobytes() + 3 * ramp
    text = b"text" + bytes(4) + b"none\0\0\0\0"
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    description = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": description, b"cprt": text, b"wtpt": white, b"A2B0": table}
    start, entries, contents = 128 + 4 + 12 * len(tags), b"", b""
    for name, tag in tags.items():
        entries += struct.pack(">4sII", name, start + len(contents), len(tag))
        contents += tag + bytes(-len(tag) % 4)
    size = start + len(contents)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + contents
