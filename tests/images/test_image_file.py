"""An ImageFile that is written and read again: nothing that belongs to it is lost."""

import struct
import warnings

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base

from rts_tf.errors import ImageError
from rts_tf.images.dtypes import halve_bits
from rts_tf.images.image_file import LARGEST, ImageFile, pixel_count, read_image_file
from rts_tf.images.read import opened
from rts_tf.images.write import write_image_file
from tests.support.image_files import (
    EIGHT,
    GREY_PROFILE,
    ORIENTED,
    PROFILE,
    SIXTEEN,
    check_exif,
    exif,
    png,
    rows_of,
)

LOSSLESS = (".png", ".tif", ".bmp")


def again(image: ImageFile, path) -> ImageFile:
    """``image`` written to ``path``, where nothing else is left, and read from there."""
    write_image_file(path, image)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return read_image_file(path)


def image_of(kind: str, bits: int) -> ImageFile:
    """An image of ``kind``, "grey" or "colour", perhaps "and alpha"."""
    colour = EIGHT if bits == 8 else SIXTEEN
    pixels = colour[..., :1] if kind.startswith("grey") else colour
    return ImageFile(
        np.ascontiguousarray(pixels),
        np.ascontiguousarray(colour[..., 2]) if "alpha" in kind else None,
    )


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("kind", ["grey", "colour", "grey and alpha", "colour and alpha"])
@pytest.mark.parametrize("bits", [8, 16])
def test_pixels_come_back(tmp_path, suffix, kind, bits):
    image = image_of(kind, bits)
    if suffix == ".bmp":
        if "alpha" in kind:
            with pytest.raises(
                ImageError,
                match="a.bmp: is transparent in places, which BMP cannot hold; name a .png",
            ):
                write_image_file(tmp_path / "a.bmp", image)
            assert not list(tmp_path.iterdir())
            return
        image = image._replace(pixels=halve_bits(image.pixels))
    found = again(image, tmp_path / f"a{suffix}")
    assert found.pixels.dtype == image.pixels.dtype
    np.testing.assert_array_equal(found.pixels, image.pixels)
    if image.alpha is None:
        assert found.alpha is None
    else:
        assert found.alpha.dtype == image.alpha.dtype
        np.testing.assert_array_equal(found.alpha, image.alpha)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
    st.booleans(),
    st.integers(0, 9),
)
def test_any_size_in_16_bits(tmp_path_factory, height, width, channels, alpha, seed):
    random = np.random.default_rng(seed)
    values = random.integers(0, 65536, (height, width, channels + 1)).astype(np.uint16)
    image = ImageFile(values[..., :-1], values[..., -1] if alpha else None)
    for suffix in (".png", ".tiff"):
        path = tmp_path_factory.mktemp("sizes") / f"a{suffix}"
        found = again(image, path)
        np.testing.assert_array_equal(found.pixels, image.pixels)
        if alpha:
            np.testing.assert_array_equal(found.alpha, image.alpha)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_profile_exif_and_dpi_come_back(tmp_path, suffix, bits):
    image = image_of("colour", bits)._replace(icc=PROFILE, exif=exif(), dpi=(240.0, 300.0))
    found = again(image, tmp_path / f"a{suffix}")
    assert found.icc == PROFILE and not found.notes
    check_exif(found.exif, width=EIGHT.shape[1])
    if suffix != ".webp":  # has no room for it
        assert found.dpi == pytest.approx((240, 300), abs=0.01)
    third = again(found, tmp_path / f"a{suffix}")  # and does not wear away
    assert third.icc == found.icc and third.exif == found.exif and third.dpi == found.dpi


def test_jpeg_keeps_colour_at_full_size(tmp_path):
    found = again(image_of("colour", 8), tmp_path / "a.jpg")
    decoded = Image.open(tmp_path / "a.jpg")
    assert [component[1:3] for component in decoded.layer] == [(1, 1)] * 3  # 4:4:4
    assert np.abs(found.pixels.astype(int) - EIGHT).mean() < 2
    assert again(image_of("grey", 8), tmp_path / "a.jpg").pixels.shape[2] == 1


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_orientation_is_applied_once(tmp_path, suffix, bits, orientation):
    image = image_of("colour and alpha", bits)._replace(exif=exif(orientation), dpi=(240.0, 300.0))
    path = tmp_path / f"a{suffix}"
    found = again(image, path)
    np.testing.assert_array_equal(found.pixels, ORIENTED[orientation](image.pixels))
    np.testing.assert_array_equal(
        found.alpha[..., None], ORIENTED[orientation](image.alpha[..., None])
    )
    check_exif(found.exif)
    assert found.dpi == pytest.approx((240, 300) if orientation < 5 else (300, 240), abs=0.01)
    np.testing.assert_array_equal(again(found, path).pixels, found.pixels)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", None])
def test_tiffs_of_others(tmp_path, compression):
    block = Image.Exif()
    block[Base.Orientation] = 6
    Image.fromarray(EIGHT).save(
        tmp_path / "a.tif", compression=compression, exif=block, dpi=(300, 300)
    )
    found = read_image_file(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.pixels, ORIENTED[6](EIGHT))
    write_image_file(tmp_path / "b.jpg", found)  # the layout of the TIFF is not carried into it
    assert not set(Image.open(tmp_path / "b.jpg").getexif()) & {256, 258, 273, 279}
    write_image_file(tmp_path / "c.tif", image_of("colour", 16))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "c.tif"), SIXTEEN)
    for orientation in (1, 6):
        tags = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(tmp_path / "d.tif", SIXTEEN, photometric="rgb", extratags=tags)
        np.testing.assert_array_equal(
            read_image_file(tmp_path / "d.tif").pixels, ORIENTED[orientation](SIXTEEN)
        )


