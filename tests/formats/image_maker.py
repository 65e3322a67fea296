"""Makes the small images of random plans, with Pillow, with tifffile and byte by byte."""

import io
import struct
import zlib
from typing import Any, NamedTuple

import numpy as np
import tifffile
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base

from tests.formats.image_plans import ImagePlan
from tests.formats.profiles import cmyk_profile, grey_profile, rgb_profile
from tests.support.image_files import ORIENTED, png, rows_of

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


def make_image(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    """The file of ``plan``, and what it shows."""
    makers = {"PNG": _png, "JPEG": _jpeg, "WebP": _webp, "TIFF": _tiff, "BMP": _bmp, "GIF": _gif}
    contents, truth = makers.get(plan.family, _avif)(plan)
    if plan.orientation:
        turn = ORIENTED[plan.orientation]
        pixels = None if truth.pixels is None else turn(truth.pixels)
        alpha = None if truth.alpha is None else turn(truth.alpha[..., None])[..., 0]
        truth = truth._replace(pixels=pixels, alpha=alpha)
    return contents, truth


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


def _typed(values: np.ndarray, bits: int) -> np.ndarray:
    return values.astype(np.uint8) if bits == 8 else values.astype(np.uint16)


# PNG


def _png(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    words = plan.kind.split()
    if words[0] == "palette":
        return _png_palette(plan, words[1])
    bits = int(words[-1])
    channels = {"grey": 2 if "alpha" in words else 1, "rgb": 3, "rgba": 4}
    count = channels[words[1] if words[0] == "key" else words[0]]
    values = samples(plan, count, 2**bits - 1)
    chunks = _png_chunks(plan)
    alpha = values[..., -1] if count in (2, 4) else None
    colours = values[..., :-1] if alpha is not None else values
    if words[0] == "key":
        key = colours[0, 0]
        chunks.append((b"tRNS", b"".join(struct.pack(">H", value) for value in key)))
        alpha = np.where((colours == key).all(-1), 0, 2 ** max(bits, 8) - 1)
    contents = _png_file(plan, values, bits, {1: 0, 2: 4, 3: 2, 4: 6}[count], chunks)
    if bits < 8:
        colours = colours.astype(int) * 255 // (2**bits - 1)
    deep = max(bits, 8)
    shown = None if alpha is None else _typed(alpha, deep)
    return contents, ImageTruth(_typed(colours, deep), shown)


def _png_palette(plan: ImagePlan, which: str) -> tuple[bytes, ImageTruth]:
    bits = 8 if which == "alpha" else int(which)
    count = 2**bits
    width, height = plan.size
    indices = (np.add.outer(np.arange(height), np.arange(width)) // 2 % count).astype(np.uint16)
    steps = np.arange(count)
    # Of little colour, since formats with colour at half the resolution spread it
    grey = steps * 235 // max(count - 1, 1)
    palette = np.stack([grey + 20, grey + 8, grey], axis=1).astype(np.uint8)
    chunks = [*_png_chunks(plan), (b"PLTE", palette.tobytes())]
    alpha = None
    if which == "alpha":
        levels = np.clip(steps * 3, 0, 255).astype(np.uint8)
        chunks.append((b"tRNS", levels.tobytes()))
        alpha = levels[indices]
    contents = _png_file(plan, indices[..., None], bits, 3, chunks)
    return contents, ImageTruth(palette[indices], alpha)


def _png_file(
    plan: ImagePlan, values: np.ndarray, bits: int, colour_type: int, chunks: list
) -> bytes:
    width, height = plan.size
    if bits == 16:
        rows = rows_of(values.astype(">u2"))
    elif bits == 8:
        rows = rows_of(values.astype(np.uint8))
    else:
        weights = np.arange(bits - 1, -1, -1)
        spread = (values.reshape(height, -1, 1) >> weights & 1).reshape(height, -1)
        rows = rows_of(np.packbits(spread.astype(np.uint8), axis=1))
    order = {b"PLTE": 1, b"tRNS": 2}
    chunks = sorted(chunks, key=lambda chunk: order.get(chunk[0], 0 if chunk[0] in EARLY else 3))
    return png(width, height, bits, colour_type, rows, *chunks)


EARLY = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"iCCP", b"mDCV", b"cLLI")


def _png_chunks(plan: ImagePlan) -> list[tuple[bytes, bytes]]:
    chunks = []
    if "gamma" in plan.extras:
        chunks += [(b"gAMA", GAMMA), (b"cHRM", PRIMARIES)]
    if "sRGB" in plan.extras:
        chunks.append((b"sRGB", b"\0"))
    if "cICP" in plan.extras:
        chunks.append((b"cICP", CICP))
    if "mDCV" in plan.extras:
        chunks += [(b"mDCV", MASTERING), (b"cLLI", LIGHT)]
    if "profile" in plan.extras:
        chunks.append((b"iCCP", b"mine\0\0" + zlib.compress(_profile(plan))))
    if "EXIF" in plan.extras:
        chunks.append((b"eXIf", _exif(plan)[6:]))
    if "XMP" in plan.extras:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    if "resolution" in plan.extras:
        chunks.append((b"pHYs", struct.pack(">IIB", *2 * [round(DPI / 0.0254)], 1)))
    if "text" in plan.extras:
        chunks.append((b"tEXt", b"Title\0" + TEXTS["Title"].encode()))
        packed = zlib.compress(TEXTS["Comment"].encode())
        chunks.append((b"zTXt", b"Comment\0\0" + packed))
    return chunks


def _profile(plan: ImagePlan) -> bytes:
    grey = plan.kind.startswith(("grey", "key grey", "white", "bilevel"))
    return grey_profile() if grey else rgb_profile()


def _exif(plan: ImagePlan) -> bytes:
    block = Image.Exif()
    block[Base.Make], block[Base.Copyright] = MAKE, "somebody"
    if plan.orientation:
        block[Base.Orientation] = plan.orientation
    block.get_ifd(IFD.Exif)[Base.FNumber] = F_NUMBER
    block.get_ifd(IFD.GPSInfo)[1] = "N"
    return block.tobytes()


def _options(plan: ImagePlan) -> dict[str, Any]:
    """Options of Pillow for what else a file holds."""
    options: dict[str, Any] = {}
    if "EXIF" in plan.extras:
        options["exif"] = _exif(plan)
    if "XMP" in plan.extras:
        options["xmp"] = XMP
    if "profile" in plan.extras:
        options["icc_profile"] = _profile(plan)
    if "comment" in plan.extras:
        options["comment"] = COMMENT
    if "resolution" in plan.extras and plan.family != "WebP":
        options["dpi"] = (DPI, DPI)
    return options


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _image(plan: ImagePlan, channels: int, shift: int = 0) -> Image.Image:
    values = samples(plan, channels, 255, shift).astype(np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def _as_pillow_shows(contents: bytes, images: int = 1) -> ImageTruth:
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


# JPEG, WebP, AVIF, BMP and GIF


def _jpeg(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = _options(plan) | {"quality": 90}
    if "IPTC" in plan.extras:
        resource = (
            b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
        )
        block = b"Photoshop 3.0\0" + resource
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    if plan.kind in ("MPO", "gain map"):
        if plan.kind == "gain map":
            options["xmp"] = GAIN_MAP
        second = _image(plan, 3, shift=5)
        options |= {"save_all": True, "append_images": [second]}
        contents = _saved(_image(plan, 3), "MPO", **options)
        return contents, _as_pillow_shows(contents, images=2)
    if plan.kind.startswith("cmyk"):
        if plan.kind == "cmyk profile":
            options["icc_profile"] = cmyk_profile()
        contents = _saved(_image(plan, 3).convert("CMYK"), "JPEG", **options)
        if plan.kind == "cmyk profile":
            return contents, ImageTruth(_by_profile(contents), exact=False)
        return contents, _as_pillow_shows(contents)._replace(exact=False)
    if plan.kind == "progressive":
        options["progressive"] = True
    options["subsampling"] = 2 if plan.kind == "4:2:0" else 0
    contents = _saved(_image(plan, 1 if plan.kind == "grey" else 3), "JPEG", **options)
    return contents, _as_pillow_shows(contents)


def _by_profile(contents: bytes) -> np.ndarray:
    """The colours of a JPEG in CMYK as its profile says, uint8 [H, W, 3]."""
    with Image.open(io.BytesIO(contents)) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        srgb = ImageCms.createProfile("sRGB")
        return np.asarray(ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB"))


def _webp(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = _options(plan)
    if plan.kind == "animated":
        options |= {"save_all": True, "append_images": [_image(plan, 3, shift=20)]}
        contents = _saved(_image(plan, 3), "WEBP", lossless=True, **options)
        return contents, _as_pillow_shows(contents, images=2)
    image = _image(plan, 4 if "alpha" in plan.kind else 3)
    options |= {"exact": True, "lossless": "lossless" in plan.kind, "quality": 90}
    contents = _saved(image, "WEBP", **options)
    return contents, _as_pillow_shows(contents)


def _avif(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    contents = _saved(_image(plan, len(plan.kind)), "AVIF", quality=90, speed=9, **_options(plan))
    # The file says itself how it is turned, and Pillow turns it.
    return contents, _as_pillow_shows(contents)._replace(exact=False)


def _bmp(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    if plan.kind == "16 bits a pixel":
        return _bmp16(plan)
    image = _image(plan, {"rgb": 3, "palette": 3, "rgba": 4}.get(plan.kind, 1))
    if plan.kind == "bilevel":
        image = image.convert("1")
    if plan.kind == "palette":
        image = image.quantize(16)
    contents = _saved(image, "BMP")
    return contents, _as_pillow_shows(contents)


def _bmp16(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    """Five bits for each of red, green and blue."""
    width, height = plan.size
    values = samples(plan, 3, 31).astype(int)
    packed = (values[..., 0] << 10 | values[..., 1] << 5 | values[..., 2]).astype("<u2")[::-1]
    padding = bytes(-2 * width % 4)
    body = b"".join(row.tobytes() + padding for row in packed)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 16, 0, len(body), 0, 0, 0, 0)
    contents = b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body
    return contents, _as_pillow_shows(contents)._replace(exact=False)


def _gif(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = _options(plan)
    image = _image(plan, 3).quantize(32)
    if plan.kind == "still with a key":
        options["transparency"] = image.getpixel((0, 0))
    if plan.kind == "animated":
        options |= {"save_all": True, "append_images": [_image(plan, 3, shift=20).quantize(32)]}
        options["loop"] = 0
    contents = _saved(image, "GIF", **options)
    with Image.open(io.BytesIO(contents)) as made:
        images = made.n_frames  # Pillow leaves out a frame that is equal to the one before
    return contents, _as_pillow_shows(contents, images=images)


# TIFF


def _tiff(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
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
    typed = _typed(values, bits)
    if count in (2, 4):
        return ImageTruth(typed[..., :-1], typed[..., -1])
    return ImageTruth(typed)


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
    typed = values.astype(np.uint32) * 65537 if bits == 32 else _typed(values, bits)
    if name == "planes":
        typed = np.ascontiguousarray(typed.transpose(2, 0, 1))
    if name == "big endian":
        typed = typed.astype(">u2")
    return typed[..., 0] if typed.shape[-1] == 1 and typed.ndim == 3 else typed


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
        options["iccprofile"] = _profile(plan)
    if "resolution" in plan.extras:
        options |= {"resolution": (DPI, DPI), "resolutionunit": "inch"}
    return options | {"extratags": tags}


def _tiff_by_pillow(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = _options(plan)
    options.pop("xmp", None)
    kinds = {"LZW": "tiff_lzw", "PackBits": "packbits", "JPEG": "jpeg"}
    image = _image(plan, 1 if plan.kind == "bilevel" else 3)
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
    contents = _saved(image, "TIFF", **options)
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
