"""What Phase B keeps from HR_0: brightness, the high-frequency diagonal, and detail."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

from rts_tf.training.anchors import anchored


def test_low_anchor_takes_the_wide_part_of_the_change(photograph):
    hr_0 = photograph[None, :96, :96].astype(np.float32) / 255
    change = np.random.default_rng(0).normal(0.02, 0.05, hr_0.shape).astype(np.float32)
    kept = anchored(hr_0 + change, hr_0, "low").numpy() - hr_0
    assert abs(kept.mean()) < 2e-4 < abs(change.mean())
    reference = change - gaussian_filter(change, (0, 4, 4, 0), mode="reflect")
    assert np.abs(kept - reference).mean() < 0.1 * np.abs(reference).mean()


def test_band_anchor_takes_the_checkerboard_too():
    hr_0 = np.full((1, 32, 32, 3), 0.5, np.float32)
    y, x = np.mgrid[:32, :32]
    checkerboard = np.broadcast_to(np.float32(0.1 * (-1.0) ** (x + y))[None, ..., None], hr_0.shape)
    low, band = (
        anchored(hr_0 + checkerboard, hr_0, anchor).numpy()[:, 2:-2, 2:-2] - 0.5
        for anchor in ("low", "band")
    )
    np.testing.assert_allclose(low, checkerboard[:, 2:-2, 2:-2], atol=1e-3)
    np.testing.assert_allclose(band, 0, atol=1e-3)
    np.testing.assert_array_equal(
        anchored(hr_0 + checkerboard, hr_0, "none"), hr_0 + (hr_0 + checkerboard - hr_0)
    )


def detail_of(hr_n: np.ndarray, hr_0: np.ndarray) -> np.ndarray:
    return anchored(hr_n[None], hr_0[None], "detail").numpy()[0]


def sharpened(image: np.ndarray, amount: float) -> np.ndarray:
    return image + np.float32(amount) * (image - gaussian_filter(image, (1, 1, 0)))


def test_detail_has_no_halos_and_steeper_edges(photograph):
    hr_0 = photograph[:120, :120].astype(np.float32) / 255
    kept = detail_of(sharpened(hr_0, 1.0), hr_0)
    lowest, highest = (f(hr_0, (3, 3, 1), mode="nearest") for f in (minimum_filter, maximum_filter))
    assert np.all(kept >= lowest - 1e-6) and np.all(kept <= highest + 1e-6)
    gradients = [np.abs(np.diff(image, axis=1)).mean() for image in (hr_0, kept)]
    assert gradients[1] > 1.1 * gradients[0]


def waves(amplitude: float) -> np.ndarray:
    """A grating of five pixels in levels of ``amplitude`` around grey."""
    y, x = np.mgrid[:96, :96]
    wave = np.sin(2 * np.pi * x / 5) * np.cos(2 * np.pi * y / 7)
    return np.repeat(0.5 + amplitude / 255 * wave, 3).reshape(96, 96, 3).astype(np.float32)


@pytest.mark.parametrize("amplitude, share", [(6.0, 1.0), (0.8, 0.15)])
def test_texture_that_was_lost_comes_back_and_noise_does_not(amplitude, share):
    """A stage leaves 30 % of a grating: of texture all is restored, of noise the half of that."""
    hr_0 = waves(amplitude)
    kept = detail_of(0.5 + np.float32(0.3) * (hr_0 - 0.5), hr_0)
    ratio = ((kept - 0.5) * (hr_0 - 0.5))[16:-16, 16:-16].sum()
    assert ratio / np.square(hr_0 - 0.5)[16:-16, 16:-16].sum() == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (5, 3)])
@pytest.mark.parametrize("anchor", ["none", "low", "band", "detail"])
def test_images_of_any_size_barely_move_if_nothing_changed(size, anchor, photograph):
    hr_0 = photograph[None, : size[0], : size[1]].astype(np.float32) / 255
    np.testing.assert_allclose(anchored(hr_0, hr_0, anchor), hr_0, atol=1 / 255)
