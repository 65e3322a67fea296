"""What random images show and hold, whatever their format."""

import io
import struct
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base

from tests.formats.image_plans import ImagePlan
from tests.formats.profiles import grey_profile, rgb_profile

TOKEN = b"a token that nothing else holds"
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="' + TOKEN + b'"/></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)
GAIN_MAP = XMP.replace(
    b" dc:source",
    b' xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" dc:source',
)
CAPTION = b"a caption in IPTC"
IPTC = b"\x1c\x02\x78" + struct.pack(">H", len(CAPTION)) + CAPTION
TEXTS = {"Title": "a title of the image", "Comment": "a comment of the image"}
COMMENT = b"a comment in the file"
DPI = 144
MAKE, F_NUMBER = "Maker", 2.8
GAMMA = struct.pack(">I", 100000)  # linear
PRIMARIES = struct.pack(">8I", 31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600)
CICP = bytes((9, 16, 0, 1))  # BT.2020, PQ
MASTERING = struct.pack(">8H2I", 35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, 10**7, 1)
LIGHT = struct.pack(">II", 10**7, 4 * 10**6)


class ImageTruth(NamedTuple):
    """What an image shows.

    Attributes:
        pixels: Upright, uint8 or uint16 [H, W, 1 or 3]; None if no reading of it is the only one.
        alpha: [H, W] of the same type, or None.
        exact: Whether a lossless output must have these very samples.
        images: How many images the file holds.
    """

    pixels: np.ndarray | None
    alpha: np.ndarray | None = None
    exact: bool = True
    images: int = 1


def samples(plan: ImagePlan, channels: int, peak: int, shift: int = 0) -> np.ndarray:
    """A smooth image, uint16 [H, W, C] from 0 to ``peak``; the last of 2 or 4 is alpha.

    Alpha is a slope with a part that is wholly transparent and one that is opaque.
    """
    width, height = plan.size
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [
        0.5 + 0.35 * np.sin((columns + shift) / 9),
        (rows + 1) / (height + 1),
        0.5 + 0.35 * np.cos((rows + columns + shift) / 12),
    ]
    planes = waves[:1] if channels <= 2 else waves
    if channels in (2, 4):
        planes = [*planes, np.clip(1.4 * columns / max(width - 1, 1) - 0.2, 0, 1)]
    return np.rint(peak * np.stack(planes, axis=-1)).astype(np.uint16)


def typed(values: np.ndarray, bits: int) -> np.ndarray:
    return values.astype(np.uint8) if bits == 8 else values.astype(np.uint16)


def profile_of(plan: ImagePlan) -> bytes:
    grey = plan.kind.startswith(("grey", "key grey", "white", "bilevel"))
    return grey_profile() if grey else rgb_profile()


def exif_of(plan: ImagePlan) -> bytes:
    block = Image.Exif()
    block[Base.Make], block[Base.Copyright] = MAKE, "somebody"
    if plan.orientation:
        block[Base.Orientation] = plan.orientation
    block.get_ifd(IFD.Exif)[Base.FNumber] = F_NUMBER
    block.get_ifd(IFD.GPSInfo)[1] = "N"
    return block.tobytes()


def options_of(plan: ImagePlan) -> dict[str, Any]:
    """Options of Pillow for what else a file holds."""
    options: dict[str, Any] = {}
    if "EXIF" in plan.extras:
        options["exif"] = exif_of(plan)
    if "XMP" in plan.extras:
        options["xmp"] = XMP
    if "profile" in plan.extras:
        options["icc_profile"] = profile_of(plan)
    if "comment" in plan.extras:
        options["comment"] = COMMENT
    if "resolution" in plan.extras and plan.family != "WebP":
        options["dpi"] = (DPI, DPI)
    return options


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pillow_image(plan: ImagePlan, channels: int, shift: int = 0) -> Image.Image:
    values = samples(plan, channels, 255, shift).astype(np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def as_pillow_shows(contents: bytes, images: int = 1) -> ImageTruth:
    """What a file shows whose coding is lossy; tests of the readers are elsewhere."""
    with Image.open(io.BytesIO(contents)) as image:
        grey = image.mode in ("1", "L", "LA")
        clear = image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info
        mode = ("LA" if grey else "RGBA") if clear else "L" if grey else "RGB"
        values = np.asarray(image.convert(mode))
    values = values if values.ndim == 3 else values[..., None]
    if clear:
        return ImageTruth(values[..., :-1], values[..., -1], images=images)
    return ImageTruth(values, images=images)
