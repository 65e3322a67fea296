"""Cut an image into overlapping tiles on which a network computes what it computes on the whole.

The result on a tile is exact in its inner part if the tile overlaps its neighbours by the receptive
radius of the network, and if a tile at the border of the image ends there, so that the padding of
every layer falls where it falls in the whole image. With float32 the assembled tiles equal the
result on the whole image to the last bit; :mod:`rts_tf.inference` says what holds for bfloat16.
"""

import math
from typing import NamedTuple


class Tile(NamedTuple):
    """A tile as pairs of slices (rows, columns) in pixels of the network's input.

    For a network that doubles the size, ``inner`` and ``write`` have to be doubled.

    Attributes:
        read: The part of the image that the network is applied to.
        inner: The exact part of the result on the tile.
        write: Where the inner part lies in the result on the whole image.
    """

    read: tuple[slice, slice]
    inner: tuple[slice, slice]
    write: tuple[slice, slice]


class _Span(NamedTuple):
    """The slices of a :class:`Tile` along one axis."""

    read: slice
    inner: slice
    write: slice


def tiles(height: int, width: int, side: int, overlap: int) -> list[Tile]:
    """Cut an image into tiles whose inner parts cover it exactly once.

    All tiles of an image have the same size, so that two of them can go through a network as a
    batch: oneDNN then gives each core a tile, while it runs a single tile on one core. Of all ways
    to cut, the one is chosen whose pairs of tiles read the fewest pixels.

    Args:
        height: The height of the image, in pixels of the network's input.
        width: The width of the image, likewise.
        side: The inner part of a tile has at most ``side`` * ``side`` pixels.
        overlap: The number of pixels that are read around the inner part, at least the receptive
            radius of the network (with d(), :data:`rts_tf.images.resample.D_RADIUS` more).

    Returns:
        The tiles in the order of rows, then columns.
    """
    rows, columns = _counts(height, width, side, overlap)
    return [
        Tile(*zip(vertical, horizontal, strict=True))
        for vertical in _spans(height, rows, overlap)
        for horizontal in _spans(width, columns, overlap)
    ]


def _counts(height: int, width: int, side: int, overlap: int) -> tuple[int, int]:
    """The number of rows and of columns of tiles."""

    def cost(counts: tuple[int, int]) -> tuple[int, int]:
        """The pixels that all pairs of tiles read, then the number of tiles."""
        rows, columns = counts
        margin = 2 * max(1, overlap)  # without any margin, tiny tiles would cost nothing more
        read_height = min(height, math.ceil(height / rows) + margin)
        read_width = min(width, math.ceil(width / columns) + margin)
        return math.ceil(rows * columns / 2) * read_height * read_width, rows * columns

    candidates = []
    for rows in range(1, height + 1):
        if (longest := side**2 // math.ceil(height / rows)) > 0:
            columns = math.ceil(width / longest)
            candidates += [(rows, columns), (rows, min(columns + 1, width))]
    return min(candidates, key=cost)


def _spans(size: int, count: int, overlap: int) -> list[_Span]:
    """Cut an axis of ``size`` pixels into ``count`` spans that all read the same length."""
    edges = [(i * size // count, (i + 1) * size // count) for i in range(count)]
    length = max(min(size, stop + overlap) - max(0, start - overlap) for start, stop in edges)
    spans = []
    for start, stop in edges:
        first = min(max(0, start - overlap), size - length)
        read, inner = slice(first, first + length), slice(start - first, stop - first)
        spans.append(_Span(read, inner, slice(start, stop)))
    return spans
