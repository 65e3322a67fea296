"""Integers: ranges of tensors, rounded kernels, and which tensors stay in floating point."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from rts_tf.export.body import body_of
from rts_tf.export.calibration import sample_crops
from rts_tf.export.heads import head_function
from rts_tf.export.passes import Convolution
from rts_tf.export.quantization import (
    Observed,
    floating_tensors,
    integer_body,
    integer_kernels,
    pins,
    range_of_least_error,
    rounded_kernel,
)
from rts_tf.export.traced import kernels_of, traced_head
from tests.support.networks import NETWORKS

NETWORK = NETWORKS["residual1"]
BODY = body_of(NETWORK)
CROPS = [crop[:48, :48] for crop in sample_crops().calibration[:8]]


@pytest.fixture(scope="module")
def observed():
    return Observed(BODY, CROPS)


def quantized(values, low, high):
    return tf.quantization.fake_quant_with_min_max_args(
        tf.constant(values, tf.float32), low, high
    ).numpy()


def test_range_cuts_off_an_outlier_but_not_a_tail():
    values = np.append(np.random.default_rng(0).normal(0, 1, 200_000), 14.0)
    low, high = range_of_least_error(values)
    assert -5 < low < -3 and 3 < high < 12
    error = lambda *r: np.mean((quantized(values, *map(float, r)) - values) ** 2)  # noqa: E731
    assert error(low, high) < 0.9 * error(values.min(), values.max())
    assert range_of_least_error(values[:1000])[1] > 2  # no outlier: nearly all is kept


def test_rounding_lies_on_the_steps_of_the_converter_and_costs_less_than_nearest():
    random = np.random.default_rng(1)
    kernel = random.normal(0.5, 1, size=(3, 3, 3, 4))
    flat = random.normal(size=(2000, 27)) * 0.1 + random.random(
        (2000, 1)
    )  # neighbours alike, as in images
    moment, largest = flat.T @ flat / 2000, np.abs(kernel).max((0, 1, 2))
    nearest = np.rint(kernel / (largest / 127)) * (largest / 127)
    rounded = rounded_kernel(kernel, largest, moment)
    cost = lambda k: np.mean((flat @ (k - kernel).reshape(27, 4)) ** 2)  # noqa: E731
    assert cost(rounded) < 0.1 * cost(nearest)
    for made in (rounded, rounded_kernel(kernel, largest, moment, keep_sums=True)):
        levels = made / (np.abs(made).max((0, 1, 2)) / 127)
        np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
        assert np.abs(levels).max() <= 127.0001
    np.testing.assert_allclose(made.sum((0, 1, 2)), kernel.sum((0, 1, 2)), atol=1e-6)


@pytest.mark.parametrize("keep_sums", [False, True])
def test_rounding_of_what_is_all_zero(keep_sums):
    zeros, ones = np.zeros((3, 3, 1, 2)), np.ones(2)
    kernel = np.stack([np.eye(3), np.diag([1.0, -1.0], 1)], axis=-1)[
        :, :, None
    ]  # the second adds up to nothing
    for moment in (np.zeros((9, 9)), np.eye(9)):
        np.testing.assert_array_equal(rounded_kernel(zeros, 0 * ones, moment, keep_sums), zeros)
        np.testing.assert_allclose(
            rounded_kernel(kernel, ones, moment, keep_sums), kernel, rtol=1e-6
        )


def test_integer_kernels_keep_flat_areas(observed):
    for value in (0.0, 0.25, 1.0):
        image = tf.fill([1, 20, 20, 3], value)
        exact, integer = (
            traced_head(BODY, "enhance", image, kernels, segmented=True).numpy()[0, 8:12, 8:12]
            for kernels in (
                kernels_of(BODY, True),
                integer_kernels(BODY, observed, segmented=True),
            )
        )
        assert np.abs(integer - exact).max() < 0.5 / 255


def test_integer_body_is_nearer_than_nearest_rounding(observed):
    is_rounded = lambda each: isinstance(each, Convolution)  # noqa: E731

    def nearest(kernel):
        step = np.abs(kernel).max((0, 1, 2)) / 127
        return np.rint(kernel / step) * step

    made = integer_body(BODY, observed, images=True)
    plain = BODY._replace(
        passes=tuple(
            dataclasses.replace(each, kernel=nearest(each.kernel)) if is_rounded(each) else each
            for each in BODY.passes
        )
    )
    outputs = [
        [traced_head(body, "upscale", tf.constant(crop[None] / 255, tf.float32), kernels_of(body))]
        for body in (made, plain, BODY)
        for crop in CROPS
    ]
    integer, near, exact = np.array(outputs).reshape(3, -1)
    assert np.mean((integer - exact) ** 2) < 0.7 * np.mean((near - exact) ** 2)
    some = integer_body(BODY, observed, images=False)
    same = [a.kernel is b.kernel for a, b in zip(some.convolutions, BODY.convolutions, strict=True)]
    assert same == [False, False, True]  # the last one computes the image residual


def test_floating_tensors_are_images_their_sources_and_what_the_accuracy_needs(
    observed,
):
    body, exact_head = integer_body(BODY, observed, False), head_function(NETWORK, "upscale")
    least = floating_tensors(exact_head, body, observed, "upscale", CROPS, wanted=0)
    assert {
        "image_residual",
        "enhanced_image",
        "residual_sum_1",
    } <= least  # the last: what the image residual is computed from
    assert not {"residual_conv_1", "input_conv"} & least
    assert floating_tensors(exact_head, body, observed, "upscale", CROPS, wanted=1000) == least | {
        "residual_conv_1",
        "input_conv",
    }
    image = tf.constant(CROPS[0][None] / 255, tf.float32)

    def decibels(floating):
        outputs = (
            traced_head(b, "upscale", image, kernels_of(BODY), v)
            for b, v in ((body, pins(observed, floating)), (BODY, lambda n, v: v))
        )
        integer, exact = (np.clip(output, 0, 1) for output in outputs)
        return -10 * np.log10(np.mean((integer - exact) ** 2))

    first = decibels(least)
    (added,) = (
        floating_tensors(exact_head, body, observed, "upscale", CROPS[:1], wanted=first + 0.1)
        - least
    )
    assert (
        decibels(least | {added})
        == max(decibels(least | {name}) for name in ("residual_conv_1", "input_conv"))
        > first
    )


def test_pins_leave_floating_tensors_alone(observed):
    narrow, wide = tf.fill([1, 2, 2, 3], 0.3), tf.fill([1, 2, 2, 64], 0.3)
    for name, value in (("image_residual", narrow), ("residual_sum_1", wide)):
        assert pins(observed, {name})(name, value) is value
        assert pins(observed)(name, value) is not value
    assert pins(observed)("head_input", narrow) is narrow
    levels = tf.reshape(tf.range(256.0) / 255, [1, 16, 16, 1])
    np.testing.assert_allclose(pins(observed)("image", levels), levels, atol=1e-6)
    gain = tf.ones([1, 5, 1, 1])
    np.testing.assert_allclose(pins(observed)("gain_of_rows", gain), gain, atol=1e-6)
