"""Each artifact is measured where it is put in, and nowhere else."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from rts_tf.metrics.artifacts import CORNER, measure_artifacts


@pytest.fixture(scope="module")
def original() -> np.ndarray:
    return data.astronaut().astype(np.float32) / 255


def test_the_original_has_no_artifacts(original):
    found = measure_artifacts(original, original)
    clipped = 100 * np.mean((original == 0) | (original == 1))
    assert found == (pytest.approx(clipped), 0.0, pytest.approx(1.0), pytest.approx(0.0))


def test_clipped_samples_are_counted(original):
    image = original.copy()
    before = measure_artifacts(original, original).clipped_percent
    middle = (original > 0.1) & (original < 0.9)
    share = 100 * np.mean(middle[:100])
    image[:100][middle[:100]] = 1.7
    assert measure_artifacts(image, original).clipped_percent - before == pytest.approx(
        share * 100 / 512, abs=0.05
    )


def test_overshoot_is_the_mean_distance_beyond_the_neighbours(original):
    """Compared with a slow computation by the definition."""
    image = original + np.random.default_rng(0).normal(0, 0.05, original.shape).astype("f")
    high, low = (
        f(original, size=(5, 5, 1), mode="nearest")
        for f in (ndimage.maximum_filter, ndimage.minimum_filter)
    )
    expected = 255 * np.mean(np.clip(image - high, 0, None) + np.clip(low - image, 0, None))
    assert measure_artifacts(image, original).overshoot_levels == pytest.approx(expected, rel=1e-4)


def test_a_filter_that_stays_in_range_does_not_overshoot(original):
    assert (
        measure_artifacts(ndimage.uniform_filter(original, (3, 3, 1)), original).overshoot_levels
        < 0.05
    )


@pytest.mark.parametrize("gain", [0.5, 1.5, 2.0])
def test_the_gain_of_flat_noise_is_measured_where_the_original_is_flat(gain):
    """A smooth half with noise of changed strength stands beside a busy half without a change."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 2 / 255, (256, 256, 1)) * np.ones(3)
    plane = np.linspace(0.3, 0.6, 256)[:, None, None] * np.ones((1, 256, 3))
    busy = rng.random((256, 256, 3))
    original = np.concatenate([plane + noise, busy], axis=1).astype("f")
    image = np.concatenate([plane + gain * noise, busy], axis=1).astype("f")
    assert measure_artifacts(image, original).flat_noise_gain == pytest.approx(gain, rel=0.02)


def test_without_noise_there_is_no_noise_gain():
    flat = np.full((64, 64, 3), 0.5, np.float32)
    assert np.isnan(measure_artifacts(flat, flat).flat_noise_gain)


def test_corner_gain_depends_on_the_corner_alone(original):
    y, x = np.mgrid[:512, :512]
    grid = 0.02 * np.cos(0.98 * np.pi * y) * np.cos(0.98 * np.pi * x)
    edge = 0.02 * np.cos(0.98 * np.pi * x)
    assert measure_artifacts(original + edge[..., None].astype("f"), original).corner_gain_db < 0.5
    once, twice = (
        measure_artifacts(original + k * grid[..., None].astype("f"), original).corner_gain_db
        for k in (1, 2)
    )
    assert once > 10 and twice - once == pytest.approx(20 * np.log10(2), abs=0.5)
    assert CORNER < 0.49


@pytest.mark.parametrize("shape", [(33, 47, 3), (64, 300, 3)])
def test_any_size(shape):
    image = np.random.default_rng(2).random(shape, np.float32)
    assert np.isfinite(measure_artifacts(1.1 * image, image)).all()
