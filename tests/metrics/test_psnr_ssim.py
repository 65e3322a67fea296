"""PSNR and SSIM against scikit-image, and for images whose values are known."""

import numpy as np
import pytest
from skimage import color, metrics

from rts_tf.metrics.psnr_ssim import BORDER, fidelity, luma, psnr


@pytest.fixture
def pair(photograph):
    """An image with noise, and the image itself."""
    noise = np.random.default_rng(0).normal(0, 8, photograph.shape)
    return np.clip(photograph + noise, 0, 255).astype(np.uint8), photograph


def test_the_results_are_those_of_scikit_image_without_the_border(pair):
    noisy, image = pair
    worse = noisy.copy()
    worse[:BORDER], worse[:, -BORDER:] = 0, 255
    found = fidelity(worse, image)
    assert found == fidelity(noisy, image)
    a, b = (array[2:-2, 2:-2] for array in pair)
    assert found.psnr_rgb == pytest.approx(metrics.peak_signal_noise_ratio(b, a))
    y_a, y_b = (color.rgb2ycbcr(array)[..., 0] for array in (a, b))  # 16..235, as MATLAB's
    assert found.psnr_y == pytest.approx(
        metrics.peak_signal_noise_ratio(y_b, y_a, data_range=255), abs=1e-3
    )
    window = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
        "data_range": 255,
    }
    assert found.ssim_y == pytest.approx(
        metrics.structural_similarity(y_a, y_b, **window), abs=1e-5
    )
    colours = [metrics.structural_similarity(a[..., c], b[..., c], **window) for c in range(3)]
    assert found.ssim_rgb == pytest.approx(np.mean(colours))


def test_luma_of_black_and_white():
    np.testing.assert_allclose(
        luma(np.array([[[0, 0, 0], [255, 255, 255]]])), [[16, 235]], atol=1e-9
    )


def test_equal_images(photograph):
    assert fidelity(photograph, photograph) == (np.inf, 1, np.inf, 1)


def test_a_uniform_error():
    a = np.full((20, 20, 3), 100, np.uint8)
    assert psnr(a, a + 1) == pytest.approx(20 * np.log10(255))
    assert fidelity(a, a + 1, grey=True).psnr_y == pytest.approx(20 * np.log10(255))
    assert fidelity(a, a + 1).psnr_y == pytest.approx(20 * np.log10(255 * 255 / 219))


@pytest.mark.parametrize("other", [(20, 21, 3), (14, 40, 3)])
def test_what_cannot_be_compared_is_refused(other):
    first = (20, 20, 3) if other[1] == 21 else other
    with pytest.raises(ValueError, match="of the same size, at least 15 pixels"):
        fidelity(np.zeros(first, np.uint8), np.zeros(other, np.uint8))
