"""Bring what an XMP packet says about the pixels in line with the pixels that are written.

A packet is XML, but it is changed as text, so that everything else stays as it was to the byte.
"""

import re

# "=" and a quotation mark in front of an attribute's value, ">" in front of an element's text
_VALUE = rb"(\s*=\s*[\"']|\s*>\s*)(\d+)"
_ORIENTATION = re.compile(rb"tiff:Orientation" + _VALUE)
_WIDTH = re.compile(rb"(?:tiff:ImageWidth|exif:PixelXDimension)" + _VALUE)
_HEIGHT = re.compile(rb"(?:tiff:ImageLength|exif:PixelYDimension)" + _VALUE)
# The gain map and the motion video behind the image, which other programs would look for
_GAIN_MAP = re.compile(rb"\bhdrgm:Version\b|HDRGainMap")
_MOTION = re.compile(rb"\b(?:MotionPhoto|MicroVideo)(?:\s*=\s*[\"']|\s*>\s*)1")
_LONGEST_SEARCHED = 2**18  # bytes
_CLAIMS = (
    re.compile(rb"\s(?:hdrgm|HDRGainMap):\w+\s*=\s*(?:\"[^\"]*\"|'[^']*')"),
    re.compile(rb"\s\w+:(?:MotionPhoto|MicroVideo)\w*\s*=\s*(?:\"[^\"]*\"|'[^']*')"),
    re.compile(rb"<((?:hdrgm|HDRGainMap):\w+)[^>]*(?:/>|>.*?</\1>)", re.DOTALL),
    re.compile(rb"<(\w+:(?:MotionPhoto|MicroVideo)\w*)[^>]*(?:/>|>.*?</\1>)", re.DOTALL),
    re.compile(rb"<(\w+:Directory)>\s*<rdf:Seq>.*?</\1>", re.DOTALL),
)


def orientation_in(xmp: bytes) -> int:
    """The orientation that a packet records, 1 to 8; 1 if it records none."""
    found = _ORIENTATION.search(xmp)
    value = int(found[2]) if found and len(found[2]) < 10 else 1
    return value if 1 <= value <= 8 else 1


def has_gain_map(xmp: bytes) -> bool:
    """Whether a packet announces a gain map, which makes an image HDR."""
    return _GAIN_MAP.search(xmp) is not None


def has_motion(xmp: bytes) -> bool:
    """Whether a packet announces a video behind the image."""
    return _MOTION.search(xmp) is not None


def of_upright_image(xmp: bytes) -> bytes:
    """The packet of an image that was made upright and stands alone in its file.

    The orientation becomes 1, and what announces a gain map or a video is taken out. A packet of
    more than 256 KiB that announces one is taken out as a whole: to search it could take minutes.
    """
    xmp = _set(xmp, _ORIENTATION, 1)
    if len(xmp) > _LONGEST_SEARCHED and (has_gain_map(xmp) or has_motion(xmp)):
        return b""
    if has_gain_map(xmp) or has_motion(xmp):
        for claim in _CLAIMS:
            xmp = claim.sub(b"", xmp)
    return xmp


def for_size(xmp: bytes, width: int, height: int) -> bytes:
    """The packet with the size of the pixels that are written, where it states one."""
    return _set(_set(xmp, _WIDTH, width), _HEIGHT, height)


def _set(xmp: bytes, pattern: re.Pattern, value: int) -> bytes:
    """Replace the number in each place where ``pattern`` matches."""

    def changed(found: re.Match) -> bytes:
        start, end = (found.start(2) - found.start(), found.end(2) - found.start())
        return found[0][:start] + b"%d" % value + found[0][end:]

    return pattern.sub(changed, xmp)