def test_palettes_and_transparent_colours(tmp_path):
    palette = Image.fromarray(EIGHT).quantize(16)
    palette.save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        read_image_file(tmp_path / "a.png").pixels, np.asarray(palette.convert("RGB"))
    )
    palette.save(tmp_path / "a.png", transparency=3)
    found = read_image_file(tmp_path / "a.png")
    np.testing.assert_array_equal(found.alpha, np.where(np.asarray(palette) == 3, 0, 255))
    bits = Image.fromarray(EIGHT).convert("1")
    bits.save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        read_image_file(tmp_path / "a.png").pixels[..., 0], np.asarray(bits) * np.uint8(255)
    )


def test_webp_keeps_alpha(tmp_path):
    found = again(image_of("colour and alpha", 8), tmp_path / "a.webp")
    np.testing.assert_array_equal(found.alpha, EIGHT[..., 2])
    assert np.abs(found.pixels.astype(int) - EIGHT).mean() < 5


def test_opaque_alpha_is_no_hindrance(tmp_path):
    image = image_of("colour", 8)._replace(alpha=np.full(EIGHT.shape[:2], 255, np.uint8))
    assert again(image, tmp_path / "a.jpg").alpha is None


@pytest.mark.parametrize(
    ("name", "image", "reason"),
    [
        (
            "a.jpg",
            image_of("colour and alpha", 8),
            "is transparent in places, which JPEG cannot hold",
        ),
        (
            "a.webp",
            image_of("grey", 8)._replace(icc=GREY_PROFILE),
            "profile for grey, which WebP cannot hold",
        ),
        (
            "a.webp",
            ImageFile(np.zeros((1, 16384, 3), np.uint8)),
            "16384x1 is more than the 16383 pixels",
        ),
        ("a.gif", image_of("colour", 8), "cannot tell the format"),
    ],
)
def test_refused_before_anything_is_written(tmp_path, name, image, reason):
    (tmp_path / name).write_text("what was there")
    with pytest.raises(ImageError, match=reason):
        write_image_file(tmp_path / name, image)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["what was there"]


def test_an_image_is_read_without_exif_that_cannot_be_kept(tmp_path):
    """The block says that the resolution is a text."""
    entry = struct.pack("<HHI", Base.XResolution, 2, 4) + b"abc\0"
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    Image.fromarray(EIGHT).save(tmp_path / "a.png", exif=block)
    found = read_image_file(tmp_path / "a.png")
    np.testing.assert_array_equal(found.pixels, EIGHT)
    assert found.exif == b"" and found.notes == ("its EXIF is damaged and was left out",)


def test_the_limit_of_pixels_is_this_one_and_is_put_back(tmp_path):
    # More pixels than Pillow's limit, fewer than ours
    contents = png(10000, 12000, 8, 0, bytes(10001 * 12000))
    (tmp_path / "large.png").write_bytes(contents)
    before = Image.MAX_IMAGE_PIXELS
    assert pixel_count(tmp_path / "large.png") == 120_000_000
    with pytest.raises(
        ImageError, match="large.png: has more than 100 million pixels; cut or scale it down first"
    ):
        read_image_file(tmp_path / "large.png", largest=100_000_000)
    assert before == Image.MAX_IMAGE_PIXELS and LARGEST > 100_000_000
    assert pixel_count(tmp_path / "none.png") == 0


def test_blocks_that_overlap_leave_pillow_s_limit_and_the_warnings_as_they_were(tmp_path):
    Image.fromarray(EIGHT).save(tmp_path / "a.png")
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    first, second = (opened(tmp_path / "a.png", largest=size) for size in (10**9, 2 * 10**9))
    first.__enter__()  # as two threads do that read images at once
    second.__enter__()
    first.__exit__(None, None, None)
    with (
        pytest.raises(ImageError, match="more than 0 million pixels"),
        opened(tmp_path / "a.png", largest=EIGHT.shape[0] * EIGHT.shape[1] - 1),
    ):
        pass
    second.__exit__(None, None, None)
    assert before == (Image.MAX_IMAGE_PIXELS, warnings.filters)


def test_8_of_16_bits_are_rounded():
    values = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(halve_bits(values), np.rint(values / 257))


def test_to_look_at():
    image = ImageFile(SIXTEEN[..., :1], np.zeros_like(SIXTEEN[..., 0]))
    assert (image.to_rgb8() == 255).all() and image.to_rgb8().shape == EIGHT.shape
    opaque = image._replace(alpha=np.full_like(SIXTEEN[..., 0], 65535))
    np.testing.assert_array_equal(opaque.to_rgb8()[..., 0], np.rint(SIXTEEN[..., 0] / 257))


def test_grey_and_alpha_of_16_bits_by_another_program(tmp_path):
    samples = np.dstack([SIXTEEN[..., 0], SIXTEEN[..., 1]]).astype(">u2")
    (tmp_path / "a.png").write_bytes(png(55, 41, 16, 4, rows_of(samples)))
    found = read_image_file(tmp_path / "a.png")
    np.testing.assert_array_equal(found.pixels[..., 0], SIXTEEN[..., 0])
    np.testing.assert_array_equal(found.alpha, SIXTEEN[..., 1])
    assert found.pixels.shape[2] == 1
