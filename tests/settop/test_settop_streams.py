"""Raw frames: colours, where chroma lies, and there and back."""

import numpy as np
import pytest
from skimage import color, data

from rts_tf.settop.streams import Stream

CAT = np.ascontiguousarray(data.chelsea()[:80, :120])


def constant(*rgb):
    return np.full((4, 6, 3), rgb, np.uint8)


@pytest.mark.parametrize(
    "matrix, rgb, yuv",
    [
        ("bt601", (255, 0, 0), (81, 90, 240)),
        ("bt601", (0, 255, 0), (145, 54, 34)),
        ("bt709", (255, 0, 0), (63, 102, 240)),
        ("bt709", (0, 0, 255), (32, 240, 118)),
        ("bt709", (255, 255, 255), (235, 128, 128)),
        ("bt709", (0, 0, 0), (16, 128, 128)),
    ],
)
def test_colours(matrix, rgb, yuv):
    stream = Stream("yuv420p", 4, 6, matrix)
    data = stream.from_rgb(constant(*rgb))
    assert data == bytes([yuv[0]] * 24 + [yuv[1]] * 6 + [yuv[2]] * 6) and len(data) == stream.nbytes
    assert np.abs(stream.to_rgb(data).astype(int) - rgb).max() <= 1


def test_luma_is_that_of_bt601():
    luma = np.frombuffer(Stream("yuv420p", 80, 120, "bt601").from_rgb(CAT), np.uint8)[
        : 80 * 120
    ].reshape(80, 120)
    assert np.abs(luma - color.rgb2ycbcr(CAT)[..., 0]).max() <= 0.51


def test_chroma_lies_beside_even_columns_and_between_lines():
    """A ramp of chroma stays where it is: at the left as luma, half a line lower in height."""
    plane = np.empty((20, 30), np.uint8)
    for axis in (0, 1):
        plane[:] = 100 + 2 * (np.arange(20)[:, None] if axis == 0 else np.arange(30)[None])
        grey, neutral = bytes([120] * 40 * 60), bytes([128] * 600)
        stream = Stream("yuv420p", 40, 60, "bt601")
        red = stream.to_rgb(grey + neutral + plane.tobytes())[..., 0].astype(float)
        position = (np.arange(40) - 0.5)[:, None] if axis == 0 else np.arange(60)[None]
        expected = 255 / 219 * (120 - 16) + 1.402 * 255 / 224 * (100 + position - 128)
        np.testing.assert_allclose(
            red[4:-4, 4:-4], np.broadcast_to(expected, red.shape)[4:-4, 4:-4], atol=1.4
        )
        again = stream.from_rgb(stream.to_rgb(grey + neutral + plane.tobytes()))
        chroma = np.frombuffer(again, np.uint8)[-600:].reshape(20, 30).astype(int)
        assert np.abs(chroma - plane)[2:-2, 2:-2].max() <= 1


def test_there_and_back():
    stream = Stream("yuv420p", 80, 120)
    first = stream.from_rgb(CAT)
    again = np.frombuffer(stream.from_rgb(stream.to_rgb(first)), np.uint8)
    assert np.abs(again - np.frombuffer(first, np.uint8).astype(int)).mean() < 0.3
    np.testing.assert_array_equal(Stream("rgb24", 80, 120).to_rgb(CAT.tobytes()), CAT)
    assert Stream("rgb24", 80, 120).from_rgb(CAT) == CAT.tobytes()
