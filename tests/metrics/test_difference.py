"""Changes and alpha of small arrays whose values are known."""

import numpy as np
import pytest

from rts_tf.metrics.difference import alpha, change_percent, drift_levels


def test_change_is_in_percent_of_full_scale():
    a = np.full((4, 4, 3), 100 / 255, np.float32)
    b = a.copy()
    b[0] += 51 / 255  # a quarter of the image by a fifth of the scale
    assert change_percent(b, a) == pytest.approx(5.0, rel=1e-5)
    assert change_percent(a, b) == change_percent(b, a)


def test_drift_is_signed_and_in_levels():
    a = np.zeros((4, 4, 3), np.float16)
    assert drift_levels(a + np.float16(2 / 255), a) == pytest.approx(2, rel=1e-3)
    assert drift_levels(a, a + np.float16(2 / 255)) == pytest.approx(-2, rel=1e-3)


def test_alpha_is_the_least_squares_factor(photograph):
    y = photograph[:50, :50] / 255
    blurred = y.mean(axis=0, keepdims=True) + 0 * y
    assert alpha(y + 0.779 * (y - blurred), y, blurred) == pytest.approx(0.779)
    random = np.random.default_rng(0).normal(0, 0.1, y.shape)
    fitted = alpha(y + 0.5 * (y - blurred) + random, y, blurred)
    reference = np.linalg.lstsq(
        (y - blurred).reshape(-1, 1), (0.5 * (y - blurred) + random).ravel(), rcond=None
    )[0][0]
    assert fitted == pytest.approx(reference)


def test_alpha_of_a_blank_image_is_zero():
    blank = np.full((8, 8, 3), 0.5)
    assert alpha(blank, blank, blank) == 0
