"""Open image files with Pillow, and refuse those that cannot be decoded as they look."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from rts_tf.errors import ImageError, first_line
from rts_tf.images.boxes import jxl_size
from rts_tf.images.formats import (
    FORMATS,
    PLUG_INS,
    SIGNATURE,
    kind_of,
    kind_of_file,
    make_known,
    refusal,
)
from rts_tf.images.quiet_pillow import quiet_pillow
from rts_tf.limits import lifting_advice

ODD_16_BITS = (
    "is of 16 bits in a way that is not supported; convert it to 8 bits, or save it as PNG"
)


@contextlib.contextmanager
def opened(
    file: str | os.PathLike | BinaryIO,
    name: str = "",
    largest: int = 0,
    check: Callable[[Image.Image], None] = lambda image: None,
) -> Iterator[Image.Image]:
    """Open an image with Pillow and check that it is of a kind that this package can use.

    Args:
        file: A path, or a file that is open for reading in binary mode.
        name: What error messages call the file; by default the path.
        largest: The limit on the number of pixels, in place of Pillow's own limit against
            decompression bombs.
        check: Raises ImageError for kinds of images that are not wanted.

    Yields:
        The image. Its pixels are not decoded yet.

    Raises:
        ImageError: The file cannot be used, or the body of the ``with`` statement failed, whatever
            it raised. The message starts with ``name`` and gives the reason.
    """
    path = file if isinstance(file, str | os.PathLike) else None
    name = name or ("the file" if path is None else os.fspath(path))
    try:
        with quiet_pillow() as default_limit, contextlib.ExitStack() as stack:
            # Pillow gets an open file instead of a path, since it decodes some rotated TIFFs (RGBA
            # in one strip) wrongly when it maps them into memory.
            if isinstance(file, str | os.PathLike):
                file = stack.enter_context(open(file, "rb"))
            if _is_large_jxl(file, largest or default_limit or 0):
                raise ImageError(too_many_pixels(largest or default_limit or 0))
            with Image.open(file, formats=_formats_for(file)) as image:
                limit = largest or default_limit
                if limit and image.width * image.height > limit:
                    raise ImageError(too_many_pixels(limit))
                check(image)
                yield image
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except UnidentifiedImageError:
        empty = path is not None and not os.path.getsize(path)
        kind = "" if path is None else kind_of_file(path)
        if kind in PLUG_INS and kind in FORMATS:
            raise ImageError(f"{name}: cannot be read (it is damaged)") from None
        raise ImageError(f"{name}: {'is empty' if empty else refusal(kind)}") from None
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        reason = getattr(error, "strerror", None) or first_line(error)
        if isinstance(error, RuntimeError) and path and kind_of_file(path) == "JXL":
            reason = "it is damaged"  # its decoder advises to build another decoder
        raise ImageError(f"{name}: cannot be read ({reason})") from None


def too_many_pixels(limit: int) -> str:
    """The reason why an image of more than ``limit`` pixels is not read."""
    return (
        f"has more than {limit / 1e6:.0f} million pixels; cut or scale it down first"
        f"{lifting_advice(limit)}"
    )


def _is_large_jxl(file: BinaryIO, limit: int) -> bool:
    """Whether a file of JPEG XL has more than ``limit`` pixels.

    The others are opened before they are decoded; the package that reads this one does both at
    once.
    """
    start = file.tell()
    is_jxl = kind_of(file.read(SIGNATURE)) == "JXL"
    file.seek(start)
    height, width = jxl_size(file.read()) if is_jxl else (0, 0)
    file.seek(start)
    return bool(limit) and height * width > limit


def _formats_for(file: BinaryIO) -> list[str]:
    """The formats among which Pillow is to choose for an open file."""
    start = file.tell()
    kind = kind_of(file.read(SIGNATURE))
    file.seek(start)
    if kind in FORMATS:
        make_known(kind)
    return [known for known in FORMATS if known not in PLUG_INS or known == kind]
