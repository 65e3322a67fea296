import numpy as np
import pytest
import tensorflow as tf

from experiments.band_gains import band_energies, predicted_gain, response
from rts_tf.config import KERNELS
from rts_tf.imaging.resample import halve


@pytest.mark.parametrize("kernel", KERNELS)
def test_response_is_that_of_the_reduction(kernel):
    """A cosine of frequency f, halved, is a cosine of 2f with the amplitude that the formula says."""
    for f in (0.05, 0.125, 0.2):
        x = np.cos(2 * np.pi * f * (np.arange(200) + 0.5))
        line = np.broadcast_to(x[None, None, :, None], (1, 8, 200, 1)).astype(np.float32)
        halved = halve(tf.constant(line), kernel).numpy()[0, 1, 10:-10, 0]
        expected = np.cos(2 * np.pi * f * 2 * (np.arange(100) + 0.5))[10:-10]
        assert halved @ expected / (expected @ expected) == pytest.approx(response(kernel, np.array([f]))[0], abs=0.02)


def test_equal_kernels_gain_nothing():
    f = np.linspace(0, 0.45, 10)
    np.testing.assert_allclose(predicted_gain(3, f, "lanczos", "lanczos"), 1)
    assert (predicted_gain(2, f[1:], "bilinear") > predicted_gain(1, f[1:], "bilinear")).all()


def test_band_energies_find_the_gain(photograph):
    hr_0 = photograph[:128, :128].mean(axis=2) / 255
    energies = band_energies(hr_0, 1.5 * hr_0, lambda f: np.full_like(f, 1.2))
    np.testing.assert_allclose(energies[:, 1] / energies[:, 0], 2.25, rtol=1e-3)
    np.testing.assert_allclose(energies[:, 2] / energies[:, 0], 1.2**4, rtol=1e-3)
