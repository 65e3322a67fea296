"""How PNG files describe their colours, and the ICC profile that says the same in other formats."""

import struct

from rts_tf.images.icc import SRGB_CURVE, SRGB_PRIMARIES, Curve, Primaries, profile

# Their sizes in bytes
COLOUR_CHUNKS = {b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}
# By their numbers in ITU-T H.273
_D65 = (0.3127, 0.3290)
_PRIMARIES: dict[int, Primaries] = {
    1: SRGB_PRIMARIES,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_BT709 = Curve(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 11, 14, 15), _BT709),
    4: Curve(2.2),
    5: Curve(2.8),
    7: Curve(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913),
    8: Curve(1.0),
    13: SRGB_CURVE,
}
_NAMES = {16: "PQ", 18: "HLG"}


def profile_for(
    chunks: tuple[tuple[bytes, bytes], ...], icc: bytes, channels: int
) -> tuple[bytes, list[str]]:
    """The ICC profile by which another format says what the chunks of a PNG file say.

    The precedence is that of the PNG specification: cICP, the ICC profile, sRGB, then gAMA and
    cHRM. sRGB needs no profile, since it is what an image without one is taken for.

    Args:
        chunks: Their types and contents.
        icc: The ICC profile of the file, or empty.
        channels: 3 for RGB, 1 for grey.

    Returns:
        The profile, or empty, and what it cannot say.
    """
    found = dict(chunks)
    lost = [kind.decode() for kind in (b"mDCV", b"cLLI") if kind in found]
    if b"cICP" in found:
        coded, problem = _from_code_points(found[b"cICP"], channels)
        if not problem:
            return coded, lost
        lost.insert(0, problem)
    if icc or b"sRGB" in found or not found.keys() & {b"gAMA", b"cHRM"}:
        return icc, lost
    try:
        return _from_gamma(found, channels), lost
    except (ValueError, ZeroDivisionError):  # numbers that describe no colours
        return b"", [*lost, "gAMA and cHRM"]


def _from_code_points(contents: bytes, channels: int) -> tuple[bytes, str]:
    """The profile of a chunk cICP, or what is lost without one."""
    colours, transfer, matrix, full = contents
    curve, primaries = _CURVES.get(transfer), _PRIMARIES.get(colours)
    if curve is None or primaries is None or matrix != 0 or full != 1:
        return b"", f"cICP ({_NAMES.get(transfer, '-'.join(map(str, contents)))})"
    if (colours, transfer) == (1, 13):
        return b"", ""  # sRGB
    return profile(primaries, curve, channels, f"from cICP {colours}-{transfer}"), ""


def _from_gamma(found: dict[bytes, bytes], channels: int) -> bytes:
    primaries, curve, name = SRGB_PRIMARIES, SRGB_CURVE, "from cHRM"
    if b"cHRM" in found:
        values = [value / 100_000 for value in struct.unpack(">8I", found[b"cHRM"])]
        primaries = tuple(values)
    if b"gAMA" in found:
        (exponent,) = struct.unpack(">I", found[b"gAMA"])
        curve, name = Curve(100_000 / exponent), f"from gAMA {exponent / 100_000:g}"
    return profile(primaries, curve, channels, name)
