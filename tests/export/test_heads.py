"""The heads step by step: the same as the network, and every tensor can be seen or replaced."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st

from rts_tf import networks
from rts_tf.errors import ConfigError
from rts_tf.export import HEADS
from rts_tf.export.body import body_of, image_sources, sources_of_convolutions
from rts_tf.export.heads import check_network, head_function
from rts_tf.export.tflite import Converter
from rts_tf.export.traced import kernels_of, traced_head
from rts_tf.images.resample import halve
from rts_tf.networks.layers import PixelShuffle
from tests.support.networks import NETWORKS, random_network

NETWORK = NETWORKS["residual3"]
BODY = body_of(NETWORK)


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
        BODY, head, x, kernels_of(BODY, segmented), segmented=segmented, blocked=blocked
    )
    np.testing.assert_allclose(steps, head_function(NETWORK, head)(x), atol=3e-6)


@pytest.mark.parametrize("size", [(2, 3), (17, 24)])
def test_transposed_convolution_is_the_pixel_shuffle(size):
    network = random_network("residual1")
    kernel, bias = network.layers[-2].get_weights()
    network.layers[-2].set_weights(
        [kernel, np.tile(bias[:3], 4)]
    )  # it has one bias for each colour
    body = body_of(network)
    steps = traced_head(body, "upscale", random_image(*size), kernels_of(body), transposed=True)
    whole = head_function(network, "upscale")
    np.testing.assert_allclose(steps, whole(random_image(*size)), atol=2e-6)


def test_every_tensor_is_visited_and_may_be_replaced():
    seen = []

    def visit(name, value):
        seen.append(name)
        return tf.zeros_like(value) if name == "output" else value

    assert (
        not traced_head(BODY, "enhance", random_image(9, 9), kernels_of(BODY), visit).numpy().any()
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

    body = body_of(network)
    for segmented in (False, True):
        kernels, x = kernels_of(body, segmented), random_image(20, 30)
        made = traced_head(body, "upscale", x, kernels, keep, segmented=segmented)
    residual, segments = seen["image_residual"], seen["segments"]
    assert (
        1 < np.abs(residual).max() < 2
        and segments.numpy().min() == 0
        and segments.numpy().max() == 1
    )
    whole = head_function(network, "upscale")
    np.testing.assert_allclose(made, whole(random_image(20, 30)), atol=3e-6)


def test_convolutions_and_what_they_read():
    body = body_of(networks.build("residual1"))
    read = {
        "input_conv": "image",
        "residual_conv_1": "input_conv",
        "image_residual": "residual_sum_1",
    }
    assert sources_of_convolutions(body) == read
    assert image_sources(body) == {"residual_sum_1", "enhanced_image"}
    assert [each.name for each in body.image_residual] == ["image_residual", "enhanced_image"]


def with_prelu(image, x):
    return keras.layers.PReLU(shared_axes=[1, 2], name="it")(x)


def own_network(make, **last):
    """A network of one's own that ends as a body has to."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 5, padding="same", name="first")(image)
    x = keras.layers.Conv2D(12, 3, padding="same", name="last", **last)(make(image, x))
    network, random = keras.Model(image, PixelShuffle(2)(x)), np.random.default_rng(2)
    network.set_weights([np.abs(random.normal(0, 0.02, w.shape)) for w in network.get_weights()])
    return network


def added_to_the_image(image, x):
    return keras.layers.Add()([image, keras.layers.Conv2D(3, 3, padding="same")(x)])


def added_in_the_middle(image, x):
    return keras.layers.Conv2D(8, 3, padding="same")(added_to_the_image(image, x))


@pytest.mark.parametrize(
    ("make", "has_residual"),
    [
        (lambda image, x: keras.layers.ReLU()(keras.layers.BatchNormalization()(x)), False),
        (lambda image, x: keras.layers.Concatenate()([image, x]), False),
        (lambda image, x: image, False),
        (added_to_the_image, True),
        (added_in_the_middle, False),
    ],
)
def test_networks_of_ones_own(make, has_residual):
    """Their last convolution pads with zeros, which nothing inside the image sees."""
    network, x = own_network(make), random_image(11, 8)
    body = body_of(network)
    assert bool(body.image_residual) == has_residual
    for head in HEADS:
        expected = head_function(network, head)(x)
        for segmented in (False, True):
            kernels = kernels_of(body, segmented)
            made = traced_head(body, head, x, kernels, segmented=segmented)
            np.testing.assert_allclose(made, expected, atol=1e-5)


def test_the_transposed_convolution_of_a_network_whose_last_one_pads_with_zeros():
    network = own_network(added_to_the_image, use_bias=False)
    body, x = body_of(network), random_image(11, 8)
    made = traced_head(body, "upscale", x, kernels_of(body), transposed=True)
    np.testing.assert_allclose(made, head_function(network, "upscale")(x), atol=1e-5)


@pytest.mark.parametrize(
    ("make", "last", "text"),
    [
        (with_prelu, {}, r"layer it \(PReLU\) cannot be written"),
        (lambda image, x: x, {"activation": "relu"}, r"does not end with a 3x3 convolution"),
    ],
)
def test_other_networks_are_refused(make, last, text):
    with pytest.raises(ConfigError, match=text):
        body_of(own_network(make, **last))


def test_a_network_that_ends_otherwise_is_refused():
    image = keras.Input((None, None, 3))
    with pytest.raises(ConfigError, match="does not end with a 3x3 convolution and PixelShuffle"):
        body_of(random_network("edsr"))
    output = PixelShuffle(2)(keras.layers.Concatenate()([image] * 4))
    with pytest.raises(ConfigError, match="does not end with a 3x3 convolution and PixelShuffle"):
        body_of(keras.Model(image, output, name="copies"))


def test_a_network_without_passes_has_files_in_floating_point_only():
    network = own_network(with_prelu)
    check_network(network, ["tflite"], ["float32", "dynamic"])
    with pytest.raises(ConfigError) as error:
        check_network(network, ["tflite"], ["float32", "int8"])
    for text in ("`precisions`=int8", "layer it (PReLU)", "`precisions`=float32,dynamic,float16"):
        assert text in str(error.value)
    data = Converter(network, []).convert("upscale", "float32", 8, 6)
    runner = Interpreter(model_content=data).get_signature_runner("upscale")
    x = random_image(8, 6)
    expected = head_function(network, "upscale")(x)
    np.testing.assert_allclose(runner(image=x.numpy())["upscaled"], expected, atol=1e-5)
