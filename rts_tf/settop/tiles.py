"""Cuts a line of pixels into tiles of one fixed size, so that the result has no seams."""

from typing import NamedTuple


class Span(NamedTuple):
    """One tile of a line of pixels.

    Attributes:
        read: the pixels of the input that the tile consists of; it may end beyond the image.
        inner: the pixels of the result on the tile that are kept.
        write: the position of these in the whole result.
    """

    read: slice
    inner: slice
    write: slice


def spans(size: int, length: int, radius: int, pack: int = 1) -> list[Span]:
    """Cover ``size`` pixels with tiles of exactly ``length`` that overlap.

    What is kept of a tile is at least ``radius`` pixels away from each end at which the image goes
    on. The first tile begins where the image does. With a ``pack`` of 1 the last ends where the
    image does, shifted inwards, so that the padding of every layer and the border weights of d()
    fall where they fall in the whole image. Between two tiles the seam lies in the middle of what
    both read.

    Args:
        size: of the image along this line.
        length: of every tile.
        radius: of the network.
        pack: tiles and seams begin at multiples of it, as the blocks of the network do. The last
            tile may then read up to ``pack - 1`` pixels beyond the image, and a single tile any
            number: there the last pixel is to be repeated.

    Raises:
        ValueError: if nothing would be left of a tile.
    """
    if length >= size:
        return [Span(slice(0, length), slice(0, size), slice(0, size))]
    # What is kept of a tile lies between these two, and begins and ends with a block.
    first, last = -(-radius // pack) * pack, (length - radius) // pack * pack
    if last - first < pack:
        raise ValueError(
            f"{size} pixels cannot be covered by tiles of {length} with a radius of {radius}"
        )
    blocks = -(-(size - length) // pack)  # before the last tile
    steps = -(-blocks // ((last - first) // pack))
    starts = [i * blocks // steps * pack for i in range(steps + 1)]
    middles = ((left + last + right + first) // 2 for left, right in zip(starts, starts[1:]))
    seams = [0, *(middle // pack * pack for middle in middles), size]
    return [
        Span(
            slice(start, start + length),
            slice(seams[i] - start, seams[i + 1] - start),
            slice(seams[i], seams[i + 1]),
        )
        for i, start in enumerate(starts)
    ]
