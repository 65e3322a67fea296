"""Tiles with which a network's result on a picture is exactly the result on the whole picture."""

import math
from typing import NamedTuple


class Tile(NamedTuple):
    """Slices (rows, columns) in input pixels: ``read`` of the input, ``inner`` of the result on it, ``write`` of the whole."""

    read: tuple[slice, slice]
    inner: tuple[slice, slice]
    write: tuple[slice, slice]


def tiles(height: int, width: int, side: int, overlap: int) -> list[Tile]:
    """Cut ``height`` x ``width`` into parts of at most ``side`` * ``side`` pixels, and at least ``overlap`` more to read.

    The result on a tile is exact in its inner part if ``overlap`` is at least the receptive radius; a tile at the border
    of the picture ends there, so that every layer's padding falls where it falls in the whole picture.

    All tiles of a picture have the same size, so that they can go through a network as a batch, in pairs: oneDNN gives each
    core a tile, and runs a single one on one core. Of all ways to cut, the one whose pairs read the least.
    """
    rows, columns = _counts(height, width, side, overlap)
    spans = _spans(height, rows, overlap), _spans(width, columns, overlap)
    return [
        Tile(*zip(vertical, horizontal, strict=True))
        for vertical in spans[0]
        for horizontal in spans[1]
    ]


def _counts(height: int, width: int, side: int, overlap: int) -> tuple[int, int]:
    """Rows and columns of the tiles."""

    def time(counts: tuple[int, int]) -> tuple[int, int]:
        """Pixels read by as many pairs as it takes; of equals the fewer tiles."""
        rows, columns = counts
        around = 2 * max(1, overlap)  # at least a pixel, or nothing would speak against shreds
        read = min(height, math.ceil(height / rows) + around) * min(
            width, math.ceil(width / columns) + around
        )
        return math.ceil(rows * columns / 2) * read, rows * columns

    possible = []
    for rows in range(1, height + 1):
        if (longest := side**2 // math.ceil(height / rows)) > 0:
            columns = math.ceil(width / longest)
            possible += [(rows, columns), (rows, min(columns + 1, width))]
    return min(possible, key=time)


def _spans(size: int, count: int, overlap: int) -> list[tuple[slice, slice, slice]]:
    """``count`` slices (read, inner, write) of a line of ``size`` pixels; all of the same length to read."""
    edges = [(i * size // count, (i + 1) * size // count) for i in range(count)]
    length = max(min(size, stop + overlap) - max(0, start - overlap) for start, stop in edges)
    spans = []
    for start, stop in edges:
        first = min(max(0, start - overlap), size - length)
        spans.append(
            (slice(first, first + length), slice(start - first, stop - first), slice(start, stop))
        )
    return spans
