"""Ways to damage a file."""

import pathlib


def truncate(path: pathlib.Path) -> None:
    """Cut off the last three bytes."""
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: pathlib.Path) -> None:
    """Flip one bit in the middle."""
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 1
    path.write_bytes(contents)
