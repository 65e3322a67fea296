"""d(), U and the fused enhance head."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rts_tf.config import TARGET_KERNELS
from rts_tf.images.resample import KERNELS, double, halve, halve_shuffled


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**31), st.sampled_from(TARGET_KERNELS)
)
def test_fused_head_is_d_of_the_shuffled_image(height, width, seed, kernel):
    phases = np.random.default_rng(seed).random((1, height, width, 12)).astype(np.float32)
    reference = halve(tf.nn.depth_to_space(phases, 2), kernel)
    np.testing.assert_allclose(halve_shuffled(phases, kernel), reference, atol=2e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_halving_keeps_constants_and_rounds_sizes_up(kernel):
    output = halve(tf.fill([1, 9, 14, 3], 0.25), kernel)
    assert output.shape == (1, 5, 7, 3)
    np.testing.assert_allclose(output, 0.25, atol=1e-6)


def test_bilinear_is_the_triangle_1331():
    impulse = np.zeros((1, 1, 16, 1), np.float32)
    impulse[0, 0, 7] = 1
    row = halve(tf.constant(np.repeat(impulse, 2, axis=1)), "bilinear").numpy()[0, 0, :, 0]
    # Sample 7 contributes to outputs 3 and 4.
    np.testing.assert_allclose(row[2:6], np.array([0, 3, 1, 0]) / 8, atol=1e-6)


def test_d_of_u_returns_the_image(photograph):
    """Equation 4 of the paper, D(U(y)) = y, holds to about a level for Lanczos on a real image."""
    y = photograph[None, :64, :64].astype(np.float32)
    assert np.abs(halve(double(y)) - y).mean() < 1.0
