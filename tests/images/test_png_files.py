"""PNG files: transparent colours in every depth, colour descriptions, texts, and damage in them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from rts_tf.images.icc import space_of
from rts_tf.images.image_file import is_image_file, pixel_count, read_image_file
from rts_tf.images.write import write_image_file
from tests.support.image_files import EIGHT, PROFILE, SIXTEEN, png, rows_of

HEIGHT, WIDTH, _ = EIGHT.shape
GAMMA_1 = (b"gAMA", struct.pack(">I", 100_000))
P3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def packed(values: np.ndarray, bits: int) -> bytes:
    """The rows of a PNG with several samples in a byte."""
    rows = []
    for row in values:
        digits = "".join(format(value, f"0{bits}b") for value in row)
        digits += "0" * (-len(digits) % 8)
        rows.append(b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big"))
    return b"".join(rows)


def colour_png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of ``EIGHT`` with chunks in front of the pixels."""
    return png(WIDTH, HEIGHT, 8, 2, rows_of(EIGHT), *chunks)


def read(tmp_path, contents: bytes):
    (tmp_path / "in.png").write_bytes(contents)
    return read_image_file(tmp_path / "in.png")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("value", ["white", "used"])
def test_a_transparent_grey_is_in_the_bits_of_the_file(tmp_path, bits, value):
    samples = EIGHT[..., 0] >> (8 - bits)
    transparent = 2**bits - 1 if value == "white" else int(samples[3, 5])
    found = read(
        tmp_path,
        png(
            *(WIDTH, HEIGHT, bits, 0, packed(samples, bits)),
            (b"tRNS", struct.pack(">H", transparent)),
        ),
    )
    scaled = samples.astype(int) * 255 // (2**bits - 1)
    np.testing.assert_array_equal(found.pixels[..., 0], scaled)
    np.testing.assert_array_equal(found.alpha, np.where(samples == transparent, 0, 255))
    assert not found.notes


@pytest.mark.parametrize("pixels", [SIXTEEN, SIXTEEN[..., :1]], ids=["colour", "grey"])
def test_a_transparent_colour_of_16_bits(tmp_path, pixels):
    value, kind = pixels[3, 5], 2 if pixels.shape[2] == 3 else 0
    rows = rows_of(np.ascontiguousarray(pixels).astype(">u2"))
    found = read(
        tmp_path, png(WIDTH, HEIGHT, 16, kind, rows, (b"tRNS", value.astype(">u2").tobytes()))
    )
    np.testing.assert_array_equal(found.pixels, pixels)
    hidden = (pixels == value).all(axis=2)
    np.testing.assert_array_equal(found.alpha, np.where(hidden, 0, 65535))
    write_image_file(tmp_path / "out.png", found)
    np.testing.assert_array_equal(read_image_file(tmp_path / "out.png").alpha, found.alpha)


def test_a_palette_that_is_transparent_in_part(tmp_path):
    indices = EIGHT[..., 0] >> 4
    random = np.random.default_rng(0)
    palette = random.integers(0, 256, (16, 3)).astype(np.uint8)
    alphas = random.integers(0, 256, 16).astype(np.uint8)
    chunks = (b"PLTE", palette.tobytes()), (b"tRNS", alphas.tobytes())
    found = read(tmp_path, png(WIDTH, HEIGHT, 4, 3, packed(indices, 4), *chunks))
    np.testing.assert_array_equal(found.pixels, palette[indices])
    np.testing.assert_array_equal(found.alpha, alphas[indices])


COLOUR = (
    (b"cICP", bytes([9, 16, 0, 1])),
    (b"mDCV", bytes(range(24))),
    (b"cLLI", bytes(range(8))),
    GAMMA_1,
    (b"cHRM", P3),
    (b"sRGB", b"\0"),
)


def test_a_png_keeps_how_its_colours_are_described(tmp_path):
    found = read(tmp_path, colour_png(*COLOUR))
    assert write_image_file(tmp_path / "out.png", found) == ()
    again = read_image_file(tmp_path / "out.png")
    assert again.metadata.colour == COLOUR and not again.notes


def linear_to_srgb(values: np.ndarray) -> np.ndarray:
    light = values / 255
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("chunk", [GAMMA_1, (b"cICP", bytes([1, 8, 0, 1]))], ids=["gAMA", "cICP"])
def test_another_format_gets_a_profile_that_says_the_same(tmp_path, suffix, chunk):
    found = read(tmp_path, colour_png(chunk))
    assert write_image_file(tmp_path / f"a{suffix}", found) == ()
    again = read_image_file(tmp_path / f"a{suffix}")
    source = ImageCms.ImageCmsProfile(io.BytesIO(again.icc))
    shown = ImageCms.profileToProfile(
        Image.fromarray(EIGHT), source, ImageCms.createProfile("sRGB")
    )
    assert np.abs(np.asarray(shown) - linear_to_srgb(EIGHT)).max() < 1


