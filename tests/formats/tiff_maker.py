"""Makes random TIFF files, with tifffile and with Pillow."""

import io
import struct
from typing import Any

import numpy as np
import tifffile
from PIL import Image, ImageCms
from PIL.ExifTags import Base

from tests.formats.image_parts import (
    DPI,
    IPTC,
    MAKE,
    XMP,
    ImageTruth,
    options_of,
    pillow_image,
    profile_of,
    samples,
    saved,
    typed,
)
from tests.formats.image_plans import ImagePlan


def make_tiff(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    if plan.kind in ("LZW", "PackBits", "JPEG", "cmyk", "LAB", "bilevel", "palette 8"):
        return _tiff_by_pillow(plan)
    if plan.kind == "12 bits":
        return _tiff12(plan)
    words = plan.kind.split()
    bits = int(words[-1]) if words[-1].isdigit() else 8
    name = " ".join(words[:-1]) if words[-1].isdigit() else plan.kind
    options: dict[str, Any] = {"photometric": "rgb", "metadata": None}
    if name in ("grey", "grey alpha", "white is zero"):
        options["photometric"] = "miniswhite" if name == "white is zero" else "minisblack"
    count = {"grey": 1, "white is zero": 1, "grey alpha": 2, "rgba": 4}.get(name, 3)
    if name in ("unspecified", "associated"):
        count = 4
    values = samples(plan, count, 2 ** min(bits, 16) - 1)
    truth = _truth_of(values, count, bits, name)
    options |= {
        "grey alpha": {"extrasamples": ["UNASSALPHA"]},
        "rgba": {"extrasamples": ["UNASSALPHA"]},
        "unspecified": {"extrasamples": ["UNSPECIFIED"]},
        "associated": {"extrasamples": ["ASSOCALPHA"]},
        "planes": {"planarconfig": "separate"},
        "big endian": {"byteorder": ">"},
        "BigTIFF": {"bigtiff": True},
        "tiles": {"tile": (16, 16)},
        "deflate": {"compression": "zlib"},
        "predictor": {"compression": "zlib", "predictor": 2},
    }.get(name, {})
    stored = _stored(values, name, bits)
    file = io.BytesIO()
    with tifffile.TiffWriter(
        file, bigtiff=options.pop("bigtiff", False), byteorder=options.pop("byteorder", "<")
    ) as writer:
        pages = 2 if name == "pages" else 1
        for _ in range(pages):
            writer.write(stored, **options, **_tiff_tags(plan))
    return file.getvalue(), truth._replace(images=pages)


def _truth_of(values: np.ndarray, count: int, bits: int, name: str) -> ImageTruth:
    if name == "float":
        return ImageTruth(values, exact=False)
    if name in ("signed", "associated") or bits == 32:
        return ImageTruth(None)
    stored = typed(values, bits)
    if count in (2, 4):
        return ImageTruth(stored[..., :-1], stored[..., -1])
    return ImageTruth(stored)


def _stored(values: np.ndarray, name: str, bits: int) -> np.ndarray:
    """The samples as tifffile takes them."""
    if name == "float":
        values = (values / values.max(initial=1)).astype(f"f{bits // 8}")
        return values
    if name == "signed":
        return (values.astype(int) - 2**15).astype(np.int16)
    if name == "associated":
        shown = values.astype(int)
        shown[..., :3] = shown[..., :3] * shown[..., 3:] // 255
        values = shown
    if name == "white is zero":
        values = 2**bits - 1 - values
    stored = values.astype(np.uint32) * 65537 if bits == 32 else typed(values, bits)
    if name == "planes":
        stored = np.ascontiguousarray(stored.transpose(2, 0, 1))
    if name == "big endian":
        stored = stored.astype(">u2")
    return stored[..., 0] if stored.shape[-1] == 1 and stored.ndim == 3 else stored


def _tiff_tags(plan: ImagePlan) -> dict[str, Any]:
    """Arguments of tifffile for what else a file holds."""
    tags: list[tuple] = []
    options: dict[str, Any] = {}
    if "EXIF" in plan.extras:
        tags += [(Base.Make, "s", 0, MAKE, True), (Base.Copyright, "s", 0, "somebody", True)]
        if plan.orientation:
            tags.append((Base.Orientation, "H", 1, plan.orientation, True))
    if "XMP" in plan.extras:
        tags.append((700, "B", len(XMP), XMP, True))
    if "IPTC" in plan.extras:
        tags.append((33723, "B", len(IPTC), IPTC, True))
    if "profile" in plan.extras:
        options["iccprofile"] = profile_of(plan)
    if "resolution" in plan.extras:
        options |= {"resolution": (DPI, DPI), "resolutionunit": "inch"}
    return options | {"extratags": tags}


def _tiff_by_pillow(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = options_of(plan)
    options.pop("xmp", None)
    kinds = {"LZW": "tiff_lzw", "PackBits": "packbits", "JPEG": "jpeg"}
    image = pillow_image(plan, 1 if plan.kind == "bilevel" else 3)
    if plan.kind in kinds:
        options["compression"] = kinds[plan.kind]
        if options.pop("exif", None):  # libtiff's writer in Pillow takes no nested directories
            options["tiffinfo"] = {Base.Make: MAKE, Base.Copyright: "somebody"}
            options["tiffinfo"] |= {Base.Orientation: plan.orientation} if plan.orientation else {}
    if plan.kind in ("cmyk", "LAB"):
        image = image.convert("CMYK") if plan.kind == "cmyk" else _lab(image)
    if plan.kind == "bilevel":
        image = image.convert("1")
    if plan.kind == "palette 8":
        image = image.quantize(64)
    contents = saved(image, "TIFF", **options)
    if plan.kind == "LAB":
        return contents, ImageTruth(None)
    if plan.kind in ("JPEG", "cmyk"):
        return contents, _as_shown(image)._replace(exact=False)
    return contents, _as_shown(image)


def _as_shown(image: Image.Image) -> ImageTruth:
    values = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    return ImageTruth(values if values.ndim == 3 else values[..., None])


def _lab(image: Image.Image) -> Image.Image:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")


def _tiff12(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    """Grey of 12 bits, packed."""
    width, height = plan.size
    values = samples(plan, 1, 4095)[..., 0]
    spread = (values[..., None] >> np.arange(11, -1, -1) & 1).reshape(height, -1)
    body = np.packbits(spread.astype(np.uint8), axis=1).tobytes()
    tags = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: height}
    tags[279] = len(body)
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items())
    )
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    contents = b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory
    deep = np.rint(values * (65535 / 4095)).astype(np.uint16)
    return contents, ImageTruth(deep[..., None], exact=False)
