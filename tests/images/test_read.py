"""Reading pictures exactly or refusing them by name, and writing files whole or not at all."""

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from rts_tf.errors import ImageError, printable
from rts_tf.images.read import read_image
from rts_tf.storage import atomic_path, write_text
from tests.support.images import planes


@pytest.fixture(scope="module")
def colour() -> np.ndarray:
    from skimage import data

    return np.ascontiguousarray(
        data.chelsea()[100:141, 120:175]
    )  # odd sides, so that a wrong rotation cannot hide


@pytest.fixture(scope="module")
def grey16(colour) -> np.ndarray:
    """uint16 [41, 55] with values between those that 8 bits can hold."""
    fine = colour.astype(np.float64).mean(axis=2) * 257 + np.random.default_rng(1).uniform(
        -128, 128, colour.shape[:2]
    )
    return np.clip(np.rint(fine), 0, 65535).astype(np.uint16)


def encoded(picture, kind: str, **options) -> io.BytesIO:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return io.BytesIO(file.getvalue())


def read(file: io.BytesIO) -> np.ndarray:
    picture = read_image(file, "a name")
    assert (
        picture.dtype == np.uint8
        and picture.ndim == 3
        and picture.shape[2] == 3
        and picture.flags.writeable
    )
    return picture


def png(
    width: int, height: int, bits: int, colour_type: int, rows: bytes, *chunks: tuple[bytes, bytes]
) -> io.BytesIO:
    """A PNG, chunk by chunk, for what Pillow does not write; ``rows`` with a filter byte before each."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts
    )
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + body)


def rows_of(samples: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in samples)


def tiff(
    samples: np.ndarray, bits: int, white_at_zero: bool = False, sample_format: int = 1
) -> io.BytesIO:
    """A little-endian grey TIFF of one strip, tag by tag; ``samples`` fill ``bits`` each without a gap."""
    height, data = len(samples), samples.tobytes()
    width = 8 * samples[0].nbytes // bits
    tags = [
        (256, width),
        (257, height),
        (258, bits),
        (259, 1),
        (262, 0 if white_at_zero else 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, len(data)),
        (339, sample_format),
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags
    )
    return io.BytesIO(
        b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + struct.pack("<I", 0)
    )


# --- what is read, exactly


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_come_back_as_they_were(colour, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(read(encoded(colour, kind, **options)), colour)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_what_pillow_decodes(colour, options):
    file = encoded(colour, "JPEG", quality=90, **options)
    np.testing.assert_array_equal(read(file), np.asarray(Image.open(file)))


# EXIF 2.3, tag 0x0112: which sides of the picture row 0 and column 0 of the file are
ORIENTED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: x.transpose(1, 0, 2)[:, ::-1],
    7: lambda x: x.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda x: x.transpose(1, 0, 2)[::-1],
}


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
    file = encoded(grey16, "TIFF").getvalue()
    assert file[:2] == b"II"
    tags = [
        (256, grey16.shape[1]),
        (257, grey16.shape[0]),
        (258, 16),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, grey16.shape[0]),
        (279, grey16.nbytes),
    ]
    directory = struct.pack(">H", len(tags)) + b"".join(
        struct.pack(">HHII", tag, 4, 1, value) for tag, value in tags
    )
    data = grey16.astype(">u2").tobytes()
    file = io.BytesIO(
        b"MM\0*" + struct.pack(">I", 8 + len(data)) + data + directory + struct.pack(">I", 0)
    )
    np.testing.assert_array_equal(read(file)[..., 0], np.rint(grey16 / 257))


def test_16_bit_colour_is_within_a_level_of_rounding(colour):
    fine = colour.astype(np.int64) * 257 + np.random.default_rng(2).integers(
        -128, 129, colour.shape
    )
    fine = np.clip(fine, 0, 65535).astype(">u2")
    height, width, _ = colour.shape
    picture = read(png(width, height, 16, 2, rows_of(fine)))
    assert np.abs(picture.astype(int) - np.rint(fine / 257).astype(int)).max() <= 1


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
    """All opaque but for one pixel."""
    picture = Image.fromarray(colour).convert("L" if mode == "LA" else "RGB")
    mask = Image.new("L", picture.size, 255)
    mask.putpixel((3, 5), alpha)
    if mode == "P":
        picture = picture.quantize(16)
        used = picture.getpixel((3, 5))
        return encoded(
            picture, "PNG", transparency=bytes(alpha if i == used else 255 for i in range(16))
        )
    picture.putalpha(mask)
    return encoded(picture, "PNG")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_opaque_alpha_is_dropped_and_transparency_refused(colour, mode):
    plain = Image.fromarray(colour)
    plain = {"RGBA": plain, "LA": plain.convert("L"), "P": plain.quantize(16)}[mode].convert("RGB")
    np.testing.assert_array_equal(read(with_alpha(colour, mode, 255)), np.asarray(plain))
    with pytest.raises(ImageError, match="a name: is transparent in places.*flatten"):
        read(with_alpha(colour, mode, 254))


def test_a_transparent_colour_counts_where_it_occurs(colour, grey16):
    assert (colour == colour[3, 5]).all(axis=2).any() and not (colour == (1, 2, 250)).all(
        axis=2
    ).any()
    for value, used in ((tuple(map(int, colour[3, 5])), True), ((1, 2, 250), False)):
        file = encoded(colour, "PNG", transparency=value)
        if used:
            with pytest.raises(ImageError, match="transparent"):
                read(file)
        else:
            np.testing.assert_array_equal(read(file), colour)
    height, width = grey16.shape
    absent = int(np.setdiff1d(np.arange(65536), grey16)[0])
    for value, used in ((int(grey16[3, 5]), True), (absent, False)):
        file = png(
            width, height, 16, 0, rows_of(grey16.astype(">u2")), (b"tRNS", struct.pack(">H", value))
        )
        if used:
            with pytest.raises(ImageError, match="transparent"):
                read(file)
        else:
            np.testing.assert_array_equal(read(file)[..., 0], np.rint(grey16 / 257))


def test_a_camera_preview_behind_the_photograph_is_passed_over(colour):
    """JPEG with a Multi-Picture index (CIPA DC-007), which Pillow calls MPO."""
    preview = Image.fromarray(colour).resize((20, 16))
    file = encoded(colour, "MPO", save_all=True, append_images=[preview], quality=90)
    assert Image.open(file).format == "MPO" and Image.open(file).n_frames == 2
    np.testing.assert_array_equal(read(file), read(encoded(colour, "JPEG", quality=90)))


def test_one_pixel(colour):
    np.testing.assert_array_equal(read(encoded(colour[:1, :1], "PNG")), colour[:1, :1])


# --- what is refused


def bomb() -> io.BytesIO:
    return png(60000, 60000, 8, 2, b"")


def between_limits() -> io.BytesIO:
    """More than Pillow's limit, less than twice as much: there Pillow itself only warns."""
    return png(10000, 10000, 8, 2, b"")


