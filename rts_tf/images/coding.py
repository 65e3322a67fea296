"""How an image was compressed: what its file says, and what its pixels show."""

import os
from typing import NamedTuple

import numpy as np
from PIL import Image

# The quantization table of luma at quality 50 (ITU-T T.81, table K.1), which libjpeg scales
_LUMA_SUM_AT_50 = 3688


class Coding(NamedTuple):
    """How the file of an image was compressed.

    Attributes:
        name: In words, such as "JPEG of quality 75"; empty if nothing was lost.
        quality: The quality from 1 to 100 as libjpeg counts it, or None where the file does not
            tell.
    """

    name: str = ""
    quality: int | None = None


def coding_of(image: Image.Image, path: str | os.PathLike) -> Coding:
    """Read from the headers of a file how it was compressed.

    Args:
        image: The opened file.
        path: Its path.
    """
    tables = getattr(image, "quantization", None)
    if tables:
        quality = jpeg_quality(tables[min(tables)])
        return Coding(f"JPEG of quality {quality}", quality)
    if image.format == "WEBP" and _is_lossy_webp(path):
        return Coding("lossy WebP")
    return Coding()


def jpeg_quality(table: list[int]) -> int:
    """Estimate the quality of a JPEG file, from 1 to 100, from its quantization table of luma.

    It is that of the table which libjpeg would have made with the same mean step. Other encoders
    have tables of other shapes.
    """
    percent = 100 * max(sum(table), 1) / _LUMA_SUM_AT_50
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent
    return int(np.clip(round(quality), 1, 100))


def _is_lossy_webp(path: str | os.PathLike) -> bool:
    """Whether a WebP file has a chunk "VP8 ", which is lossy; that of a lossless one is "VP8L"."""
    with open(path, "rb") as file:
        file.seek(12)  # "RIFF", its size, "WEBP"
        while len(header := file.read(8)) == 8:
            if header[:4] in (b"VP8 ", b"VP8L"):
                return header[:4] == b"VP8 "
            if header[:4] == b"ANMF":  # a frame: 16 bytes, then chunks
                file.seek(16, os.SEEK_CUR)
                continue
            size = int.from_bytes(header[4:], "little")
            file.seek(size + size % 2, os.SEEK_CUR)
    return False
