"""What the page keeps of image files, and what it says about the rest."""

import io
import re
import struct

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from rts_tf.export.runners.browser import enhanced
from rts_tf.images.icc import SRGB_CURVE, SRGB_PRIMARIES, profile
from tests.support.image_files import EIGHT, GREY_PROFILE, ORIENTED, SIXTEEN, chunk, exif
from tests.support.pages import SMALL_TILES, file_of, notes, opened, page_of_both, png

# Green and blue are exchanged, so that a conversion is seen at once.
WIDE = profile((*SRGB_PRIMARIES[:4], *SRGB_PRIMARIES[6:], *SRGB_PRIMARIES[4:6]), SRGB_CURVE, 3, "x")
# It fills two segments of a JPEG.
LONG = profile(SRGB_PRIMARIES, SRGB_CURVE, 3, "a long name " * 6000)
KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
ALPHA = np.dstack([EIGHT, np.linspace(0, 255, EIGHT[..., 0].size).reshape(EIGHT.shape[:2])])


SIZES = """Promise.all([...document.querySelectorAll('.compare img')].map(async image => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }))"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("page"), page_of_both(), SMALL_TILES) as opened_tab:
        yield opened_tab


def taken(tab, contents: bytes, kind: str = "image/png", **settings) -> Image.Image:
    """The file that the page offers, with the samples of the input if the strength is 0."""
    image = Image.open(io.BytesIO(enhanced(tab, contents, format=kind, **settings)))
    assert image.format == KINDS[kind]
    return image


def changed_icc(contents: bytes) -> bytes:
    return Image.open(io.BytesIO(contents)).info.get("icc_profile", b"")


@pytest.mark.parametrize("output", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_profile_and_exif_are_kept(tab, source, output):
    block = exif(6, "somebody")
    contents = file_of(EIGHT, KINDS[source], icc_profile=WIDE, exif=block, quality=95)
    stored = np.asarray(Image.open(io.BytesIO(contents)).convert("RGB")).astype(int)
    image = taken(tab, contents, output, strength=0)
    assert image.info["icc_profile"] == WIDE
    assert image.getexif()[Base.Artist] == "somebody"
    assert image.getexif().get(Base.Orientation, 1) == 1
    difference = np.abs(np.asarray(image.convert("RGB")) - ORIENTED[6](stored))
    assert difference.mean() < (2.5 if output != "image/png" else 0.5)
    said = " ".join(notes(tab))
    assert "profile was kept" in said and "upright" in said and "EXIF was kept" in said


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_upright(tab, kind, orientation):
    contents = file_of(EIGHT, kind, exif=exif(orientation), lossless=True)
    stored = np.asarray(Image.open(io.BytesIO(contents)))
    upright = taken(tab, contents, strength=0)
    difference = np.abs(np.asarray(upright.convert("RGB"), int) - ORIENTED[orientation](stored))
    assert difference.max() <= (2 if kind == "JPEG" else 0)  # decoders of JPEG round differently
    assert tab.evaluate(SIZES) == [[*upright.size]] * 2  # of what is compared
    assert ("turned upright" in " ".join(notes(tab))) == (orientation > 1)


def test_samples_of_a_png_are_as_they_were(tab):
    image = taken(tab, png(EIGHT, icc_profile=WIDE), strength=0)
    np.testing.assert_array_equal(image.convert("RGB"), EIGHT)
    assert image.info["icc_profile"] == WIDE


def test_a_long_profile_and_a_preview_in_exif(tab):
    preview = file_of(EIGHT[::2, ::2], "JPEG")
    contents = file_of(EIGHT, "JPEG", icc_profile=LONG, exif=with_preview(preview))
    assert len(changed_icc(contents)) > 2**16
    made = enhanced(tab, contents, format="image/jpeg", strength=100)
    assert changed_icc(made) == LONG
    image = Image.open(io.BytesIO(made))
    assert image.getexif()[Base.Artist] == "somebody" and not dict(image.getexif().get_ifd(1))
    assert preview[-40:] not in made


def with_preview(preview: bytes) -> bytes:
    """An EXIF block with a preview image behind its second directory."""
    artist, places = b"somebody\0", 8 + 2 + 12 + 4
    second = places + len(artist)
    start = second + 2 + 24 + 4
    first = struct.pack("<HHHIII", 1, Base.Artist, 2, len(artist), places, second)
    entries = struct.pack("<HHHIIHHIII", 2, 513, 4, 1, start, 514, 4, 1, len(preview), 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + first + artist + entries + preview


def test_transparency(tab):
    contents = png(ALPHA.astype(np.uint8))
    for kind in ("image/png", "image/webp"):
        made = np.asarray(taken(tab, contents, kind, strength=0).convert("RGBA"), float)
        assert np.abs(made[..., 3] - ALPHA[..., 3]).max() <= 1
        if kind == "image/png":  # browsers keep samples multiplied by alpha
            opaque = ALPHA[..., 3] > 128
            assert np.abs(made - ALPHA)[opaque].max() <= 1
    assert not notes(tab)
    image = taken(tab, contents, "image/jpeg", strength=0)
    assert np.asarray(image)[0, 0].min() > 240
    assert "white" in " ".join(notes(tab))


def with_gamma() -> bytes:
    contents = png(EIGHT)
    return contents[:33] + chunk(b"gAMA", struct.pack(">I", 100000)) + contents[33:]


def cmyk() -> bytes:
    file = io.BytesIO()
    Image.fromarray(EIGHT).convert("CMYK").save(file, "JPEG")
    return file.getvalue()


def animated(kind: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.fromarray(x) for x in (EIGHT, 255 - EIGHT)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


SAID = {
    "a profile for grey": (lambda: png(EIGHT[..., 0], icc_profile=GREY_PROFILE), "sRGB.*GRAY"),
    "CMYK": (cmyk, "converted to sRGB: it is CMYK"),
    "gamma": (with_gamma, "converted to sRGB.*gAMA"),
    "16 bits": (lambda: png(SIXTEEN[..., 0]), "Not kept: the lower 8 of 16 bits"),
    "XMP": (lambda: file_of(EIGHT, "JPEG", xmp=b"<x/>"), "Not kept: XMP"),
    "XMP in WebP": (lambda: file_of(EIGHT, "WEBP", xmp=b"<x/>"), "Not kept: XMP"),
    "a comment": (lambda: file_of(EIGHT, "JPEG", comment=b"hello"), "Not kept: comments"),
    "resolution": (lambda: png(EIGHT, dpi=(300, 300)), "resolution"),
    "GIF": (lambda: animated("GIF"), "all frames but the first"),
    "APNG": (lambda: animated("PNG"), "all frames but the first"),
    "WebP": (lambda: animated("WEBP"), "all frames but the first"),
    "AVIF": (lambda: file_of(EIGHT, "AVIF"), "sRGB.*Not kept: all metadata"),
    "a damaged profile": (lambda: png(EIGHT, icc_profile=b"x" * 200), "damaged colour profile"),
    "damaged EXIF": (
        lambda: file_of(EIGHT, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\0\0"),
        "damaged EXIF",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_nothing_is_lost_in_silence(tab, name):
    make, words = SAID[name]
    image = taken(tab, make(), strength=100)
    assert "icc_profile" not in image.info
    assert re.search(words, " ".join(notes(tab)))


def test_gamma_is_converted_as_the_browser_shows_it(tab):
    linear = np.asarray(taken(tab, with_gamma(), strength=0).convert("RGB"), float)
    assert linear.mean() > EIGHT.mean() + 20


def test_of_a_plain_file_nothing_is_said(tab):
    taken(tab, png(EIGHT), strength=100)
    assert not notes(tab)


def test_a_browser_that_converts_colours(tmp_path):
    before, after = (
        f'(probe("profile"), {{ colorSpaceConversion: "{x}"' for x in ("none", "default")
    )
    changes = {before: after}
    with opened(tmp_path, page_of_both(), changes) as tab:
        image = taken(tab, png(EIGHT, icc_profile=WIDE), strength=0)
        assert "converted to sRGB: this browser" in " ".join(notes(tab))
        assert (
            "icc_profile" not in image.info
            and np.abs(np.asarray(image.convert("RGB"), int) - EIGHT).mean() > 3
        )
