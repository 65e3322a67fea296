"""Hidden colours: never seen by the network, and still in the file."""

import numpy as np
import pytest

from rts_tf.enhance.images import enhanced, shown
from rts_tf.images.image_file import ImageFile, read_image_file
from rts_tf.images.transparency import visible_only, with_hidden
from rts_tf.images.write import write_image_file
from tests.support.image_files import EIGHT, SIXTEEN

GREEN = (40, 160, 80)


def sprite(dtype=np.uint8) -> ImageFile:
    """A green disc with a soft edge; everything under alpha 0 is black."""
    y, x = np.mgrid[:48, :48]
    alpha = np.clip((16 - np.hypot(y - 24, x - 24)) * 80, 0, 255)
    pixels = np.where(alpha[..., None] > 0, GREEN, 0)
    factor = np.iinfo(dtype).max // 255
    return ImageFile((pixels * factor).astype(dtype), np.rint(alpha).astype(dtype) * dtype(factor))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_network_sees_the_nearest_visible_colour(dtype):
    image = sprite(dtype)
    filled = shown(image)
    assert (filled == image.pixels[24, 24]).all() and filled.dtype == dtype
    pixels, alpha = EIGHT.copy(), np.zeros(EIGHT.shape[:2], np.uint8)
    alpha[5, 5], alpha[30, 50] = 1, 255
    found = visible_only(pixels, alpha)
    np.testing.assert_array_equal(found[0, 0], pixels[5, 5])
    np.testing.assert_array_equal(found[40, 54], pixels[30, 50])
    np.testing.assert_array_equal(pixels, EIGHT)  # is not changed


def test_nothing_is_copied_where_nothing_is_hidden_or_all_is():
    for alpha in (None, np.full(EIGHT.shape[:2], 1), np.zeros(EIGHT.shape[:2])):
        assert visible_only(EIGHT, alpha) is EIGHT
    assert with_hidden(EIGHT, None, EIGHT) is EIGHT


@pytest.mark.parametrize("scale", [1, 2])
def test_hidden_colours_are_put_back(scale):
    image = sprite()
    bright = np.full((scale * 48, scale * 48, 3), 200, np.uint8)
    found = enhanced(image, bright)
    assert (found.pixels[found.alpha > 0] == 200).all()
    assert (found.pixels[found.alpha == 0] == 0).all() and (found.alpha == 0).any()
    if scale == 1:
        np.testing.assert_array_equal(found.alpha, image.alpha)


def test_lossy_webp_has_no_fringe_of_hidden_colours(tmp_path):
    write_image_file(tmp_path / "a.webp", sprite())
    found = read_image_file(tmp_path / "a.webp")
    assert np.abs(found.pixels[found.alpha > 0].astype(int) - GREEN).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_hidden_colours_survive_in_lossless_files(tmp_path, suffix, channels):
    image = ImageFile(
        np.ascontiguousarray(SIXTEEN[..., :channels]), np.zeros(SIXTEEN.shape[:2], np.uint16)
    )
    write_image_file(tmp_path / f"a{suffix}", image)
    np.testing.assert_array_equal(read_image_file(tmp_path / f"a{suffix}").pixels, image.pixels)
