"""LR of an image: order of the steps, kernels, JPEG quality, noise, codecs."""

import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rts_tf.data.degradation import CodecSettings, Degradation, moving

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


def test_the_noise_of_cameras_is_alike_in_neighbouring_pixels():
    grey = np.full((80, 80, 3), 128, np.uint8)
    for share, alike in ((0.0, 0.0), (1.0, 0.5)):
        degradation = Degradation("reduce", "box", 60, 95, 1, noise=20.0, grain_share=share)
        lrs = [degradation(grey, str(k)) - 128.0 for k in range(8)]
        found = [(lr[:, 1:] * lr[:, :-1]).mean() / np.square(lr).mean() for lr in lrs]
        assert np.mean(found) == pytest.approx(alike, abs=0.1)
        assert 4 < np.mean([lr.std() for lr in lrs]) < 16


def test_the_std_of_the_noise_is_drawn_from_a_range(even):
    clean = degradation(order="reduce")(even, "x").astype(float)
    noisy = degradation(order="reduce", noise=6.0, noise_low=4.0)
    stds = [(noisy(even, str(i)) - clean).std() for i in range(50)]
    assert min(stds) == pytest.approx(4, abs=0.4) and max(stds) == pytest.approx(6, abs=0.4)


@pytest.mark.parametrize("level", [0, 2, 128, 254, 255])
def test_noise_neither_brightens_black_nor_darkens_white(level):
    flat = np.full((256, 256, 3), level, np.uint8)
    lr = degradation(order="reduce", noise=20.0)(flat, "x")
    assert lr.mean() == pytest.approx(level, abs=0.4)


def coded(**changes) -> Degradation:
    """A degradation with codecs; the changes are those of its settings."""
    settings = {
        "codecs": ("jpeg", "webp", "h264", "hevc", "av1"),
        "share": 0.5,
        "kernel": "",
        "crf_low": 20,
        "crf_high": 36,
        "soft_share": 0.25,
        "variants": 4,
    }
    return degradation(order="reduce,codec", codec=CodecSettings(**settings | changes))


def test_a_share_of_the_variants_passes_a_codec(even):
    reduced = degradation(order="reduce")(even, "x")
    for share in (0.0, 0.5, 1.0):
        make = coded(share=share, codecs=("jpeg",), soft_share=0.0)
        changed = [(make(even, str(i), v) != reduced).any() for i in range(50) for v in range(4)]
        assert np.mean(changed) == pytest.approx(share, abs=0.1)


def test_variants_differ_and_are_drawn_anew_alike(even):
    make = coded(share=1.0)
    variants = [make(even, "x", v) for v in range(8)]
    assert {v.shape for v in variants} == {(32, 40, 3)} and {v.dtype for v in variants} == {
        np.dtype("uint8")
    }
    assert len({v.tobytes() for v in variants}) == 8
    for number, variant in enumerate(variants):
        np.testing.assert_array_equal(variant, make(even, "x", number))


def test_coded_variants_have_a_kernel_of_their_own(even):
    sharp = coded(share=1.0, kernel="lanczos", codecs=("jpeg",), soft_share=0.0)
    sharp = dataclasses.replace(sharp, jpeg_low=100, jpeg_high=100)
    distances = [
        np.abs(sharp(even, "x") - degradation(order="reduce", kernel=k)(even, "x").astype(float))
        for k in ("lanczos", "bilinear")
    ]
    assert distances[0].mean() < distances[1].mean()


def test_soft_variants_have_less_detail(even):
    def detail(soft_share):
        make = coded(share=1.0, codecs=("jpeg",), soft_share=soft_share)
        make = dataclasses.replace(make, jpeg_low=95, jpeg_high=95)
        lr = np.stack([make(even, "x", v).astype(float) for v in range(8)])
        return np.abs(np.diff(lr, axis=1)).mean()

    assert detail(1.0) < 0.9 * detail(0.0)


def test_the_last_frame_of_a_sequence_is_the_image(photograph):
    frames = moving(photograph[:40, :50], 4, np.random.default_rng(5))
    assert len(frames) == 4
    np.testing.assert_array_equal(frames[-1], photograph[:40, :50])
    # The same motion leads from each frame to the next.
    assert len({frame.tobytes() for frame in frames}) == 4


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 3))
def test_every_size_has_its_lr(height, width, variant):
    image = np.random.default_rng(1).integers(0, 255, (2 * height, 2 * width, 3), np.uint8)
    assert coded(share=1.0)(image, "x", variant).shape == (height, width, 3)


def test_the_record_of_an_order_of_earlier_versions_is_as_it_was():
    assert degradation().record() == SETTINGS | {"noise": 0.0}
    assert coded().record()["codec"]["variants"] == 4
