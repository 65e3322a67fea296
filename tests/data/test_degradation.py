"""LR of an image: order of the steps, kernels, JPEG quality, noise."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rts_tf.data.degradation import Degradation

SETTINGS = {
    "order": "jpeg,reduce",
    "kernel": "bilinear",
    "jpeg_low": 60,
    "jpeg_high": 95,
    "seed": 1,
}


def degradation(**changes) -> Degradation:
    return Degradation(**SETTINGS | changes)


@pytest.fixture
def even(photograph):
    return photograph[:64, :80]


def test_bilinear_reduction_alone_is_the_triangle(even):
    lr = degradation(order="reduce")(even, "x")
    v = even.astype(float)
    # Output i is made of the samples 2i-1 .. 2i+2.
    lines = (v[1:-3:2] + 3 * v[2:-2:2] + 3 * v[3:-1:2] + v[4::2]) / 8
    inner = (lines[:, 1:-3:2] + 3 * lines[:, 2:-2:2] + 3 * lines[:, 3:-1:2] + lines[:, 4::2]) / 8
    assert lr.shape == (32, 40, 3) and lr.dtype == np.uint8
    assert np.abs(lr[1:-1, 1:-1] - inner).max() <= 0.51


def test_order_of_the_steps(even):
    def jpeg(array, quality):
        file = io.BytesIO()
        Image.fromarray(array).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    def reduce(array):
        size = array.shape[0] // 2, array.shape[1] // 2
        half = tf.image.resize(array.astype(np.float32), size, antialias=True)
        return np.clip(np.rint(half), 0, 255).astype(np.uint8)

    quality = degradation().quality("x")
    np.testing.assert_array_equal(degradation()(even, "x"), reduce(jpeg(even, quality)))
    reduced_first = degradation(order="reduce,jpeg")(even, "x")
    np.testing.assert_array_equal(reduced_first, jpeg(reduce(even), quality))


def test_quality_is_drawn_for_each_image_from_the_whole_range():
    drawn = {degradation().quality(f"image {i}") for i in range(2000)}
    assert drawn == set(range(60, 96))
    assert degradation().quality("a") == degradation().quality("a")
    names = "01234"
    assert any(degradation(seed=2).quality(n) != degradation().quality(n) for n in names)


@pytest.mark.parametrize("kernel", ["lanczos", "bicubic", "box"])
def test_kernels_differ(even, kernel):
    bilinear = degradation(order="reduce")(even, "x")
    assert (degradation(order="reduce", kernel=kernel)(even, "x") != bilinear).any()


def test_noise_on_lr_has_an_std_of_its_own_for_each_image(even):
    clean = degradation(order="reduce")(even, "x").astype(float)
    noisy = degradation(order="reduce", noise=6.0)
    stds = [(noisy(even, str(i)) - clean).std() for i in range(200)]
    assert max(stds) == pytest.approx(6, abs=0.4)
    assert min(stds) < 0.5  # rounding hides the smallest
    assert np.mean(stds) == pytest.approx(3, abs=0.4)
    once, again = (degradation(noise=6.0)(even, "x") for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert (once != degradation(noise=6.0, seed=2)(even, "x")).any()


@pytest.mark.parametrize("level", [0, 2, 128, 254, 255])
def test_noise_neither_brightens_black_nor_darkens_white(level):
    flat = np.full((256, 256, 3), level, np.uint8)
    lr = degradation(order="reduce", noise=20.0)(flat, "x")
    assert lr.mean() == pytest.approx(level, abs=0.4)
