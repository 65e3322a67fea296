"""Decode image files to plain 8-bit RGB, for training and metrics.

It is the reader of :mod:`rts_tf.images.image_file`, so the same files are accepted, and refused
for the same reasons. Only transparency is refused here alone.
"""

import os
import pathlib
import tempfile
from typing import BinaryIO

import numpy as np

from rts_tf.errors import ImageError
from rts_tf.images.dtypes import halve_bits
from rts_tf.images.image_file import read_image_file
from rts_tf.limits import LEARNED_PIXELS

_TRANSPARENT = "is transparent in places, where it has no colour to learn from; flatten it first"


def read_image(file: str | os.PathLike | BinaryIO, name: str = "") -> np.ndarray:
    """Decode an image file to 8-bit RGB.

    Grey becomes RGB, and 16 bits are rounded to 8. An alpha channel that is opaque everywhere is
    dropped.

    Args:
        file: A path, or a file that is open for reading in binary mode.
        name: What error messages call the file; by default the path.

    Returns:
        uint8 [H, W, 3], writeable.

    Raises:
        ImageError: The file is one that :func:`rts_tf.images.image_file.read_image_file` refuses,
            is transparent, or has more pixels than ``LEARNED_PIXELS``. The message starts with
            ``name`` and gives the reason.
    """
    if isinstance(file, str | os.PathLike):
        return _read(file, name or os.fspath(file))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "image")
        path.write_bytes(file.read())
        return _read(path, name or "the file")


def _read(path: str | os.PathLike, name: str) -> np.ndarray:
    try:
        image = read_image_file(path, LEARNED_PIXELS)
    except ImageError as error:
        raise ImageError(f"{name}{str(error).removeprefix(os.fspath(path))}") from None
    if image.alpha is not None and image.alpha.min() < np.iinfo(image.alpha.dtype).max:
        raise ImageError(f"{name}: {_TRANSPARENT}")
    pixels = halve_bits(image.pixels)
    return np.repeat(pixels, 3 // pixels.shape[2], axis=2)
