"""The segments of a JPEG file that hold metadata, read from Pillow's list and written."""

import os
from collections.abc import Iterator

from PIL import Image

from rts_tf.images import photoshop
from rts_tf.images import xmp as packets
from rts_tf.images.metadata import Metadata

XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1"
_ICC = b"ICC_PROFILE\0"
LONGEST = 65533  # bytes that a segment holds
# How the pixels are stored, what is read elsewhere, and previews: JFIF and its preview, EXIF, ICC
# profile, index of further images, Photoshop's quality, Adobe's colour transform
_KNOWN = (
    *(("APP0", b""), ("APP1", b"Exif\0"), ("APP2", _ICC), ("APP2", b"MPF\0"), ("APP2", b"FPXR")),
    *(("APP2", _GAIN_MAP), ("APP12", b"Ducky"), ("APP14", b"Adobe")),
)


def read_segments(image: Image.Image, path: str | os.PathLike) -> tuple[Metadata, list[str]]:
    """The metadata in the segments of an opened JPEG file, and notes about what is left out."""
    xmp, block = b"", b""
    extended, comments, others = [], [], []
    segments = getattr(image, "applist", [])
    for name, contents in segments:
        if name == "COM":
            comments.append(contents)
        elif name == "APP1" and contents.startswith(XMP):
            xmp = xmp or contents[len(XMP) :]
        elif name == "APP1" and contents.startswith(_EXTENDED_XMP):
            extended.append(contents)
        elif name == "APP13" and contents.startswith(_PHOTOSHOP):
            block += contents[len(_PHOTOSHOP) :]
        elif not any(name == known and contents.startswith(start) for known, start in _KNOWN):
            others.append(name)
    notes = list(_further_images(image, xmp, path))
    if others:
        listed = ", ".join(dict.fromkeys(others))
        notes.append(f"application data was left out: {listed}")
    if not image.info.get("icc_profile") and any(c.startswith(_ICC) for _, c in segments):
        notes.append("its ICC profile is damaged and was left out")
    try:
        iptc, resources = photoshop.split(block)
    except ValueError:
        iptc = resources = b""
        notes.append("its IPTC is damaged and was left out")
    return Metadata(xmp, tuple(extended), iptc, resources, tuple(comments)), notes


def _further_images(image: Image.Image, xmp: bytes, path: str | os.PathLike) -> Iterator[str]:
    """Yield a note about each thing behind the image."""
    starts = [contents[: len(_GAIN_MAP)] for _, contents in getattr(image, "applist", [])]
    count = getattr(image, "n_frames", 1) - 1
    if packets.has_gain_map(xmp) or any(start == _GAIN_MAP for start in starts):
        yield "its gain map (Ultra HDR) was left out, so it is SDR now"
    elif count or any(start.startswith(b"MPF\0") for start in starts):
        yield "further images in the file (MPO), such as previews, were left out"
    elif packets.has_motion(xmp):
        yield "the video behind the image (motion photo) was left out"
    elif _has_tail(path):
        yield "data behind the end of the image was left out"


def _has_tail(path: str | os.PathLike) -> bool:
    """Whether anything but padding follows the marker at the end of a JPEG file."""
    with open(path, "rb") as file:
        file.seek(-min(os.path.getsize(path), 4096), os.SEEK_END)
        end = file.read().rstrip(b"\0\r\n ")
        if end.endswith(b"\xff\xd9") or not end:
            return False
        file.seek(0)
        return b"\xff\xd9" in file.read()


def with_segments(jpeg: bytes | memoryview, metadata: Metadata) -> bytes:
    """A JPEG file with the segments for ``metadata`` behind JFIF and EXIF.

    Each must fit into a segment, except that the IPTC block is cut into several.
    """
    parts = []
    if metadata.xmp:
        parts.append(_segment(0xE1, XMP + metadata.xmp))
    parts += [_segment(0xE1, contents) for contents in metadata.extended_xmp]
    block = photoshop.joined(metadata.iptc, metadata.resources)
    most = LONGEST - len(_PHOTOSHOP)
    for start in range(0, len(block), most):
        parts.append(_segment(0xED, _PHOTOSHOP + block[start : start + most]))
    parts += [_segment(0xFE, comment) for comment in metadata.comments]
    at = 2
    while jpeg[at] == 0xFF and jpeg[at + 1] in (0xE0, 0xE1):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return b"".join([jpeg[:at], *parts, jpeg[at:]])


def _segment(marker: int, contents: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(contents) + 2).to_bytes(2, "big") + contents
