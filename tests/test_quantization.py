import numpy as np
import pytest
import tensorflow as tf

from rts_tf.exporting.heads import kernels_of, traced_head
from rts_tf.exporting.photographs import of_sample
from rts_tf.exporting.quantization import Observed, _range, _rounded, integer_body, integer_kernels, pins
from tests.test_inference import NETWORKS

NETWORK = NETWORKS["residual1"]
CROPS = [crop[:48, :48] for crop in of_sample().calibration[:8]]


@pytest.fixture(scope="module")
def observed():
    return Observed(NETWORK, CROPS)


def quantized(values, low, high):
    return tf.quantization.fake_quant_with_min_max_args(tf.constant(values, tf.float32), low, high).numpy()


def test_range_cuts_off_a_lamp_but_not_a_tail():
    values = np.append(np.random.default_rng(0).normal(0, 1, 200_000), 14.0)
    low, high = _range(values)
    assert -5 < low < -3 and 3 < high < 12
    error = lambda *r: np.mean((quantized(values, *map(float, r)) - values) ** 2)  # noqa: E731
    assert error(low, high) < 0.9 * error(values.min(), values.max())
    assert _range(values[:1000])[1] > 2  # no lamp: nearly all is kept


def test_rounding_lies_on_the_steps_of_the_converter_and_costs_less_than_nearest():
    random = np.random.default_rng(1)
    kernel = random.normal(0.5, 1, size=(3, 3, 3, 4))
    flat = random.normal(size=(2000, 27)) * 0.1 + random.random((2000, 1))  # neighbours alike, as in pictures
    moment, largest = flat.T @ flat / 2000, np.abs(kernel).max((0, 1, 2))
    nearest = np.rint(kernel / (largest / 127)) * (largest / 127)
    rounded = _rounded(kernel, largest, moment)
    cost = lambda k: np.mean((flat @ (k - kernel).reshape(27, 4)) ** 2)  # noqa: E731
    assert cost(rounded) < 0.1 * cost(nearest)
    for made in (rounded, _rounded(kernel, largest, moment, keep_sums=True)):
        levels = made / (np.abs(made).max((0, 1, 2)) / 127)
        np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
        assert np.abs(levels).max() <= 127.0001
    np.testing.assert_allclose(made.sum((0, 1, 2)), kernel.sum((0, 1, 2)), atol=1e-6)


@pytest.mark.parametrize("keep_sums", [False, True])
def test_rounding_of_what_is_all_zero(keep_sums):
    zeros, ones = np.zeros((3, 3, 1, 2)), np.ones(2)
    kernel = np.stack([np.eye(3), np.diag([1.0, -1.0], 1)], axis=-1)[:, :, None]  # the second adds up to nothing
    for moment in (np.zeros((9, 9)), np.eye(9)):
        np.testing.assert_array_equal(_rounded(zeros, 0 * ones, moment, keep_sums), zeros)
        np.testing.assert_allclose(_rounded(kernel, ones, moment, keep_sums), kernel, rtol=1e-6)


def test_integer_kernels_keep_flat_areas(observed):
    for value in (0.0, 0.25, 1.0):
        image = tf.fill([1, 20, 20, 3], value)
        exact, integer = (
            traced_head(NETWORK, "enhance", image, kernels, segmented=True).numpy()[0, 8:12, 8:12]
            for kernels in (kernels_of(NETWORK, True), integer_kernels(NETWORK, observed, segmented=True))
        )
        assert np.abs(integer - exact).max() < 0.5 / 255


def test_integer_body_is_nearer_than_nearest_rounding(observed):
    def nearest(kernel):
        step = np.abs(kernel).max((0, 1, 2)) / 127
        return np.rint(kernel / step) * step

    plain = integer_body(NETWORK, observed, pictures=True)
    for name in ("input_conv", "residual_conv_1", "image_residual"):
        kernel, bias = NETWORK.get_layer(name).get_weights()
        plain.get_layer(name).set_weights([nearest(kernel), bias])
    made = integer_body(NETWORK, observed, pictures=True)
    image = tf.constant(np.stack(CROPS) / 255, tf.float32)
    error = [np.mean((network(image) - NETWORK(image)) ** 2) for network in (made, plain)]
    assert error[0] < 0.7 * error[1]
    some = integer_body(NETWORK, observed, pictures=False)
    np.testing.assert_array_equal(
        some.get_layer("image_residual").get_weights()[0], NETWORK.get_layer("image_residual").get_weights()[0]
    )


def test_pins_leave_pictures_alone_where_told(observed):
    narrow, wide = tf.fill([1, 2, 2, 3], 0.3), tf.fill([1, 2, 2, 64], 0.3)
    for name, value, pictures, kept in (
        ("image_residual", narrow, False, True),
        ("image_residual", narrow, True, False),
        ("residual_sum_1", wide, False, True),  # what the image residual is made of
        ("residual_sum_1", wide, True, False),
        ("residual_conv_1", wide, False, False),
        ("head_input", narrow, True, True),
    ):
        assert (pins(NETWORK, observed, pictures)(name, value) is value) == kept
    levels = tf.reshape(tf.range(256.0) / 255, [1, 16, 16, 1])
    np.testing.assert_allclose(pins(NETWORK, observed, True)("image", levels), levels, atol=1e-6)
    gain = tf.ones([1, 5, 1, 1])
    np.testing.assert_allclose(pins(NETWORK, observed, True)("gain_of_rows", gain), gain, atol=1e-6)
