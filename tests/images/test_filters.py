"""The Gaussians and the filter of the high-frequency diagonal, against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve, gaussian_filter

from rts_tf.images import filters


@pytest.mark.parametrize("sigma", [0.7, 1.0, 4.0])
def test_gaussian_equals_that_of_scipy(photograph, sigma):
    image = photograph[:60, :75].astype(np.float32) / 255
    radius = int(np.ceil(3 * sigma))
    reference = gaussian_filter(
        image, (sigma, sigma, 0), mode="reflect", radius=(radius, radius, 0)
    )
    np.testing.assert_allclose(filters.gaussian(image[None], sigma)[0], reference, atol=2e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30))
def test_gaussian_of_an_image_smaller_than_its_radius(height, width):
    image = np.random.default_rng(0).random((height, width, 3)).astype(np.float32)
    reference = gaussian_filter(image, (4, 4, 0), mode="reflect", radius=(12, 12, 0))
    np.testing.assert_allclose(filters.gaussian(image[None], 4.0)[0], reference, atol=2e-6)


@pytest.mark.parametrize("size", [(61, 75), (64, 64), (3, 5), (1, 1)])
def test_wide_gaussian_is_nearly_the_gaussian(photograph, size):
    image = photograph[None, : size[0], : size[1]].astype(np.float32) / 255
    wide, exact = filters.wide_gaussian(image, 4.0), filters.gaussian(image, 4.0)
    assert wide.shape == image.shape
    assert np.abs(wide - exact).mean() < 0.01 and abs(float(np.mean(wide - exact))) < 2e-3


def test_nyquist_component_is_the_outer_product(photograph):
    image = photograph[None, :20, :31].astype(np.float32) / 255
    line = np.array([-0.25, 0.5, -0.25])
    kernel = np.outer(line, line)[..., None]
    np.testing.assert_allclose(
        filters.nyquist_component(image)[0], convolve(image[0], kernel, mode="reflect"), atol=1e-6
    )


def test_nyquist_component_of_a_checkerboard_and_of_stripes():
    y, x = np.mgrid[:16, :16]
    checkerboard = np.float32((-1.0) ** (x + y))[None, ..., None]
    stripes = np.float32((-1.0) ** x)[None, ..., None]
    np.testing.assert_allclose(
        filters.nyquist_component(checkerboard)[:, 1:-1, 1:-1],
        checkerboard[:, 1:-1, 1:-1],
        atol=1e-6,
    )
    np.testing.assert_allclose(filters.nyquist_component(stripes), 0, atol=1e-6)


def test_the_gaussian_comes_from_the_library_of_this_stack():
    """It comes from tensorflow-addons where that is installed, and from Keras elsewhere."""
    try:
        import tensorflow_addons
    except ImportError:
        assert filters.tfa is None
    else:
        assert filters.tfa is tensorflow_addons
