"""Make ICC profiles of primaries and a transfer curve, and check those that files hold."""

import io
import struct
from typing import NamedTuple

import numpy as np
from PIL import ImageCms

_D50 = np.array([0.9642, 1.0, 0.8249])  # the white of every profile, XYZ
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


class Curve(NamedTuple):
    """From values in a file to light: (a x + b) ** gamma from x = d on, and c x below."""

    gamma: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


# White, red, green and blue, each as x and y (CIE 1931)
Primaries = tuple[float, float, float, float, float, float, float, float]
SRGB_PRIMARIES: Primaries = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
SRGB_CURVE = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(primaries: Primaries, curve: Curve, channels: int, name: str) -> bytes:
    """Make a profile of version 4 that equals itself to the byte whenever it is made.

    Args:
        primaries: White, red, green and blue.
        curve: The same for all channels.
        channels: 3 for RGB, 1 for grey.
        name: What programs call it.

    Raises:
        ValueError: The primaries span no colours, or a number is out of range.
    """
    white = _xyz(*primaries[:2])
    adaptation = _adaptation(white)
    tags = {b"desc": _text(name), b"cprt": _text("no copyright"), b"wtpt": _numbers(b"XYZ ", _D50)}
    tags[b"chad"] = _numbers(b"sf32", adaptation.ravel())
    if channels == 1:
        tags[b"kTRC"] = _curve(curve)
    else:
        colours = np.stack([_xyz(*primaries[i : i + 2]) for i in (2, 4, 6)], axis=1)
        if abs(np.linalg.det(colours)) < 1e-6:
            raise ValueError("the primaries span no colours")
        columns = adaptation @ (colours * np.linalg.solve(colours, white))
        for i, letter in enumerate((b"r", b"g", b"b")):
            tags[letter + b"XYZ"] = _numbers(b"XYZ ", columns[:, i])
            tags[letter + b"TRC"] = _curve(curve)
    return _file(b"GRAY" if channels == 1 else b"RGB ", tags)


def srgb() -> bytes:
    """The profile of sRGB."""
    return profile(SRGB_PRIMARIES, SRGB_CURVE, 3, "sRGB")


def space_of(icc: bytes) -> str:
    """The colour space that a profile is for, such as "RGB", "GRAY" or "CMYK"; "" if damaged."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.xcolor_space.strip()
    except Exception:  # LittleCMS and Pillow raise errors of several types
        return ""


def checked(icc: bytes, channels: int) -> tuple[bytes, str]:
    """Check that a profile fits an image of 1 or 3 channels.

    Returns:
        The profile, and a note; if it does not fit, an empty profile and a note that says so.
    """
    if not icc:
        return b"", ""
    space = space_of(icc)
    if not space:
        return b"", "its ICC profile is damaged and was left out"
    if space == "RGB" or (space == "GRAY" and channels == 1):
        return icc, ""
    kind = "RGB" if channels == 3 else "grey"
    return b"", f"its ICC profile is for {space}, not for {kind} pixels, and was left out"


def _xyz(x: float, y: float) -> np.ndarray:
    if not (0 <= x <= 1 and 0 < y <= 1):
        raise ValueError(f"({x}, {y}) is no chromaticity")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adaptation(white: np.ndarray) -> np.ndarray:
    """The matrix that takes colours under ``white`` to those under D50 (Bradford)."""
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD)


def _fixed(value: float) -> bytes:
    number = round(float(value) * 65536)
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"{value} is out of range")
    return struct.pack(">i", number)


def _numbers(kind: bytes, values: np.ndarray) -> bytes:
    return kind + bytes(4) + b"".join(_fixed(value) for value in values)


def _curve(curve: Curve) -> bytes:
    kind, values = (3, curve) if curve.d else (0, curve[:1])
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + b"".join(map(_fixed, values))


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return (
        b"mluc"
        + bytes(4)
        + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28)
        + (encoded)
    )


def _file(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of a display, with the tags at offsets that are multiples of 4."""
    table, contents = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, start + len(contents), len(tag))
        contents += tag + bytes(-len(tag) % 4)
    body = struct.pack(">I", len(tags)) + table + contents
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(body), bytes(4), 0x04300000, b"mntr", space, b"XYZ "
    )
    header += date + b"acsp" + bytes(28) + b"".join(map(_fixed, _D50))
    return header.ljust(128, b"\0") + body
