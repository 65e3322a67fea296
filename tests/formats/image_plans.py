"""Random plans of small images: format, kind of samples, transparency and what else a file holds.

A plan is a function of the seed and the number. Numbers go through all output formats and all kinds
of files in turn; what else a file holds is drawn at random.
"""

import random
from typing import NamedTuple

from PIL import features

OUTPUTS = (".png", ".jpg", ".webp", ".tif", ".bmp", ".avif")
BYTES = ("EXIF", "XMP", "profile", "resolution")
PNG_COLOURS = ("gamma", "sRGB", "cICP", "mDCV")


class Family(NamedTuple):
    """Files that are made in one way.

    Attributes:
        suffix: Of the files.
        kinds: Of samples, which ``image_maker`` knows.
        extras: What else the files may hold.
    """

    suffix: str
    kinds: tuple[str, ...]
    extras: tuple[str, ...] = ()


FAMILIES = {
    "PNG": Family(
        ".png",
        (
            *("grey 1", "grey 2", "grey 4", "grey 8", "grey 16", "grey alpha 8", "grey alpha 16"),
            *("palette 1", "palette 2", "palette 4", "palette 8", "palette alpha"),
            *("rgb 8", "rgb 16", "rgba 8", "rgba 16"),
            *("key grey 2", "key grey 4", "key grey 8", "key grey 16", "key rgb 8", "key rgb 16"),
        ),
        (*BYTES, *PNG_COLOURS, "text"),
    ),
    "JPEG": Family(
        ".jpg",
        ("grey", "rgb", "rgb", "progressive", "4:2:0", "cmyk", "cmyk profile", "MPO", "gain map"),
        (*BYTES, "IPTC", "comment"),
    ),
    "WebP": Family(
        ".webp", ("lossless", "lossy", "lossless alpha", "lossy alpha", "animated"), BYTES
    ),
    "TIFF": Family(
        ".tif",
        (
            *("grey 8", "grey 16", "white is zero 8", "bilevel", "rgb 8", "rgb 16", "rgba 8"),
            *("rgba 16", "grey alpha 8", "grey alpha 16", "palette 8", "planes 8", "planes 16"),
            *("unspecified 8", "associated 8", "big endian 16", "BigTIFF 8", "BigTIFF 16"),
            *("tiles 8", "deflate 8", "deflate 16", "predictor 16", "float 32", "float 64"),
            *("signed 16", "grey 32", "pages", "LZW", "PackBits", "JPEG", "cmyk", "LAB", "12 bits"),
        ),
        (*BYTES, "IPTC"),
    ),
    "BMP": Family(".bmp", ("bilevel", "grey", "palette", "rgb", "16 bits a pixel", "rgba")),
    "GIF": Family(".gif", ("still", "still with a key", "animated"), ("comment",)),
}
if features.check("avif"):
    FAMILIES["AVIF"] = Family(".avif", ("rgb", "rgba"), ("EXIF", "XMP", "profile"))
KINDS = [(family, kind) for family, each in FAMILIES.items() for kind in each.kinds]


class ImagePlan(NamedTuple):
    """A random image, and how to enhance it.

    Attributes:
        number: Of the plan.
        family: A key of ``FAMILIES``.
        kind: One of its kinds.
        size: Width and height.
        extras: What else it holds.
        orientation: Of EXIF, from 1 to 8; 0 for none.
        output: The suffix of the output.
        model: The weights.
    """

    number: int
    family: str
    kind: str
    size: tuple[int, int]
    extras: tuple[str, ...]
    orientation: int
    output: str
    model: str

    def __str__(self) -> str:
        width, height = self.size
        turned = f", orientation {self.orientation}" if self.orientation else ""
        extras = "".join(f", {extra}" for extra in self.extras)
        return f"{self.family} {self.kind} {width}x{height} to {self.output}{extras}{turned}"


def image_plan(number: int, seed: int) -> ImagePlan:
    """The plan with a number; the same for the same arguments."""
    draw = random.Random(f"image {seed} {number}")
    order = list(range(len(KINDS)))
    random.Random(seed).shuffle(order)
    family, kind = KINDS[order[number // len(OUTPUTS) % len(order)]]
    extras = {extra for extra in FAMILIES[family].extras if draw.random() < 0.2}
    if kind in ("gain map", "LAB", "12 bits") or kind.startswith("cmyk"):
        extras -= {"profile", "XMP"}
    if "profile" in extras or "gamma" in extras:
        extras.discard("sRGB")  # a PNG may have one of them only
    oriented = "EXIF" in extras and draw.random() < 0.7
    return ImagePlan(
        number=number,
        family=family,
        kind=kind,
        size=(draw.choice((1, *range(5, 41))), draw.choice((1, *range(5, 41)))),
        extras=tuple(sorted(extras)),
        orientation=draw.randint(1, 8) if oriented else 0,
        output=OUTPUTS[number % len(OUTPUTS)],
        model="residual1" if draw.random() < 0.05 else "luma-small",
    )
