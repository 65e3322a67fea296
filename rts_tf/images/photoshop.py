"""Photoshop's image resources, the block in which JPEG files hold IPTC records.

A block is a row of resources: "8BIM", a code (2 bytes, big-endian), a name (its length in one byte,
padded to an even number), the size of the contents (4 bytes) and the contents, padded likewise.
"""

import struct
from collections.abc import Iterator

_IPTC = 0x0404
# Resolution, previews, ICC profile, EXIF and XMP, which are written where each format has them, and
# a digest of the IPTC records
_ELSEWHERE = {0x03ED, 0x0409, 0x040C, 0x040F, 0x0422, 0x0423, 0x0424, 0x0425}
_PATHS = range(0x07D0, 0x0BB7)


def split(block: bytes) -> tuple[bytes, bytes]:
    """Split a block into its IPTC records and the other resources that are worth keeping.

    Raises:
        ValueError: The block is damaged.
    """
    iptc, others = b"", list[bytes]()
    for code, contents, whole in _resources(block):
        if code == _IPTC:
            iptc = contents
        elif code not in _ELSEWHERE:
            others.append(whole)
    return iptc, b"".join(others)


def without_paths(resources: bytes) -> tuple[bytes, bool]:
    """Take out the clipping paths, which a rotation of the pixels makes wrong.

    Returns:
        The other resources, and whether there was a path.
    """
    found = list(_resources(resources))
    kept = b"".join(whole for code, _, whole in found if code not in _PATHS)
    return kept, len(kept) < len(resources)


def joined(iptc: bytes, resources: bytes) -> bytes:
    """The block of IPTC records and other resources, either of which may be empty."""
    if iptc:
        padded = iptc + bytes(len(iptc) % 2)
        resources = b"8BIM" + struct.pack(">HHI", _IPTC, 0, len(iptc)) + padded + resources
    return resources


def _resources(block: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the code, the contents and all bytes of each resource."""
    start, end_of_all = 0, len(block.rstrip(b"\0"))
    while start < end_of_all:
        name_at = start + 6
        if len(block) < name_at + 1:
            raise ValueError("a resource is cut off")
        size_at = name_at + (1 + block[name_at] + 1) // 2 * 2
        if len(block) < size_at + 4 or block[start : start + 1] != b"8":
            raise ValueError("a resource is cut off")
        code = int.from_bytes(block[start + 4 : name_at], "big")
        size = int.from_bytes(block[size_at : size_at + 4], "big")
        contents = block[size_at + 4 : size_at + 4 + size]
        if len(contents) < size:
            raise ValueError("a resource is cut off")
        end = size_at + 4 + size + size % 2
        yield code, contents, block[start:end].ljust(end - start, b"\0")
        start = end
