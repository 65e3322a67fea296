"""Small ICC profiles, made byte by byte: of a display, of grey, and of a press."""

import functools
import struct

_WHITE = (63190, 65536, 54061)  # D50 in 65536ths
# Red, green and blue of Adobe RGB (1998), adapted to D50
_PRIMARIES = ((39951, 20395, 1275), (13453, 40998, 3988), (9786, 4143, 48798))


@functools.cache
def rgb_profile() -> bytes:
    """A profile with wide primaries and a gamma of 2.2: not sRGB, so it cannot be left out."""
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    parts = [(name, _xyz(value)) for name, value in zip(names, _PRIMARIES)]
    parts += [(name, _gamma()) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"mntrRGB XYZ ", b"wide", parts)


@functools.cache
def grey_profile() -> bytes:
    """A profile of grey with a gamma of 2.2."""
    return _profile(b"mntrGRAYXYZ ", b"grey", [(b"kTRC", _gamma())])


@functools.cache
def cmyk_profile() -> bytes:
    """A profile of a press whose inks are plain cyan, magenta, yellow and black."""
    identity, corners = bytes(range(256)), []
    for i in range(16):
        cyan, magenta, yellow, black = (i >> shift & 1 for shift in (3, 2, 1, 0))
        light = 0 if black else 100 - 35 * cyan - 45 * magenta - 10 * yellow
        red = 0 if black else -35 * cyan + 70 * magenta - 5 * yellow
        warm = 0 if black else -45 * cyan - 5 * magenta + 90 * yellow
        corners += [round(max(light, 0) * 2.55), red + 128, warm + 128]
    matrix = b"".join(struct.pack(">i", 65536 if i % 4 == 0 else 0) for i in range(9))
    # 4 channels in, 3 out, and 2 points of the grid for each
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix
    table += identity * 4 + bytes(corners) + identity * 3
    return _profile(b"prtrCMYKLab ", b"press", [(b"A2B0", table)])


def _xyz(value: tuple[int, int, int]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *value)


def _gamma() -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, 563)  # 2.2 in 256ths


def _profile(kind: bytes, name: bytes, parts: list[tuple[bytes, bytes]]) -> bytes:
    """A profile of version 2: class and spaces, its name, and its tags."""
    text = b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name + b"\0" + bytes(78)
    rights = b"text" + bytes(4) + b"none\0"
    parts = [(b"desc", text), (b"cprt", rights), (b"wtpt", _xyz(_WHITE)), *parts]
    start = 128 + 4 + 12 * len(parts)
    directory, body = struct.pack(">I", len(parts)), b""
    for tag, data in parts:
        data += bytes(-len(data) % 4)
        directory += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    header = bytearray(128)
    header[:4] = struct.pack(">I", start + len(body))
    header[8:12] = b"\x02\x40\0\0"
    header[12:24] = kind
    header[24:36] = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3i", *_WHITE)
    return bytes(header) + directory + body
