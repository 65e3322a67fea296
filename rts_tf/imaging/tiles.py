"""Tiles with which a network's result on a picture is exactly the result on the whole picture."""

import math
from typing import NamedTuple


class Tile(NamedTuple):
    """Slices (rows, columns) in input pixels: ``read`` of the input, ``inner`` of the result on it, ``write`` of the whole."""

    read: tuple[slice, slice]
    inner: tuple[slice, slice]
    write: tuple[slice, slice]


def tiles(height: int, width: int, longest: int, overlap: int) -> list[Tile]:
    """Cut ``height`` x ``width`` into parts of at most ``longest`` pixels a side, and at least ``overlap`` more to read.

    The result on a tile is exact in its inner part if ``overlap`` is at least the receptive radius; a tile at the border
    of the picture ends there, so that every layer's padding falls where it falls in the whole picture.

    All tiles of a picture have the same size, so that they can go through a network as a batch, and their number is even
    where the picture allows it: oneDNN gives each core a tile, and runs a single one on one core.
    """
    rows, columns = math.ceil(height / longest), math.ceil(width / longest)
    if rows * columns % 2 and rows < height:
        rows += 1
    spans = _spans(height, rows, overlap), _spans(width, columns, overlap)
    return [Tile(*zip(vertical, horizontal, strict=True)) for vertical in spans[0] for horizontal in spans[1]]


def _spans(size: int, count: int, overlap: int) -> list[tuple[slice, slice, slice]]:
    """``count`` slices (read, inner, write) of a line of ``size`` pixels; all of the same length to read."""
    edges = [(i * size // count, (i + 1) * size // count) for i in range(count)]
    length = max(min(size, stop + overlap) - max(0, start - overlap) for start, stop in edges)
    spans = []
    for start, stop in edges:
        first = min(max(0, start - overlap), size - length)
        spans.append((slice(first, first + length), slice(start - first, stop - first), slice(start, stop)))
    return spans
