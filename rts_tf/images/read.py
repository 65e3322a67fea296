"""Decode image files to plain 8-bit RGB, for training and metrics.

:mod:`rts_tf.images.image_file` reads files with everything that belongs to them (alpha, 16 bits,
ICC profile, EXIF), for images that people keep.
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import TiffImageFile

from rts_tf.errors import ImageError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
# Pillow would read other formats too, for example EPS by starting Ghostscript
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
ODD_16_BITS = (
    "is of 16 bits in a way that is not supported; convert it to 8 bits, or save it as PNG"
)
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "I;16B", "I;16L", "I")
_TRANSPARENT = "is transparent in places, where it has no colour to learn from; flatten it first"
_ODD_GREY = (
    "is a grey TIFF, but not of 16 bits from black at 0 to white; convert it to 8 bits first"
)


def read_image(file: str | os.PathLike | BinaryIO, name: str = "") -> np.ndarray:
    """Decode an image file to 8-bit RGB.

    EXIF orientation is applied. Grey and palette images become RGB. Grey of 16 bits is rounded to
    8 bits; of colour in 16 bits Pillow keeps the high byte, which is at most one level off. An
    alpha channel that is opaque everywhere is dropped. If a JPEG file also holds a preview, as many
    cameras write it (MPO), the main image is decoded.

    Args:
        file: A path, or a file that is open for reading in binary mode.
        name: What error messages call the file; by default the path.

    Returns:
        uint8 [H, W, 3], writeable.

    Raises:
        ImageError: The file is unreadable, truncated, CMYK, floating point, grey of 12 or 32 bits,
            animated or transparent, or has more pixels than Pillow's limit against decompression
            bombs. The message starts with ``name`` and gives the reason.
    """
    with opened(file, name) as image:
        return _to_rgb(image)


@contextlib.contextmanager
def opened(
    file: str | os.PathLike | BinaryIO,
    name: str = "",
    largest: int = 0,
    check: Callable[[Image.Image], None] | None = None,
) -> Iterator[Image.Image]:
    """Open an image with Pillow and check that it is of a kind that this package can use.

    Args:
        file: A path, or a file that is open for reading in binary mode.
        name: What error messages call the file; by default the path.
        largest: The limit on the number of pixels, in place of Pillow's own limit against
            decompression bombs. Pillow's limit is a global variable, so only one thread at a time
            may set another one.
        check: Raises ImageError for kinds of images that are not wanted, in place of the check
            for 8-bit RGB.

    Yields:
        The image. Its pixels are not decoded yet.

    Raises:
        ImageError: The file cannot be used, or the body of the ``with`` statement failed, whatever
            it raised. The message starts with ``name`` and gives the reason.
    """
    path = file if isinstance(file, str | os.PathLike) else None
    name = name or ("the file" if path is None else os.fspath(path))
    default_limit = Image.MAX_IMAGE_PIXELS
    try:
        if largest:
            Image.MAX_IMAGE_PIXELS = largest
        with warnings.catch_warnings(), contextlib.ExitStack() as stack:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", message="(?!.*bomb)")
            # Pillow gets an open file instead of a path, since it decodes some rotated TIFFs (RGBA
            # in one strip) wrongly when it maps them into memory.
            if isinstance(file, str | os.PathLike):
                file = stack.enter_context(open(file, "rb"))
            with Image.open(file, formats=FORMATS) as image:
                (check or _check_kind)(image)
                yield image
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        millions = f"{(largest or default_limit or 0) / 1e6:.0f} million pixels"
        raise ImageError(f"{name}: has more than {millions}; cut or scale it down first") from None
    except UnidentifiedImageError:
        empty = path is not None and not os.path.getsize(path)
        reason = "is empty" if empty else "is not a PNG, JPEG, WebP, TIFF or BMP image"
        raise ImageError(f"{name}: {reason}") from None
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(f"{name}: cannot be read ({reason})") from None
    finally:
        Image.MAX_IMAGE_PIXELS = default_limit


def _check_kind(image: Image.Image) -> None:
    """Raise ImageError for kinds of images that would not be decoded as they look."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise ImageError(
            f"holds {frames} images (animated or multi-page); save the one you want alone"
        )
    if image.mode not in _MODES:
        raise ImageError(f"colour mode {image.mode} is not supported; convert it to RGB first")
    if not isinstance(image, TiffImageFile):
        return
    tags = image.tag_v2
    bits = tags.get(Base.BitsPerSample, (1,))
    if image.mode.startswith("I"):
        # Pillow neither scales 12 and 32 bits nor inverts 16 bits with white at 0
        sample_format = tags.get(Base.SampleFormat, (1,))
        if (bits, sample_format, tags.get(Base.PhotometricInterpretation)) != ((16,), (1,), 1):
            raise ImageError(_ODD_GREY)
    if tags.get(Base.PlanarConfiguration) == 2 and 16 in bits:
        raise ImageError(ODD_16_BITS)  # Pillow decodes separate colour planes to noise


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):
        return _grey16_to_rgb(image)
    image = ImageOps.exif_transpose(image)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        if np.asarray(image.getchannel("A")).min() < 255:
            raise ImageError(_TRANSPARENT)
    return np.asarray(image.convert("RGB")).copy()


def _grey16_to_rgb(image: Image.Image) -> np.ndarray:
    values = np.asarray(ImageOps.exif_transpose(image)).astype(np.int32)
    if (values == image.info.get("transparency", -1)).any():
        raise ImageError(_TRANSPARENT)
    return np.repeat(((values + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)
