"""The best linear filter and the energy that a student keeps."""

import numpy as np
import pytest

from rts_tf.distillation.linear import SIZE, best_filter, filtered, kept_energy


def test_the_filter_of_linear_targets_is_found(photograph):
    kernel = np.random.default_rng(0).normal(0, 0.05, (SIZE, SIZE))
    lumas = [photograph[:120, :160, channel].astype(np.float32) / 255 for channel in range(3)]
    pairs = [(str(i), luma, filtered(luma, kernel)) for i, luma in enumerate(lumas)]
    found = best_filter(pairs)
    kept = kept_energy((luma, target, filtered(luma, found)) for _, luma, target in pairs)
    assert kept == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(found, best_filter(pairs))


def test_energy():
    luma, target = np.zeros((4, 4)), np.ones((4, 4))
    assert kept_energy([(luma, target, target)]) == 1
    assert kept_energy([(luma, target, luma)]) == 0
    assert kept_energy([(luma, target, target / 2)]) == 0.75
    assert kept_energy([(luma, 1.5 * target, target)]) == 1
    assert np.isnan(kept_energy([(luma, luma, luma)]))
