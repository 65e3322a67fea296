"""Makes the small images of random plans."""

import io
import struct

import numpy as np
from PIL import Image, ImageCms

from tests.formats.image_parts import (
    GAIN_MAP,
    IPTC,
    ImageTruth,
    as_pillow_shows,
    options_of,
    pillow_image,
    samples,
    saved,
)
from tests.formats.image_plans import ImagePlan
from tests.formats.png_maker import make_png
from tests.formats.profiles import cmyk_profile
from tests.formats.tiff_maker import make_tiff
from tests.support.image_files import ORIENTED


def make_image(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    """The file of ``plan``, and what it shows."""
    makers = {
        "PNG": make_png,
        "JPEG": _jpeg,
        "WebP": _webp,
        "TIFF": make_tiff,
        "BMP": _bmp,
        "GIF": _gif,
    }
    contents, truth = makers.get(plan.family, _avif)(plan)
    if plan.orientation:
        turn = ORIENTED[plan.orientation]
        pixels = None if truth.pixels is None else turn(truth.pixels)
        alpha = None if truth.alpha is None else turn(truth.alpha[..., None])[..., 0]
        truth = truth._replace(pixels=pixels, alpha=alpha)
    return contents, truth


def _jpeg(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = options_of(plan) | {"quality": 90}
    if "IPTC" in plan.extras:
        resource = (
            b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
        )
        block = b"Photoshop 3.0\0" + resource
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    if plan.kind in ("MPO", "gain map"):
        if plan.kind == "gain map":
            options["xmp"] = GAIN_MAP
        second = pillow_image(plan, 3, shift=5)
        options |= {"save_all": True, "append_images": [second]}
        contents = saved(pillow_image(plan, 3), "MPO", **options)
        return contents, as_pillow_shows(contents, images=2)
    if plan.kind.startswith("cmyk"):
        if plan.kind == "cmyk profile":
            options["icc_profile"] = cmyk_profile()
        contents = saved(pillow_image(plan, 3).convert("CMYK"), "JPEG", **options)
        if plan.kind == "cmyk profile":
            return contents, ImageTruth(_by_profile(contents), exact=False)
        return contents, as_pillow_shows(contents)._replace(exact=False)
    if plan.kind == "progressive":
        options["progressive"] = True
    options["subsampling"] = 2 if plan.kind == "4:2:0" else 0
    contents = saved(pillow_image(plan, 1 if plan.kind == "grey" else 3), "JPEG", **options)
    return contents, as_pillow_shows(contents)


def _by_profile(contents: bytes) -> np.ndarray:
    """The colours of a JPEG in CMYK as its profile says, uint8 [H, W, 3]."""
    with Image.open(io.BytesIO(contents)) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        srgb = ImageCms.createProfile("sRGB")
        return np.asarray(ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB"))


def _webp(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = options_of(plan)
    if plan.kind == "animated":
        options |= {"save_all": True, "append_images": [pillow_image(plan, 3, shift=20)]}
        contents = saved(pillow_image(plan, 3), "WEBP", lossless=True, **options)
        return contents, as_pillow_shows(contents, images=2)
    image = pillow_image(plan, 4 if "alpha" in plan.kind else 3)
    options |= {"exact": True, "lossless": "lossless" in plan.kind, "quality": 90}
    contents = saved(image, "WEBP", **options)
    return contents, as_pillow_shows(contents)


def _avif(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    contents = saved(
        pillow_image(plan, len(plan.kind)), "AVIF", quality=90, speed=9, **options_of(plan)
    )
    # The file says itself how it is turned, and Pillow turns it.
    return contents, as_pillow_shows(contents)._replace(exact=False)


def _bmp(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    if plan.kind == "16 bits a pixel":
        return _bmp16(plan)
    image = pillow_image(plan, {"rgb": 3, "palette": 3, "rgba": 4}.get(plan.kind, 1))
    if plan.kind == "bilevel":
        image = image.convert("1")
    if plan.kind == "palette":
        image = image.quantize(16)
    contents = saved(image, "BMP")
    return contents, as_pillow_shows(contents)


def _bmp16(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    """Five bits for each of red, green and blue."""
    width, height = plan.size
    values = samples(plan, 3, 31).astype(int)
    packed = (values[..., 0] << 10 | values[..., 1] << 5 | values[..., 2]).astype("<u2")[::-1]
    padding = bytes(-2 * width % 4)
    body = b"".join(row.tobytes() + padding for row in packed)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 16, 0, len(body), 0, 0, 0, 0)
    contents = b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body
    return contents, as_pillow_shows(contents)._replace(exact=False)


def _gif(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    options = options_of(plan)
    image = pillow_image(plan, 3).quantize(32)
    if plan.kind == "still with a key":
        options["transparency"] = image.getpixel((0, 0))
    if plan.kind == "animated":
        options |= {
            "save_all": True,
            "append_images": [pillow_image(plan, 3, shift=20).quantize(32)],
        }
        options["loop"] = 0
    contents = saved(image, "GIF", **options)
    with Image.open(io.BytesIO(contents)) as made:
        images = made.n_frames  # Pillow leaves out a frame that is equal to the one before
    return contents, as_pillow_shows(contents, images=images)
