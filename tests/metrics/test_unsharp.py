"""The unsharp mask against SciPy, and its amount from curves of scores that are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from rts_tf.metrics.unsharp import AMOUNTS, amount_of_score, unsharp_mask


def test_unsharp_mask_adds_what_a_gaussian_removes(photograph):
    image = photograph.astype(np.float32) / 255
    detail = image - ndimage.gaussian_filter(image, (1, 1, 0), mode="reflect", truncate=4)
    np.testing.assert_allclose(unsharp_mask(image, 0.7), image + 0.7 * detail, atol=2e-3)
    np.testing.assert_array_equal(unsharp_mask(image, 0.0), image)


@given(st.floats(0, 2), st.floats(0.2, 3))
def test_amount_of_score_inverts_a_saturating_curve(amount, strength):
    def score(a):
        return 3 + math.log1p(strength * a)

    amounts = (0.0, *AMOUNTS)
    found = amount_of_score(amounts, [score(a) for a in amounts], score(amount))
    assert found == pytest.approx(amount, abs=0.03)


def test_beyond_the_curve():
    amounts, scores = (0.0, 0.5, 1.0, 2.0), [3.0, 3.2, 3.3, 3.25]
    assert amount_of_score(amounts, scores, 2.9) == 0 and amount_of_score(amounts, scores, 3.0) == 0
    assert math.isnan(amount_of_score(amounts, scores, 3.31))
    assert 0.5 < amount_of_score(amounts, scores, 3.25) < 1.0  # on the rising side