def test_primaries_become_those_of_the_profile(tmp_path):
    """Against LittleCMS: the reddest red of P3 is beyond sRGB, and its grey is grey."""
    found = read(tmp_path, colour_png((b"gAMA", struct.pack(">I", 45455)), (b"cHRM", P3)))
    write_image_file(tmp_path / "a.tif", found)
    icc = read_image_file(tmp_path / "a.tif").icc
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
    assert profile.red_primary[1][:2] == pytest.approx((0.686, 0.311), abs=0.01)  # under D50
    grey = np.full((1, 1, 3), 77, np.uint8)
    lab = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    _, a, b = np.asarray(ImageCms.applyTransform(Image.fromarray(grey), lab))[0, 0].view(np.int8)
    assert abs(int(a)) <= 1 and abs(int(b)) <= 1


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_grey_gets_a_profile_for_grey(tmp_path, suffix):
    found = read(tmp_path, png(WIDTH, HEIGHT, 8, 0, rows_of(EIGHT[..., 0]), GAMMA_1))
    write_image_file(tmp_path / f"a{suffix}", found)
    assert space_of(read_image_file(tmp_path / f"a{suffix}").icc) == "GRAY"


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".bmp"])
def test_what_no_profile_can_say_is_said_in_a_line(tmp_path, suffix):
    found = read(tmp_path, colour_png(*COLOUR[:3]))
    (note,) = write_image_file(tmp_path / f"a{suffix}", found)
    assert all(word in note for word in ("cICP", "mDCV", "cLLI", "left out"))
    srgb = read(tmp_path, colour_png((b"sRGB", b"\0")))
    assert write_image_file(tmp_path / f"a{suffix}", srgb) == ()  # is what all take it for


def test_texts_are_kept_and_named_where_they_cannot_be(tmp_path):
    texts = (
        (b"tEXt", b"Author\0somebody"),
        (b"zTXt", b"Long\0\0" + zlib.compress(b"x" * 3_000_000)),  # more than Pillow reads
        (b"iTXt", b"Title\0\0\0de\0Titel\0" + "Käse".encode()),
        (b"tEXt", b"Comment\0caf\xe9"),
    )
    found = read(tmp_path, colour_png(*texts))
    assert write_image_file(tmp_path / "a.png", found) == ()
    assert read_image_file(tmp_path / "a.png").metadata.chunks == texts
    (note,) = write_image_file(tmp_path / "a.jpg", found)
    assert "'Author', text 'Long', text 'Title'" in note and "Comment" not in note
    assert Image.open(tmp_path / "a.jpg").info["comment"] == "café".encode()
    assert read_image_file(tmp_path / "a.jpg").metadata.comments == ("café".encode(),)


DAMAGED = (
    (b"iCCP", b"name\0\0garbage"),
    (b"zTXt", b"Author\0\0garbage"),
    (b"iTXt", b"Title\0"),
    (b"tEXt", b"Raw profile type exif\0\nexif\n4\nno digits"),
    (b"pHYs", b"12"),
    (b"gAMA", b"12"),
    (b"tRNS", b"123"),
)


@pytest.mark.parametrize("chunk", DAMAGED, ids=lambda chunk: chunk[0].decode())
def test_damage_beside_the_pixels_costs_a_line_and_not_the_image(tmp_path, chunk):
    found = read(tmp_path, colour_png(chunk))
    np.testing.assert_array_equal(found.pixels, EIGHT)
    name = chunk[0].decode()
    assert found.notes == (f"these PNG chunks are damaged and were left out: {name}",)
    write_image_file(tmp_path / "out.png", found)
    again = read_image_file(tmp_path / "out.png")
    assert not again.notes and Image.open(tmp_path / "out.png").size == (WIDTH, HEIGHT)
    assert pixel_count(tmp_path / "in.png") == WIDTH * HEIGHT and is_image_file(tmp_path / "in.png")


def test_a_wrong_checksum_beside_the_pixels(tmp_path):
    contents = colour_png((b"tEXt", b"Author\0somebody")).replace(b"somebody", b"anybody!")
    found = read(tmp_path, contents)
    np.testing.assert_array_equal(found.pixels, EIGHT)
    assert "tEXt" in found.notes[0] and not found.metadata.chunks


def test_chunks_about_the_old_pixels_are_named_and_safe_ones_copied(tmp_path):
    found = read(tmp_path, colour_png((b"tIME", bytes(7)), (b"bKGD", bytes(6)), (b"prVt", b"mine")))
    assert found.notes == ("these PNG chunks describe the old file and were left out: tIME, bKGD",)
    write_image_file(tmp_path / "out.png", found)
    assert read_image_file(tmp_path / "out.png").metadata.chunks == ((b"prVt", b"mine"),)


def test_exif_of_imagemagick_is_read_and_not_left_behind(tmp_path):
    """Its text would record the old orientation beside the new one."""
    block = Image.Exif()
    block[0x0112], block[0x010F] = 6, "a camera"
    raw = block.tobytes()
    text = b"\nexif\n%8d\n" % len(raw) + raw.hex().encode() + b"\n"
    found = read(tmp_path, colour_png((b"tEXt", b"Raw profile type exif\0" + text)))
    assert found.pixels.shape[:2] == (WIDTH, HEIGHT) and not found.metadata.chunks
    write_image_file(tmp_path / "out.png", found)
    assert Image.open(tmp_path / "out.png").getexif()[0x0112] == 1


def test_a_profile_of_another_kind_is_left_out(tmp_path):
    for icc, reason in ((b"junk" * 99, "damaged"), (PROFILE.replace(b"RGB ", b"CMYK"), "for CMYK")):
        found = read(tmp_path, colour_png((b"iCCP", b"name\0\0" + zlib.compress(icc))))
        assert not found.icc and reason in found.notes[0]
        np.testing.assert_array_equal(found.pixels, EIGHT)
