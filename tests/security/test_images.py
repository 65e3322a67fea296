"""Images that ask for too much are refused before anything is decoded."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from rts_tf import limits
from rts_tf.errors import ImageError
from rts_tf.images.boxes import jxl_size
from rts_tf.images.image_file import pixel_count, read_image_file
from rts_tf.images.rgb import read_image
from rts_tf.metrics.resources import peak_memory_mb
from rts_tf.settop.errors import SettopError
from rts_tf.settop.images import read_image as read_for_a_device
from tests.security.malice import png_of, zeros
from tests.support.image_files import EIGHT, SIXTEEN, saved, tif, tiff


@pytest.fixture
def room():
    """Checks that a test takes less than 300 MB more than before."""
    before = peak_memory_mb()
    yield
    assert peak_memory_mb() - before < 300


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, width, height, 1, 24, *[0] * 6)


def large_tiff(**options) -> bytes:
    """A TIFF whose header says that it is 2**16 times as wide and high."""
    contents = bytearray(tif(EIGHT[:, :, 0], metadata=None, **options))
    for tag in (256, 257):
        at = contents.index(struct.pack("<H", tag))
        contents[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 2**20)
    return bytes(contents)


BOMBS = {
    "a.png": png_of(60_000, 60_000, 1),
    "b.bmp": bmp(60_000, 60_000),
    "c.tif": large_tiff(),
    # Of JPEG XL, the size is in the first bytes: 2**30 x 2**30
    "d.jxl": b"\xff\x0a"
    + (0b11 << 1 | (2**30 - 1) << 3 | 1 << 33).to_bytes(8, "little")
    + bytes(40),
}


@pytest.mark.parametrize("name", BOMBS)
def test_more_pixels_than_the_limit(name, tmp_path, room):
    if name == "d.jxl":
        pytest.importorskip("pillow_jxl", reason="the extra 'images' is not installed")
    (tmp_path / name).write_bytes(BOMBS[name])
    reason = f"{name}: has more than 500 million pixels; .*or lift the limits with `limits`=off"
    with pytest.raises(ImageError, match=reason):
        read_image_file(tmp_path / name)
    with pytest.raises(ImageError, match=f"{name}: has more than 89 million pixels"):
        read_image(tmp_path / name)
    assert pixel_count(tmp_path / name) == 0
    with pytest.raises(SettopError, match=name):
        read_for_a_device(str(tmp_path / name))


def test_limits_are_lifted(tmp_path, monkeypatch):
    """The error is then that of the decoder, which finds that the pixels are missing."""
    (tmp_path / "a.png").write_bytes(png_of(30_000, 30_000, 1))
    assert pixel_count(tmp_path / "a.png") == 0
    monkeypatch.setenv("RTS_LIMITS", "off")
    assert pixel_count(tmp_path / "a.png") == 900_000_000
    assert limits.allowed_pixels(limits.IMAGE_PIXELS) > 10**15
    assert limits.allowed_pixels(100_000_000) == 100_000_000  # one that is none of these


def test_size_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(saved(Image.fromarray(EIGHT), "PNG"))
    with open(tmp_path / "a.png", "ab") as file:
        file.truncate(2**32 + 1)  # takes no room on the disk
    with pytest.raises(ImageError, match="a.png: has more than 4 GiB, the limit; lift the limits"):
        read_image_file(tmp_path / "a.png")


@pytest.mark.parametrize(
    "bomb",
    [
        (b"zTXt", b"Comment\0\0" + zeros(2**27)),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zeros(2**27)),
        (b"iCCP", b"a\0\0" + zeros(2**27)),
    ],
    ids=["zTXt", "iTXt", "iCCP"],
)
def test_texts_and_profiles_of_png(bomb, tmp_path, room):
    """Many chunks of a kilobyte each become 128 MiB: all of them together have one limit."""
    (tmp_path / "a.png").write_bytes(png_of(4, 4, 4, *[bomb] * 20))
    image = read_image_file(tmp_path / "a.png")
    assert image.pixels.shape == (4, 4, 1) and not image.icc and not image.metadata.xmp
    assert f"damaged and were left out: {bomb[0].decode()}" in image.warning


def test_a_strip_of_tiff_that_is_a_bomb(tmp_path, room):
    whole = tif(SIXTEEN, compression="zlib", predictor=False, metadata=None)
    with tifffile.TiffFile(io.BytesIO(whole)) as file:
        offset_tag, count_tag = (file.pages[0].tags[code] for code in (273, 279))
        where = [tag.valueoffset for tag in (offset_tag, count_tag)]
    bomb = zeros(2**29)
    changed = bytearray(whole) + bomb
    for at, value in zip(where, (len(whole), len(bomb)), strict=True):
        changed[at : at + 4] = struct.pack("<I", value)
    (tmp_path / "a.tif").write_bytes(changed)
    with pytest.raises(ImageError, match="a.tif: .*a strip or tile holds more than its pixels"):
        read_image_file(tmp_path / "a.tif")


def test_a_circle_of_pages(tmp_path):
    """The offset of the next page leads back to the first one, by way of another."""
    page = struct.pack("<H", 0)
    (tmp_path / "a.tif").write_bytes(
        b"II*\0" + struct.pack("<I", 8) + page + struct.pack("<I", 14) + page + struct.pack("<I", 8)
    )
    with pytest.raises(ImageError, match="a.tif: holds more than 1000 images"):
        read_image_file(tmp_path / "a.tif")


def test_samples_of_a_pixel(tmp_path):
    (tmp_path / "a.tif").write_bytes(
        tif(np.zeros((4, 4, 100), np.uint8), photometric="minisblack", planarconfig="contig")
    )
    with pytest.raises(ImageError, match="a.tif: has 100 samples per pixel"):
        read_image_file(tmp_path / "a.tif")


XMP = {
    "digits": b'<a tiff:Orientation="' + b"6" * 10**5 + b'"/>',
    "claims": b"hdrgm:Version" + b"<hdrgm:a>" * 10**5,
}


@pytest.mark.parametrize("harm", XMP)
def test_xmp_that_takes_long(harm, tmp_path):
    chunk = b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP[harm]
    (tmp_path / "a.png").write_bytes(png_of(4, 4, 4, chunk))
    assert read_image_file(tmp_path / "a.png").pixels.shape == (4, 4, 1)


def test_photoshop_resources_take_time_in_proportion(tmp_path):
    from rts_tf.images import photoshop

    one = b"8BIM" + struct.pack(">HHI", 2000, 0, 0)
    _, others = photoshop.split(b"8BIM" + struct.pack(">HHI", 1010, 0, 0) + one * 10**5 + bytes(9))
    assert len(others) >= 10**5 * len(one)


@pytest.mark.parametrize("shape", [(41, 55), (8, 8), (256, 256), (1, 2000)])
def test_the_size_of_jpeg_xl(shape):
    pytest.importorskip("pillow_jxl", reason="the extra 'images' is not installed")
    image = Image.fromarray(np.zeros((*shape, 3), np.uint8))
    assert jxl_size(saved(image, "JXL")) == shape


def test_valid_files_still_have_their_pixels(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(SIXTEEN[..., 0], 16))
    np.testing.assert_array_equal(
        read_image_file(tmp_path / "a.tif").pixels[..., 0], SIXTEEN[..., 0]
    )
