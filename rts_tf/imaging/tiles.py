"""Tiles with which a network's result on a picture is exactly the result on the whole picture."""

import math
from collections.abc import Iterator
from typing import NamedTuple


class Tile(NamedTuple):
    """Slices (rows, columns) in input pixels: ``read`` of the input, ``inner`` of the result on it, ``write`` of the whole."""

    read: tuple[slice, slice]
    inner: tuple[slice, slice]
    write: tuple[slice, slice]


def tiles(height: int, width: int, longest: int, overlap: int) -> Iterator[Tile]:
    """Cut ``height`` x ``width`` into equal tiles of at most ``longest`` pixels a side, and ``overlap`` more to read.

    The result on a tile is exact in its inner part if ``overlap`` is at least the receptive radius; a tile at the border
    of the picture ends there, so that every layer's padding falls where it falls in the whole picture.
    """
    for rows in _spans(height, longest, overlap):
        for columns in _spans(width, longest, overlap):
            yield Tile(*zip(rows, columns, strict=True))


def _spans(size: int, longest: int, overlap: int) -> Iterator[tuple[slice, slice, slice]]:
    count = math.ceil(size / longest)
    for i in range(count):
        start, stop = i * size // count, (i + 1) * size // count
        first, last = max(0, start - overlap), min(size, stop + overlap)
        yield slice(first, last), slice(start - first, stop - first), slice(start, stop)
