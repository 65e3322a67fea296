"""Block edges, low-contrast texture and flicker, on synthetic images and on real ones."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from rts_tf.images.dtypes import to_uint8
from rts_tf.metrics.blocking import grid_step
from rts_tf.metrics.low_contrast import texture_kept
from rts_tf.metrics.temporal import flicker
from rts_tf.metrics.unsharp import unsharp_mask


def sharpened(image, amount=0.8):
    return to_uint8(unsharp_mask(image / np.float32(255), amount))


def gratings(amplitude: float, period: float = 4.0) -> np.ndarray:
    """A grey image with diagonal stripes; ``amplitude`` in levels."""
    y, x = np.mgrid[:128, :160]
    grey = 128 + amplitude * np.sin(2 * np.pi * (x + 0.5 * y) / period)
    return np.repeat(np.rint(grey)[..., None], 3, axis=-1).astype(np.uint8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 12), st.integers(24, 60), st.integers(24, 60))
def test_steps_of_blocks_are_measured_in_levels(step, height, width):
    y, x = np.mgrid[:height, :width]
    blocks = 100 + step * ((x // 8 + y // 8) % 2)
    image = np.repeat(blocks[..., None], 3, axis=-1).astype(np.uint8)
    assert grid_step(image) == pytest.approx(step, abs=1e-4)


def test_steps_of_a_photograph_are_those_of_its_jpeg():
    from rts_tf.data.codecs import jpeg

    clean = data.astronaut()[:256, :256]
    steps = [grid_step(jpeg(clean, quality)) for quality in (20, 50, 90)]
    assert abs(grid_step(clean)) < 0.2 < steps[2] + 0.2 and steps == sorted(steps, reverse=True)
    blocky = jpeg(clean, 50)
    assert grid_step(sharpened(blocky)) > 1.3 * grid_step(blocky)
    moved = blocky[4:, 4:]
    assert abs(grid_step(moved)) < 0.5 * grid_step(blocky)


def test_a_small_image_has_no_grid():
    with pytest.raises(ValueError, match="24 pixels"):
        grid_step(np.zeros((23, 40, 3), np.uint8))


@pytest.mark.parametrize("amplitude", [4.0, 8.0])
def test_gratings_that_fade_are_kept_by_that_share(amplitude):
    original = gratings(amplitude)
    for share in (0.0, 0.25, 0.5, 1.0):
        faded = gratings(share * amplitude)
        assert texture_kept(faded, original) == pytest.approx(share, abs=0.12)
    assert texture_kept(sharpened(original), original) == 1


def test_other_texture_is_not_the_texture_that_was_there():
    assert texture_kept(gratings(4.0, 5.0), gratings(4.0, 3.0)) < 0.1


def test_strong_and_smooth_structure_does_not_count():
    for original in (gratings(40.0), gratings(0.3), np.full((64, 64, 3), 90, np.uint8)):
        assert np.isnan(texture_kept(original, original))


@pytest.mark.parametrize("name", ["grass", "gravel", "brick"])
def test_a_bilateral_filter_erases_faint_texture(name):
    texture = getattr(data, name)()[:256, :256].astype(np.float32)
    faint = np.rint(128 + 0.08 * (texture - texture.mean())).astype(np.uint8)
    image = np.repeat(faint[..., None], 3, axis=-1)
    filtered = cv2.bilateralFilter(image, 7, 12, 2)
    assert texture_kept(image, image) == 1
    assert texture_kept(filtered, image) < 0.75
    assert texture_kept(sharpened(image), image) == 1


@pytest.fixture(scope="module")
def noisy_scene() -> np.ndarray:
    image, random = data.astronaut()[:192, 100:324], np.random.default_rng(1)
    frames = image + random.normal(0, 3, (6, *image.shape))
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def test_flicker_of_the_same_frames_is_one(noisy_scene):
    assert flicker(noisy_scene, noisy_scene) == (1, 1)


def test_an_unsharp_mask_adds_more_flicker_than_detail(noisy_scene):
    masked = np.stack([sharpened(frame) for frame in noisy_scene])
    found = flicker(masked, noisy_scene)
    assert found.rms_per_detail > 1.05 and found.flat_rms > 1.3


def test_blocks_that_a_codec_copies_do_not_count_as_flat(noisy_scene):
    still = noisy_scene.copy()
    still[:, :96] = still[0, 0, 0]
    assert flicker(still // 2, still).flat_rms == pytest.approx(0.5, abs=0.05)
    assert np.isnan(flicker(still[:, :96], still[:, :96]).flat_rms)


def test_the_mean_over_time_does_not_flicker(noisy_scene):
    mean = np.rint(noisy_scene.mean(axis=0)).astype(np.uint8)
    found = flicker(np.stack([mean] * len(noisy_scene)), noisy_scene)
    assert found.rms_per_detail == found.flat_rms == 0
