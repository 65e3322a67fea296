"""The heads step by step: the same as the network, and every tensor can be seen or replaced."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rts_tf import networks
from rts_tf.export import HEADS
from rts_tf.export.heads import body_layers, head_function, kernels_of, traced_head
from rts_tf.images.resample import halve
from tests.support.networks import NETWORKS, random_network

NETWORK = NETWORKS["residual3"]


def random_image(height, width, seed=0):
    return tf.constant(np.random.default_rng(seed).random((1, height, width, 3)), tf.float32)


def test_fused_head_is_d_of_the_enlarged_image_for_200_sizes():
    random = np.random.default_rng(4)
    enhance = tf.function(head_function(NETWORK, "enhance"), [tf.TensorSpec([1, None, None, 3])])
    enlarge = tf.function(head_function(NETWORK, "upscale"), [tf.TensorSpec([1, None, None, 3])])
    for seed, (height, width) in enumerate(random.integers(1, 70, (200, 2))):
        x = random_image(height, width, seed)
        np.testing.assert_allclose(enhance(x), halve(enlarge(x)), atol=2e-6)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(HEADS),
    st.booleans(),
    st.booleans(),
    st.integers(2, 40),
    st.integers(2, 40),
    st.integers(0, 99),
)
def test_step_by_step_is_the_same(head, segmented, blocked, height, width, seed):
    x = random_image(height, width, seed)
    steps = traced_head(
        NETWORK, head, x, kernels_of(NETWORK, segmented), segmented=segmented, blocked=blocked
    )
    np.testing.assert_allclose(steps, head_function(NETWORK, head)(x), atol=3e-6)


@pytest.mark.parametrize("size", [(2, 3), (17, 24)])
def test_transposed_convolution_is_the_pixel_shuffle(size):
    network = random_network("residual1")
    kernel, bias = network.layers[-2].get_weights()
    network.layers[-2].set_weights(
        [kernel, np.tile(bias[:3], 4)]
    )  # it has one bias for each colour
    steps = traced_head(
        network, "upscale", random_image(*size), kernels_of(network), transposed=True
    )
    whole = head_function(network, "upscale")
    np.testing.assert_allclose(steps, whole(random_image(*size)), atol=2e-6)


def test_every_tensor_is_visited_and_may_be_replaced():
    seen = []

    def visit(name, value):
        seen.append(name)
        return tf.zeros_like(value) if name == "output" else value

    assert (
        not traced_head(NETWORK, "enhance", random_image(9, 9), kernels_of(NETWORK), visit)
        .numpy()
        .any()
    )
    wide = [f"{kind}_{i}" for i in (1, 2, 3) for kind in ("residual_conv", "residual_sum")]
    image_steps = [
        "image_residual",
        "enhanced_image",
        "head_input",
        "phases",
        "columns",
        "gain_of_columns",
    ]
    assert seen == [
        "image",
        "input_conv",
        *wide,
        *image_steps,
        "normed_columns",
        "lines",
        "gain_of_rows",
        "output",
    ]


def test_segments_hold_a_residual_of_up_to_two():
    network, random = networks.build("residual1", 1), np.random.default_rng(0)
    network.get_layer("image_residual").set_weights(
        [random.normal(0, 0.02, (3, 3, 64, 3)), np.array([-0.5, 0.0, 0.5])]
    )
    seen = {}

    def keep(name, value):
        seen[name] = value
        return value

    for segmented in (False, True):
        kernels, x = kernels_of(network, segmented), random_image(20, 30)
        made = traced_head(network, "upscale", x, kernels, keep, segmented=segmented)
    residual, segments = seen["image_residual"], seen["segments"]
    assert (
        1 < np.abs(residual).max() < 2
        and segments.numpy().min() == 0
        and segments.numpy().max() == 1
    )
    whole = head_function(network, "upscale")
    np.testing.assert_allclose(made, whole(random_image(20, 30)), atol=3e-6)


def test_body_layers_name_what_they_read():
    read = {
        "input_conv": "image",
        "residual_conv_1": "input_conv",
        "image_residual": "residual_sum_1",
    }
    assert body_layers(networks.build("residual1")) == read


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="PixelShuffle"):
        kernels_of(
            keras.Sequential(
                [keras.Input((8, 8, 3)), keras.layers.Conv2D(3, 3), keras.layers.ReLU()]
            )
        )
