"""Image files are read exactly, or refused with their name and the reason."""

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from rts_tf.errors import ImageError
from rts_tf.images.rgb import read_image
from tests.support.image_files import EIGHT, ORIENTED, png, rows_of, saved, tiff


@pytest.fixture
def colour() -> np.ndarray:
    """uint8 [41, 55, 3]."""
    return EIGHT


@pytest.fixture(scope="module")
def grey16() -> np.ndarray:
    """uint16 [41, 55] with values between those that 8 bits can hold."""
    random = np.random.default_rng(1).uniform(-128, 128, EIGHT.shape[:2])
    fine = EIGHT.astype(np.float64).mean(axis=2) * 257 + random
    return np.clip(np.rint(fine), 0, 65535).astype(np.uint16)


def encoded(image, kind: str, **options) -> io.BytesIO:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    return io.BytesIO(saved(image, kind, **options))


def read(file: io.BytesIO | bytes) -> np.ndarray:
    image = read_image(io.BytesIO(file) if isinstance(file, bytes) else file, "a name")
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    assert image.flags.writeable
    return image


# --- what is read, exactly


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_come_back_as_they_were(colour, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(read(encoded(colour, kind, **options)), colour)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_what_pillow_decodes(colour, options):
    file = encoded(colour, "JPEG", quality=90, **options)
    np.testing.assert_array_equal(read(file), np.asarray(Image.open(file)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", ORIENTED)
def test_exif_orientation_is_applied(colour, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95, "subsampling": 0}}.get(kind, {})
    plain = read(encoded(colour, kind, **options))
    np.testing.assert_array_equal(
        read(encoded(colour, kind, exif=exif, **options)), ORIENTED[orientation](plain)
    )


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_rounded_and_turned(grey16, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = np.rint(grey16 / 257).astype(np.uint8)[..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(
        read(encoded(grey16, kind, exif=exif)), ORIENTED[orientation](expected)
    )


def test_16_bit_grey_rounds_at_the_half():
    values = np.arange(65536, dtype=np.uint32).astype(np.uint16).reshape(256, 256)
    expected = np.rint(values / 257).astype(np.uint8)  # 257 is odd: no ties
    np.testing.assert_array_equal(read(encoded(values, "PNG"))[..., 0], expected)


def test_big_endian_16_bit_tiff(grey16):
    assert encoded(grey16, "TIFF").getvalue()[:2] == b"II"  # Pillow writes little-endian files
    file = tiff(grey16.astype(">u2"), 16)
    assert file[:2] == b"MM"
    np.testing.assert_array_equal(read(file)[..., 0], np.rint(grey16 / 257))


def test_16_bit_colour_is_within_a_level_of_rounding(colour):
    random = np.random.default_rng(2).integers(-128, 129, colour.shape)
    fine = np.clip(colour.astype(np.int64) * 257 + random, 0, 65535).astype(">u2")
    height, width, _ = colour.shape
    image = read(png(width, height, 16, 2, rows_of(fine)))
    assert np.abs(image.astype(int) - np.rint(fine / 257).astype(int)).max() <= 1


def test_grey_palette_and_black_and_white(colour):
    grey = Image.fromarray(colour).convert("L")
    for file in (encoded(grey, "PNG"), encoded(grey, "BMP"), encoded(grey, "TIFF")):
        np.testing.assert_array_equal(read(file), np.asarray(grey)[..., None].repeat(3, axis=2))
    palette = Image.fromarray(colour).quantize(17)
    for file in (encoded(palette, "PNG"), encoded(palette, "BMP"), encoded(palette, "TIFF")):
        np.testing.assert_array_equal(read(file), np.asarray(palette.convert("RGB")))
    bits = grey.point(lambda value: 255 * (value > 120), "1")
    for file in (encoded(bits, "PNG"), encoded(bits, "TIFF")):
        np.testing.assert_array_equal(
            read(file), np.asarray(bits)[..., None].repeat(3, axis=2) * np.uint8(255)
        )


def with_alpha(colour: np.ndarray, mode: str, alpha: int) -> io.BytesIO:
    """A PNG that is opaque everywhere but in one pixel, which has ``alpha``."""
    image = Image.fromarray(colour).convert("L" if mode == "LA" else "RGB")
    if mode == "P":
        image = image.quantize(16)
        used = image.getpixel((3, 5))
        alphas = bytes(alpha if i == used else 255 for i in range(16))
        return encoded(image, "PNG", transparency=alphas)
    plane = Image.new("L", image.size, 255)
    plane.putpixel((3, 5), alpha)
    image.putalpha(plane)
    return encoded(image, "PNG")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_opaque_alpha_is_dropped_and_transparency_refused(colour, mode):
    plain = Image.fromarray(colour)
    plain = {"RGBA": plain, "LA": plain.convert("L"), "P": plain.quantize(16)}[mode].convert("RGB")
    np.testing.assert_array_equal(read(with_alpha(colour, mode, 255)), np.asarray(plain))
    with pytest.raises(ImageError, match="a name: is transparent in places.*flatten"):
        read(with_alpha(colour, mode, 254))


def check_transparency(file: io.BytesIO | bytes, refused: bool, expected: np.ndarray) -> None:
    if refused:
        with pytest.raises(ImageError, match="transparent"):
            read(file)
    else:
        np.testing.assert_array_equal(read(file), expected)


def test_a_transparent_colour_counts_where_it_occurs(colour, grey16):
    present, absent = tuple(map(int, colour[3, 5])), (1, 2, 250)
    assert (colour == present).all(axis=2).any() and not (colour == absent).all(axis=2).any()
    for value in (present, absent):
        file = encoded(colour, "PNG", transparency=value)
        check_transparency(file, value == present, colour)
    height, width = grey16.shape
    present = int(grey16[3, 5])
    transparent = (b"tRNS", struct.pack(">H", present))
    file = png(width, height, 16, 0, rows_of(grey16.astype(">u2")), transparent)
    check_transparency(file, True, colour)


def test_a_camera_preview_after_the_main_image_is_ignored(colour):
    """In a JPEG with a multi-picture index (CIPA DC-007), which Pillow calls MPO."""
    preview = Image.fromarray(colour).resize((20, 16))
    file = encoded(colour, "MPO", save_all=True, append_images=[preview], quality=90)
    assert Image.open(file).format == "MPO" and Image.open(file).n_frames == 2
    np.testing.assert_array_equal(read(file), read(encoded(colour, "JPEG", quality=90)))


def test_one_pixel(colour):
    np.testing.assert_array_equal(read(encoded(colour[:1, :1], "PNG")), colour[:1, :1])


# --- what is refused


BOMB = png(60000, 60000, 8, 2, b"")
# More pixels than Pillow's limit, but less than twice as many: Pillow itself only warns
BETWEEN_LIMITS = png(10000, 10000, 8, 2, b"")


def two(colour: np.ndarray, kind: str) -> io.BytesIO:
    return encoded(colour, kind, save_all=True, append_images=[Image.fromarray(255 - colour)])


REFUSED = {
    "zero bytes": (lambda c: b"", "is empty"),
    "text": (
        lambda c: b"<html>404 Not Found</html>",
        "is not a PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG XL or HEIC image",
    ),
    "animated GIF": (lambda c: two(c, "GIF"), "holds 2 images"),
    "animated AVIF": (lambda c: two(c, "AVIF"), "holds 2 images"),
    "EPS": (lambda c: encoded(c, "EPS"), "is not a PNG"),
    "bomb": (lambda c: BOMB, "more than 89 million pixels; cut or scale"),
    "between limits": (lambda c: BETWEEN_LIMITS, "more than 89 million pixels"),
    "animated WebP": (
        lambda c: two(c, "WEBP"),
        r"holds 2 images \(animated or multi-page\); save the one",
    ),
    "animated PNG": (lambda c: two(c, "PNG"), "holds 2 images"),
    "pages of TIFF": (lambda c: two(c, "TIFF"), "holds 2 images"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_by_name(colour, kind):
    make, reason = REFUSED[kind]
    with pytest.raises(ImageError, match=f"(?s)^a name: .*{reason}"):
        read(make(colour))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_truncated(colour, kind, share):
    whole = encoded(colour, kind).getvalue()
    with pytest.raises(ImageError, match="^a name: "):
        read(io.BytesIO(whole[: int(share * len(whole))]))


def test_damage_never_escapes_as_another_error(colour):
    """300 files with changed bytes, some of them also cut: each gives an image or an ImageError."""
    random = np.random.default_rng(3)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    files = [encoded(colour, kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP", "TIFF")]
    files.append(encoded(colour, "BMP"))
    refused = 0
    for turn in range(300):
        damaged = bytearray(files[turn % len(files)].getvalue())
        # Headers are damaged more often than their share of the bytes.
        reach = len(damaged) if turn % 2 else min(len(damaged), 300)
        for _ in range(random.integers(1, 6)):
            damaged[random.integers(reach)] = random.integers(256)
        if turn % 3 == 0:
            damaged = damaged[: random.integers(len(damaged))]
        try:
            read(io.BytesIO(bytes(damaged)))
        except ImageError:
            refused += 1
    assert refused > 100


def test_the_path_is_named(colour, tmp_path):
    missing, empty, folder = (tmp_path / f"{name}.png" for name in ("missing", "empty", "folder"))
    empty.touch()
    folder.mkdir()
    for path, reason in (
        (missing, "No such file"),
        (empty, "is empty"),
        (folder, "Is a directory"),
    ):
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert str(caught.value).startswith(f"{path}: ") and reason in str(caught.value)
    assert str(caught.value).count(str(folder)) == 1


def test_pillow_s_warnings_stay_inside(colour):
    # The TIFF announces a next page that is not there.
    two_pages = io.BytesIO(encoded(colour, "TIFF").getvalue()[:-4] + b"\xff\xff\xff\x7f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for file in (two_pages, encoded(colour, "PNG")):
            try:
                read(file)
            except ImageError as error:
                assert "a name" in str(error)
