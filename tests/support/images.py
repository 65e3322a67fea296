"""Good and bad image files by name, for the tests of every command that reads folders of them."""

import struct

import numpy as np
from PIL import Image

from tests.support.commands import photo
from tests.support.image_files import chunk, saved


def damaged(contents: bytes) -> bytes:
    """The file with sixteen zero bytes in the middle."""
    middle = len(contents) // 2
    return contents[:middle] + bytes(16) + contents[middle + 16 :]


def transparent() -> Image.Image:
    image = photo()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def white_at_zero() -> bytes:
    """A 16-bit grey TIFF with tag 262 set to WhiteIsZero."""
    file = saved(Image.fromarray(np.asarray(photo().convert("L"), np.uint16) * 257), "TIFF")
    old, new = (struct.pack("<HHIHH", 262, 3, 1, value, 0) for value in (1, 0))
    assert file.count(old) == 1
    return file.replace(old, new)


GREY_32 = Image.fromarray(np.asarray(photo().convert("L"), np.int32))
BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", b"")
)

BAD = {  # name: (contents, reason)
    "zero bytes.png": (b"", "is empty"),
    "truncated.png": (saved(photo(), "PNG")[:-3000], "cannot be read"),
    "truncated.jpg": (saved(photo(), "JPEG")[:-300], "cannot be read"),
    "truncated.webp": (saved(photo(), "WEBP")[:-100], "is not a PNG, JPEG|cannot be read"),
    "truncated.tif": (saved(photo(), "TIFF")[:900], "cannot be read"),
    "truncated.bmp": (saved(photo(), "BMP")[:900], "cannot be read"),
    "header only.png": (saved(photo(), "PNG")[:20], "is not a PNG|cannot be read"),
    "damaged.png": (damaged(saved(photo(), "PNG")), "cannot be read"),
    "without data.png": (
        saved(photo(), "PNG").replace(b"IDAT", b"IDAX", 1),
        "is not a PNG|cannot be read",
    ),
    "bomb.png": (BOMB, "has more than [0-9]+ million pixels; cut or scale it down"),
    "404.jpg": (
        b"<!DOCTYPE html><title>404 Not Found</title>",
        "is not a PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG XL or HEIC image",
    ),
    "heic.jpg": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400),
        "cannot be read .it is damaged|is HEIC; to read it, pip install",
    ),
    "svg.png": (
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "is not a PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG XL or HEIC image",
    ),
    "float.tiff": (saved(photo().convert("F"), "TIFF"), "has floating point samples from"),
    "grey of 32 bits.tif": (saved(GREY_32, "TIFF"), "has signed integers as samples"),
    "animated.webp": (
        saved(photo(), "WEBP", save_all=True, append_images=[photo(3)]),
        "holds 2 images",
    ),
    "animated.png": (
        saved(photo(), "PNG", save_all=True, append_images=[photo(3)]),
        "holds 2 images",
    ),
    "pages.tif": (
        saved(photo(), "TIFF", save_all=True, append_images=[photo(3)]),
        "holds 2 images",
    ),
    "transparent.png": (saved(transparent(), "PNG"), "is transparent in places.*flatten it"),
    "transparent.webp": (
        saved(transparent(), "WEBP", lossless=True),
        "is transparent in places.*flatten it",
    ),
    "1x1.png": (saved(photo(0, 1, 1), "PNG"), "1x1 is smaller than 32 pixels a side"),
    "smaller than a patch.png": (
        saved(photo(0, 31, 200), "PNG"),
        "200x31 is smaller than 32 pixels a side",
    ),
    "odd and too small.png": (saved(photo(0, 33, 31), "PNG"), "31x33 is smaller than 32"),
    "two\nlines.png": (b"", "is empty"),
    "-dash.jpg": (b"", "is empty"),
    "[bold]markup[/bold].png": (b"", "is empty"),
    "\u5c71 \u00fcber 'all' \"the\" rest.png": (b"", "is empty"),
}
DANGLING, LOOP, NOT_UTF8 = (
    "dangling.png",
    "loop.png",
    b"caf\xe9.png".decode("utf-8", "surrogateescape"),
)


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(photo(1, 64, 40), "JPEG", exif=exif)


GOOD = {  # name: (contents, height and width in the run, which are even)
    "odd.png": (saved(photo(1, 65, 77), "PNG"), (64, 76)),
    "exactly a patch.png": (saved(photo(2, 32, 33), "PNG"), (32, 32)),
    "rotated.JPG": (rotated(), (40, 64)),
    "jpeg.png": (saved(photo(3), "JPEG"), (64, 64)),
    "grey.jpg": (saved(photo(4).convert("L"), "JPEG"), (64, 64)),
    "palette.png": (saved(photo(5).quantize(64), "PNG"), (64, 64)),
    "opaque.png": (saved(photo(6).convert("RGBA"), "PNG"), (64, 64)),
    "16 bits.png": (
        saved(Image.fromarray(np.asarray(photo(7).convert("L"), np.uint16) * 257), "PNG"),
        (64, 64),
    ),
    "below/it/a.tiff": (saved(photo(8), "TIFF"), (64, 64)),
    "folder.png/b.webp": (saved(photo(9), "WEBP"), (64, 64)),
    "--stages=9.bmp": (saved(photo(10), "BMP"), (64, 64)),
    "\u5c71 \u00fcber.png": (saved(photo(11), "PNG"), (64, 64)),
    "e\u0301 decomposed.png": (saved(photo(12), "PNG"), (64, 64)),
    "good\nlines.png": (saved(photo(13), "PNG"), (64, 64)),
    "[red]'\"$(x).png": (saved(photo(14), "PNG"), (64, 64)),
    "a GIF.png": (saved(photo(16), "GIF"), (64, 64)),
    "still.avif": (saved(photo(17), "AVIF"), (64, 64)),
    "paint.jfif": (saved(photo(18), "JPEG"), (64, 64)),
    "cmyk.jpg": (saved(photo(19).convert("CMYK"), "JPEG"), (64, 64)),
    "cmyk.tif": (saved(photo(20).convert("CMYK"), "TIFF"), (64, 64)),
    "lab.tif": (saved(photo(21).convert("LAB"), "TIFF"), (64, 64)),
    "white at zero.tif": (white_at_zero(), (64, 64)),
    "camera.jpg": (
        saved(photo(15), "MPO", save_all=True, append_images=[photo(15, 32, 32)]),
        (64, 64),
    ),
}
