"""Networks as passes compute what the networks compute."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from rts_tf.errors import ConfigError
from rts_tf.export import HEADS, passes
from rts_tf.export.heads import head_function
from rts_tf.export.heads import macs_per_pixel as macs_of_head
from rts_tf.export.heads import receptive_radius as radius_of_head
from rts_tf.export.program import program_of
from rts_tf.export.tensorflow_passes import computed
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.networks.layers import BicubicUpscaling, EdgePadding, PixelShuffle
from rts_tf.networks.luma import build_luma
from tests.support.networks import NETWORKS, random_network

LEVEL = 1 / 255


def images(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


def close(network, head, image, levels=0.003):
    """Whether the passes of a head compute what the head does."""
    output = computed(program_of(network, head), image)
    expected = head_function(network, head)(image)
    return output.shape == expected.shape and np.abs(output - expected).max() < levels * LEVEL


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", ["residual1", "residual3-wide", "srcnn", "vdsr", "edsr"])
def test_the_networks_that_double_the_size(name, head):
    network = NETWORKS.get(name) or random_network(name)
    assert close(network, head, images(1, 9, 14, 3))
    program = program_of(network, head)
    assert program.receptive_radius == radius_of_head(network, head)
    assert program.macs == macs_of_head(network, head)
    assert program.passes[-1].name == passes.OUTPUT


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(HEADS))
@settings(max_examples=12, deadline=None)
def test_any_size(height, width, head):
    assert close(NETWORKS["residual1"], head, images(2, height, width, 3))


@pytest.mark.parametrize(
    ("name", "height", "width"),
    [("luma1-4", 9, 7), ("luma2-8-8", 1, 1), ("luma2-8-8", 16, 12), ("luma4-16", 13, 22)],
)
def test_networks_for_luma(name, height, width):
    network, random = build_luma(name), np.random.default_rng(0)
    network.set_weights([w + random.normal(0, 0.1, w.shape) for w in network.get_weights()])
    luma = images(height, width)
    output = computed(program_of(network), luma[None, ..., None])[0, ..., 0]
    expected = LumaEnhancer(network).enhance_luma(luma)
    assert np.abs(output - expected).max() < 0.003 * LEVEL
    program = program_of(network)
    assert (program.channels, program.scale) == (1, 1)
    assert program.multiple == int(name[4]) and program.receptive_radius >= program.multiple


def of_ones_own(middle):
    """A network with ``middle``, a function of a tensor, in it."""
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 5, padding="same", use_bias=False, name="first")(image)
    x = layers.Conv2D(12, 3, padding="same", name="last")(middle(x))
    output = layers.Add()([BicubicUpscaling()(image), PixelShuffle(2)(x)])
    return keras.Model(image, output)


@pytest.mark.parametrize(
    "middle",
    [
        layers.ReLU(),
        layers.Activation("relu"),
        layers.BatchNormalization(),
        lambda x: layers.ReLU()(layers.BatchNormalization(scale=False)(x)),
        lambda x: layers.Concatenate()([x, layers.Conv2D(3, 3, padding="same")(x)]),
        lambda x: layers.Dropout(0.5)(layers.ReLU()(layers.Add()([x, x]))),
        lambda x: layers.Conv2D(8, 3)(EdgePadding()(x)),
    ],
)
def test_a_network_of_ones_own(middle):
    network, random = of_ones_own(middle), np.random.default_rng(0)
    network.set_weights([np.abs(random.normal(0, 0.05, w.shape)) for w in network.get_weights()])
    for head in HEADS:
        assert close(network, head, images(1, 8, 6, 3), levels=0.05)


def two_readers(x):
    return layers.Add()([x, layers.ReLU(name="it")(x)])


@pytest.mark.parametrize(
    ("middle", "text"),
    [
        (layers.PReLU(name="it", shared_axes=[1, 2]), "layer it (PReLU) cannot be written"),
        (layers.ReLU(max_value=1, name="it"), "layer it (ReLU) cannot"),
        (layers.Activation("tanh", name="it"), "layer it (Activation) cannot"),
        (layers.DepthwiseConv2D(3, padding="same", name="it"), "it (DepthwiseConv2D) cannot"),
        (layers.Conv2D(8, 2, padding="same", name="it"), "layer it (Conv2D) cannot"),
        (layers.Conv2D(8, 3, padding="same", groups=2, name="it"), "layer it (Conv2D) cannot"),
        (layers.Conv2D(8, 3, padding="same", dilation_rate=2, name="it"), "it (Conv2D) cannot"),
        (layers.Conv2D(8, 3, padding="same", activation="elu", name="it"), "it (Conv2D) cannot"),
        (two_readers, "layer it (ReLU) cannot"),
    ],
)
def test_what_has_no_pass_is_refused_by_name(middle, text):
    with pytest.raises(ConfigError) as error:
        program_of(of_ones_own(middle))
    assert text in str(error.value)


def test_a_pixel_shuffle_that_is_packed_again_is_left_out():
    kinds = [type(each).__name__ for each in program_of(NETWORKS["residual1"]).passes]
    assert kinds == (
        ["Border", "Convolution", "Convolution", "Sum", "Convolution", "Sum", "Convolution"]
        + ["Cut", "Halve"]
    )
