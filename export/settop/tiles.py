"""Tiles of one fixed size with which the result on a picture is exactly the result on the whole picture."""

from typing import NamedTuple


class Span(NamedTuple):
    """Of a line of pixels: ``read`` of the input, ``inner`` of the result on it, ``write`` of the whole."""

    read: slice
    inner: slice
    write: slice


def spans(size: int, length: int, radius: int) -> list[Span]:
    """Cover ``size`` pixels with parts of exactly ``length``, each right but for ``radius`` pixels where another goes on.

    The first begins where the picture does and the last ends where it does, shifted inwards, so that every layer's
    padding and the border weights of d() fall where they fall in the whole picture. Between two parts the seam lies
    in the middle of what both have read.

    Raises:
        ValueError: ``length`` is more than ``size``, or less and not longer than twice the radius.
    """
    if length > size or length < size and length <= 2 * radius:
        raise ValueError(
            f"{size} pixels cannot be covered by parts of {length} with a radius of {radius}"
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
