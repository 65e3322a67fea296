"""The images that benchmarks work on."""

import numpy as np
import pytest

from benchmarks.inputs import images, repeated, repeated_images
from rts_tf.errors import ConfigError


def test_sample_images_are_repeated():
    source = repeated_images("", 700, 900, names=("coffee", "camera"))
    assert source.names == ("coffee", "camera")
    plain = images("").read("coffee")
    large = source.read("coffee")
    height, width = plain.shape[:2]
    assert large.shape == (700, 900, 3) and large.flags.c_contiguous
    np.testing.assert_array_equal(large[:height, :width], plain)
    np.testing.assert_array_equal(large[height:, width:], plain[: 700 - height, : 900 - width])


def test_images_of_a_folder_stay_as_they_are(photo_folder, tmp_path):
    source = repeated_images(str(photo_folder), 700, 900)
    assert source.names == ("0.png", "1.png", "2.png") and source.read("0.png").shape == (64, 64, 3)
    with pytest.raises(ConfigError, match="no such folder"):
        images(str(tmp_path / "none"))


def test_repeating_can_only_cut():
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    np.testing.assert_array_equal(repeated(image, 3, 5), image[:3, :5])
