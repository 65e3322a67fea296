"""Borders of images: they are repeated in front of the network, so no zero reaches the result."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rts_tf import networks
from rts_tf.inference import Enhancer
from rts_tf.networks.borders import repeat_border, with_repeated_border, without_border
from tests.support.networks import NETWORKS

SIZES = st.integers(1, 24)


@settings(max_examples=50, deadline=None)
@given(SIZES, SIZES, st.integers(0, 30))
def test_repeating_is_that_of_numpy_and_is_undone(height, width, pixels):
    images = np.arange(2 * height * width * 3, dtype=np.float32).reshape(2, height, width, 3)
    repeated = repeat_border(tf.constant(images), pixels)
    sides = ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0))
    np.testing.assert_array_equal(repeated, np.pad(images, sides, mode="edge"))
    np.testing.assert_array_equal(without_border(repeated, pixels), images)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["residual1", "residual3"]), SIZES, SIZES, st.floats(0, 1))
def test_what_is_constant_stays_constant(name, height, width, value):
    """Every 2x2 pixels of the doubled image are those of any other place, to rounding."""
    model = Enhancer(NETWORKS[name])
    colour = np.float32([value, 1 - value, value / 2])
    inside = model.upscale(np.broadcast_to(colour, (40, 40, 3)))[40:42, 40:42]
    expected = np.tile(inside, (height, width, 1))
    result = model.upscale(np.broadcast_to(colour, (height, width, 3)))
    np.testing.assert_allclose(result, expected, atol=2e-5)


def test_the_border_is_that_of_a_larger_image_with_that_border(photograph):
    """What is beyond the border does not matter, once it is the border itself."""
    network = NETWORKS["residual1"]
    radius = networks.receptive_radius(network)
    image = tf.constant(photograph[None, :20, :30] / np.float32(255))
    function = with_repeated_border(network)
    larger = function(repeat_border(image, 7))[:, 14:-14, 14:-14]
    np.testing.assert_allclose(function(image), larger, atol=1e-6)
    with_zeros = network(image)
    inner = slice(2 * radius, -2 * radius)
    np.testing.assert_allclose(
        function(image)[:, inner, inner], with_zeros[:, inner, inner], atol=1e-6
    )
    assert np.abs(function(image) - with_zeros).max() > 0.005


@pytest.mark.parametrize("pixels", [0, 3])
def test_the_radius_may_be_larger_than_needed(photograph, pixels):
    network = NETWORKS["residual1"]
    image = tf.constant(photograph[None, :9, :13] / np.float32(255))
    more = with_repeated_border(network, networks.receptive_radius(network) + pixels)
    np.testing.assert_allclose(more(image), with_repeated_border(network)(image), atol=1e-6)
