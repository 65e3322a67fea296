"""The network on planes: luma alone, and chroma, against the same by NumPy on whole images."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from skimage import data  # noqa: E402

from rts_tf.enhance.yuv import YuvEnhancer, enlarged, reduced  # noqa: E402
from rts_tf.errors import VideoError  # noqa: E402
from rts_tf.video.info import VideoInfo  # noqa: E402
from tests.support.enhance_command import model, model_file  # noqa: E402, F401  fixtures

HEIGHT, WIDTH = 51, 67


def video(pixels: str = "yuv420p", full: bool = False, matrix: int = 1) -> VideoInfo:
    return VideoInfo(
        "video",
        0,
        WIDTH,
        HEIGHT,
        pixels,
        pixels,
        full,
        matrix,
        1,
        1,
        Fraction(1),
        None,
        None,
        Fraction(1, 24),
        0,
        Fraction(24),
        2,
    )


def photographs(bits: int) -> np.ndarray:
    """Two images as [2, 3, H, W] of whole levels, to be taken as Y, Cb and Cr."""
    cat = data.chelsea().astype(int)
    images = np.stack([cat[:HEIGHT, :WIDTH], cat[100 : 100 + HEIGHT, 200 : 200 + WIDTH]]).transpose(
        0, 3, 1, 2
    )
    return (images * 2 ** (bits - 8)).astype(np.uint8 if bits == 8 else np.uint16)


@pytest.mark.parametrize(("bits", "full"), [(8, False), (8, True), (10, False)])
def test_luma_alone(model, bits, full):
    kind = video("yuv420p" if bits == 8 else "yuv420p10le", full)
    frames = [(y, u[::2, ::2], v[::2, ::2]) for y, u, v in photographs(bits)]
    black, scale = (0, 2**bits - 1) if full else (16 << (bits - 8), 219 << (bits - 8))
    for frame, better in zip(frames, YuvEnhancer(model, kind)(frames), strict=True):
        grey = (frame[0].astype(np.float32) - black) / scale
        rgb = model.enhance(np.repeat(grey[..., None], 3, axis=2))
        expected = np.clip(rgb @ [0.2126, 0.7152, 0.0722] * scale + black, 0, 2**bits - 1)
        np.testing.assert_allclose(better[0], expected, atol=0.51)
        assert (
            better[0].dtype == frame[0].dtype and np.abs(better[0].astype(int) - frame[0]).max() > 3
        )
        for kept, given in zip(better[1:], frame[1:], strict=True):
            np.testing.assert_array_equal(kept, given)


@pytest.mark.parametrize("chroma", [False, True])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "gray"])
def test_no_strength_changes_nothing(model, pixels, chroma):
    rows, columns = (2 if "420" in pixels else 1), 2
    frames = [
        (y, u[::rows, ::columns], v[::rows, ::columns])
        for y, u, v in photographs(10 if "10" in pixels else 8)
    ]
    frames = [planes[:1] if pixels == "gray" else planes for planes in frames]
    for frame, same in zip(
        frames, YuvEnhancer(model, video(pixels), 0.0, chroma)(frames), strict=True
    ):
        assert len(frame) == len(same)
        for before, after in zip(frame, same, strict=True):
            np.testing.assert_array_equal(before, after)


def test_with_chroma_where_it_is_of_full_size(model):
    """4:4:4, against the matrices of BT.601 as H.273 prints them."""
    rgb_to_ycc = np.array(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    )
    offset, scale = np.array([16, 128, 128]), np.array([219, 224, 224])
    frames = [tuple(image) for image in photographs(8)]
    for frame, better in zip(
        frames, YuvEnhancer(model, video("yuv444p", matrix=6), 1.0, True)(frames), strict=True
    ):
        ycc = (np.stack(frame, axis=-1) - offset) / scale
        rgb = model.enhance((ycc @ np.linalg.inv(rgb_to_ycc).T).astype(np.float32))
        expected = np.clip(rgb @ rgb_to_ycc.T * scale + offset, 0, 255)
        # Rounding to levels, and that of bfloat16 on tensors of other sizes
        np.testing.assert_allclose(np.stack(better, axis=-1), expected, atol=0.6)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p"])
def test_with_chroma_where_it_is_smaller(model, pixels):
    """With flat chroma, luma is that of the network on flat colours. Odd sizes stay."""
    rows = 2 if pixels == "yuv420p" else 1
    frames = [
        (y, np.full_like(u[::rows, ::2], 128), np.full_like(v[::rows, ::2], 128))
        for y, u, v in photographs(8)
    ]
    both, alone = (
        YuvEnhancer(model, video(pixels), 1.0, chroma)(frames) for chroma in (True, False)
    )
    for frame, one, two in zip(frames, both, alone, strict=True):
        np.testing.assert_allclose(one[0].astype(int), two[0].astype(int), atol=1)
        assert [plane.shape for plane in one] == [plane.shape for plane in frame]
        assert np.abs(one[1].astype(int) - 128).max() > 0  # this network gives colour to grey


def test_a_matrix_that_is_not_known(model):
    with pytest.raises(
        VideoError, match="video: its colour matrix .8. is not known; leave out `chroma`"
    ):
        YuvEnhancer(model, video(matrix=8), 1.0, True)
    YuvEnhancer(model, video(matrix=8))


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("between", [False, True])
def test_where_chroma_is_sited(axis, between):
    """On a ramp, a sample has the value of its position on the grid of the old samples."""
    places = np.arange(6, dtype=np.float32)
    ramp = np.broadcast_to(places[:, None] if axis == 1 else places, (1, 6, 6))
    inner = (slice(None), *(slice(2, -2) if i == axis else slice(None) for i in (1, 2)))
    large = enlarged(ramp, axis, between).numpy()
    places = np.arange(12) / 2 - (0.25 if between else 0)
    np.testing.assert_allclose(np.moveaxis(large, axis, 2)[0, 0, 2:-2], places[2:-2], atol=1e-6)
    small = reduced(large, axis, between).numpy()
    np.testing.assert_allclose(small[inner], ramp[inner], atol=1e-6)
