"""Read pictures safely; write files so that they are whole or not there."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base

from rts_tf.errors import ImageError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "I;16B", "I;16L", "I")
FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "TIFF",
    "BMP",
)  # Pillow would read others too, EPS by starting Ghostscript
ODD_16_BITS = (
    "is of 16 bits in a way that is not supported; convert it to 8 bits, or save it as PNG"
)
_TRANSPARENT = "is transparent in places, where it has no colour to learn from; flatten it first"


def read_image(file: str | os.PathLike | BinaryIO, name: str = "") -> np.ndarray:
    """Decode one photograph for training or measuring.

    ``file`` is a path, or an open file that errors call ``name``.

    EXIF rotation is applied; grey and palette pictures become RGB; 16-bit grey is rounded to 8 bits (of 16-bit colour
    Pillow keeps the high byte, at most one level from that); an alpha channel that is opaque everywhere is dropped. Of a
    JPEG with a preview behind the photograph (MPO, as many cameras write) the photograph is taken.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ImageError: names the file and why: unreadable, truncated, CMYK, floating point, grey of 12 or 32 bits, animated,
            transparent, or with more pixels than Pillow's limit against decompression bombs.
    """
    with opened(file, name) as image:
        return _to_rgb(image)


@contextlib.contextmanager
def opened(
    file: str | os.PathLike | BinaryIO, name: str = "", largest: int = 0
) -> Iterator[Image.Image]:
    """Open one picture with Pillow and check its kind; what goes wrong, in the body too, is a ImageError with its name.

    ``largest``: most pixels it may have, instead of Pillow's limit against decompression bombs; that limit is global, so
    one thread at a time may ask for another one.
    """
    name, limit = name or os.fspath(file), Image.MAX_IMAGE_PIXELS
    try:
        if largest:
            Image.MAX_IMAGE_PIXELS = largest
        with warnings.catch_warnings(), contextlib.ExitStack() as stack:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", message="(?!.*bomb)")
            # An open file, not a path: Pillow garbles some turned TIFFs that it maps into memory (one strip, RGBA).
            stream = (
                stack.enter_context(open(file, "rb"))
                if isinstance(file, str | os.PathLike)
                else file
            )
            with Image.open(stream, formats=FORMATS) as image:
                _check_kind(image)
                yield image
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        pixels = f"{Image.MAX_IMAGE_PIXELS / 1e6:.0f} million pixels"
        raise ImageError(f"{name}: has more than {pixels}; cut or scale it down first") from None
    except UnidentifiedImageError:
        empty = isinstance(file, str | os.PathLike) and not os.path.getsize(file)
        raise ImageError(
            f"{name}: {'is empty' if empty else 'is not a PNG, JPEG, WebP, TIFF or BMP picture'}"
        ) from None
    except (
        Exception
    ) as error:  # on damaged files Pillow's decoders raise nearly every type there is
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(f"{name}: cannot be read ({reason})") from None
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _check_kind(image: Image.Image) -> None:
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise ImageError(
            f"holds {image.n_frames} pictures (animated or multi-page); save the one you want alone"
        )
    if image.mode not in _MODES:
        raise ImageError(f"colour mode {image.mode} is not supported; convert it to RGB first")
    if image.mode.startswith("I") and image.format == "TIFF":
        # Pillow neither scales 12 and 32 bits nor inverts 16 bits with white at 0
        tags = image.tag_v2
        kind = (
            tags.get(Base.BitsPerSample),
            tags.get(Base.SampleFormat, (1,)),
            tags.get(Base.PhotometricInterpretation),
        )
        if kind != ((16,), (1,), 1):
            raise ImageError(
                "is a grey TIFF, but not of 16 bits from black at 0 to white; convert it to 8 bits first"
            )
    if (
        image.format == "TIFF"
        and image.tag_v2.get(Base.PlanarConfiguration) == 2
        and 16 in image.tag_v2[Base.BitsPerSample]
    ):
        raise ImageError(ODD_16_BITS)  # Pillow makes noise of the separate planes


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):
        return _grey16_to_rgb(image)
    image = ImageOps.exif_transpose(image)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            raise ImageError(_TRANSPARENT)
    return np.asarray(image.convert("RGB")).copy()


def _grey16_to_rgb(image: Image.Image) -> np.ndarray:
    values = np.asarray(ImageOps.exif_transpose(image)).astype(np.int32)
    if (values == image.info.get("transparency", -1)).any():
        raise ImageError(_TRANSPARENT)
    return np.repeat(((values + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)
