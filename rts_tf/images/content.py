"""What the readers of the formats hand over, and the parts of it that they have in common."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from rts_tf.errors import ImageError
from rts_tf.images import xmp as packets
from rts_tf.images.coding import Coding
from rts_tf.images.exif import EXIF_DAMAGED, kept_exif
from rts_tf.images.metadata import Metadata
from rts_tf.images.quiet_pillow import quiet_pillow

_EMPTY_EXIF = 6 + 8 + 2 + 4  # bytes: the mark, the header of a TIFF, no entries, and no next ones


class Content(NamedTuple):
    """A decoded file.

    Attributes:
        samples: Upright: uint8 or uint16 [H, W, C], grey (C = 1), grey and alpha (2), RGB (3) or
            RGBA (4). The colours are not multiplied by alpha.
        orientation: That of the stored samples, 1 to 8.
        exif: The EXIF block that is kept (:func:`rts_tf.images.exif.kept_exif`), or empty.
        icc: The ICC profile, or empty.
        dpi: The resolution of the stored samples along x and y, or None.
        metadata: As it is in the file.
        notes: What could not be kept.
        coding: How the file was compressed.
    """

    samples: np.ndarray
    orientation: int
    exif: bytes
    icc: bytes
    dpi: Any
    metadata: Metadata
    notes: list[str]
    coding: Coding = Coding()


def check_kind(image: Image.Image) -> None:
    """Raise ImageError for kinds of images that would not be decoded as they look."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format not in ("MPO", "TIFF"):  # TIFF counts its own
        raise ImageError(
            f"holds {frames} images (animated or multi-page); save the one you want alone"
        )
    if image.mode not in MODES:
        raise ImageError(f"colour mode {image.mode} is not supported; convert it to RGB first")


MODES = (
    *("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX"),
    *("I;16", "I;16B", "I;16L", "I", "CMYK", "LAB", "YCbCr"),
)


class ExifRead(NamedTuple):
    """The EXIF block that is kept, the orientation that was undone, and notes about the rest."""

    block: bytes
    orientation: int
    notes: list[str]


def read_exif(load: Callable[[], Image.Exif], xmp: bytes) -> ExifRead:
    """Read EXIF data, which may be damaged.

    Args:
        load: Returns the EXIF data of the file, or raises an error of any type.
        xmp: The XMP packet. It tells the orientation if EXIF does not.
    """
    orientation = packets.orientation_in(xmp)
    try:
        with quiet_pillow():
            exif = load()
            orientation = exif.get(Base.Orientation, orientation)
            block, warning = kept_exif(exif)
    except Exception:  # Pillow raises errors of many types
        block, warning = b"", EXIF_DAMAGED
    return ExifRead(
        block, orientation if orientation in range(1, 9) else 1, [warning] if warning else []
    )


def exif_in(block: bytes) -> Image.Exif:
    """The EXIF data in a block. Pillow raises errors of many types on damaged ones."""
    exif = Image.Exif()
    exif.load(block)
    if len(block) > _EMPTY_EXIF and not len(exif):  # Pillow found nothing where there is something
        raise ValueError("there is no entry in it")
    return exif


def samples8(image: Image.Image) -> np.ndarray:
    """Decode an image that Pillow knows to uint8 [H, W, C], as it is stored."""
    transparent = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    grey = image.mode in ("1", "L", "LA")
    mode = ("LA" if transparent else "L") if grey else ("RGBA" if transparent else "RGB")
    samples = np.asarray(image.convert(mode))
    return samples if samples.ndim == 3 else samples[..., None]


def first_bytes(path: str | os.PathLike, count: int) -> bytes:
    """The first bytes of a file, or fewer if it has fewer. Raises ImageError with its name."""
    try:
        with open(path, "rb") as file:
            return file.read(count)
    except OSError as error:
        raise ImageError(f"{os.fspath(path)}: cannot be read ({error.strerror or error})") from None
