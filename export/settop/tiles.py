"""Cuts a line of pixels into tiles of one fixed size, so that the result has no seams."""

from typing import NamedTuple


class Span(NamedTuple):
    """One tile of a line of pixels.

    Attributes:
        read: the pixels of the input that the tile consists of.
        inner: the pixels of the result on the tile that are kept.
        write: the position of these in the whole result.
    """

    read: slice
    inner: slice
    write: slice


def spans(size: int, length: int, radius: int) -> list[Span]:
    """Cover ``size`` pixels with tiles of exactly ``length`` that overlap.

    What is kept of a tile is at least ``radius`` pixels away from each end at which the image goes
    on. The first tile begins where the image does and the last ends where it does, shifted
    inwards, so that the padding of every layer and the border weights of d() fall where they fall
    in the whole image. Between two tiles the seam lies in the middle of what both read.

    Raises:
        ValueError: if ``length`` is more than ``size``, or less and not longer than twice the
            radius.
    """
    if length > size or length < size and length <= 2 * radius:
        raise ValueError(
            f"{size} pixels cannot be covered by tiles of {length} with a radius of {radius}"
        )
    count = 1 if length == size else 1 + -(-(size - length) // (length - 2 * radius))
    starts = [i * (size - length) // max(1, count - 1) for i in range(count)]
    seams = [0, *((left + length + right) // 2 for left, right in zip(starts, starts[1:])), size]
    return [
        Span(
            slice(start, start + length),
            slice(seams[i] - start, seams[i + 1] - start),
            slice(seams[i], seams[i + 1]),
        )
        for i, start in enumerate(starts)
    ]
