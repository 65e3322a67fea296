"""Read pictures safely; write files so that they are whole or not there."""

import contextlib
import os
import pathlib
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from rts_tf.errors import PictureError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "I;16B", "I;16L", "I")


def read_picture(file: str | os.PathLike | BinaryIO, name: str = "") -> np.ndarray:
    """Decode one photograph for training or measuring.

    ``file`` is a path, or an open file that errors call ``name``.

    EXIF rotation is applied; grey and palette pictures become RGB; 16-bit ones are rounded to 8; an alpha channel that
    is opaque everywhere is dropped.

    Returns:
        uint8 [H, W, 3].

    Raises:
        PictureError: names the file and why: unreadable, truncated, CMYK, floating point, animated, transparent, or
            with more pixels than Pillow's limit against decompression bombs.
    """
    name = name or os.fspath(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", message="(?!.*bomb)")
            with Image.open(file) as image:
                return _to_rgb(image)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"{name}: has more than {Image.MAX_IMAGE_PIXELS / 1e6:.0f} million pixels") from None
    except UnidentifiedImageError:
        empty = isinstance(file, str | os.PathLike) and not os.path.getsize(file)
        raise PictureError(f"{name}: {'is empty' if empty else 'is not a picture that Pillow can read'}") from None
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, ZeroDivisionError, MemoryError) as error:
        raise PictureError(f"{name}: cannot be decoded ({error})") from None  # Pillow's decoders raise any of these


def _to_rgb(image: Image.Image) -> np.ndarray:
    if getattr(image, "n_frames", 1) > 1:
        raise PictureError(f"holds {image.n_frames} pictures (animated or multi-page); save the one you want alone")
    if image.mode not in _MODES:
        raise PictureError(f"colour mode {image.mode} is not supported; convert it to RGB first")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise PictureError("has grey values outside 16 bits; convert it to 8 or 16 bits first")
        return np.repeat(((values + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            raise PictureError("is transparent in places, where it has no colour to learn from; flatten it first")
    return np.asarray(image.convert("RGB")).copy()


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A temporary path beside ``path`` to write to; renamed over ``path`` at the end, removed if the body fails."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: str | os.PathLike) -> None:
    """Make a file or directory durable (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