def two(colour: np.ndarray, kind: str) -> io.BytesIO:
    return encoded(colour, kind, save_all=True, append_images=[Image.fromarray(255 - colour)])


REFUSED = {
    "zero bytes": (lambda c: io.BytesIO(), "is not a PNG"),
    "text": (
        lambda c: io.BytesIO(b"<html>404 Not Found</html>"),
        "is not a PNG, JPEG, WebP, TIFF or BMP picture",
    ),
    "GIF": (lambda c: encoded(c, "GIF"), "is not a PNG"),
    "EPS": (lambda c: encoded(c, "EPS"), "is not a PNG"),
    "bomb": (lambda c: bomb(), "more than 89 million pixels; cut or scale"),
    "between limits": (lambda c: between_limits(), "more than 89 million pixels"),
    "CMYK JPEG": (
        lambda c: encoded(Image.fromarray(c).convert("CMYK"), "JPEG"),
        "colour mode CMYK.*convert",
    ),
    "CMYK TIFF": (
        lambda c: encoded(Image.fromarray(c).convert("CMYK"), "TIFF"),
        "colour mode CMYK.*convert",
    ),
    "floating point TIFF": (
        lambda c: encoded(Image.fromarray(c).convert("F"), "TIFF"),
        "colour mode F.*convert",
    ),
    "LAB TIFF": (
        lambda c: encoded(Image.fromarray(c).convert("YCbCr"), "TIFF"),
        "colour mode YCbCr",
    ),
    "32-bit TIFF": (lambda c: tiff(c[..., 0].astype("<u4"), 32), "grey TIFF, but not of 16 bits"),
    "signed 16-bit TIFF": (
        lambda c: tiff(c[..., 0].astype("<i2"), 16, sample_format=2),
        "grey TIFF, but not of 16 bits",
    ),
    "12-bit TIFF": (
        lambda c: tiff(np.hstack([c[:, :27, 0], c[:, :54, 1]]), 12),
        "grey TIFF, but not of 16 bits",
    ),
    "white at 0": (
        lambda c: tiff(c[..., 0].astype("<u2") * 257, 16, white_at_zero=True),
        "grey TIFF, but not of 16 bits",
    ),
    "planes of 16 bits": (
        lambda c: io.BytesIO(planes(c.astype(np.uint16) * 257)),
        "of 16 bits in a way that is not",
    ),
    "animated WebP": (
        lambda c: two(c, "WEBP"),
        r"holds 2 pictures \(animated or multi-page\); save the one",
    ),
    "animated PNG": (lambda c: two(c, "PNG"), "holds 2 pictures"),
    "pages of TIFF": (lambda c: two(c, "TIFF"), "holds 2 pictures"),
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
    """300 files with a few bytes changed, and some cut: a picture or a ImageError in one line's worth of reason."""
    random = np.random.default_rng(3)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    files = [encoded(colour, kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP", "TIFF")] + [
        encoded(colour, "BMP")
    ]
    refused = 0
    for turn in range(300):
        damaged = bytearray(files[turn % len(files)].getvalue())
        reach = (
            len(damaged) if turn % 2 else min(len(damaged), 300)
        )  # headers more often than their share
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
    missing, empty, folder = (
        tmp_path / "missing.png",
        tmp_path / "empty.png",
        tmp_path / "folder.png",
    )
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
    exif = io.BytesIO(
        encoded(colour, "TIFF").getvalue()[:-4] + b"\xff\xff\xff\x7f"
    )  # a next page that is not there
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for file in (exif, encoded(colour, "PNG")):
            try:
                read(file)
            except ImageError as error:
                assert "a name" in str(error)


# --- writing


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "figures.json"
    write_text(path, "first")
    with pytest.raises(OSError, match="no space"), atomic_path(path) as temporary:
        temporary.write_text("half")
        assert temporary.parent == tmp_path and temporary.suffix == ".json"
        raise OSError("no space")
    assert path.read_text() == "first"
    write_text(path, "sécond")
    assert path.read_text(encoding="utf-8") == "sécond" and os.listdir(tmp_path) == ["figures.json"]


def test_permissions_and_links_stay(tmp_path):
    kept, link = tmp_path / "kept.csv", tmp_path / "link.csv"
    kept.write_text("first")
    kept.chmod(0o600)
    link.symlink_to(kept)
    write_text(link, "second")
    assert (
        link.is_symlink() and kept.read_text() == "second" and kept.stat().st_mode & 0o777 == 0o600
    )


def test_a_body_that_writes_nothing_replaces_nothing(tmp_path):
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "kept"):
        pass
    assert (tmp_path / "kept").read_text() == "kept"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 山 é", "plain ü 山 é"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[2J", "\\x1b[2J"),
        ("caf\udce9", "caf\\udce9"),
        ("a\u2028b", "a\\u2028b"),
        ("[bold]'\"", "[bold]'\""),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown
    printable(text).encode()
