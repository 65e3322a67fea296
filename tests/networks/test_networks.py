"""The networks: parameters, MACs, receptive fields, their start, precisions, and gradients."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from rts_tf import networks
from rts_tf.config import NETWORKS
from rts_tf.images.kernels import keys_cubic
from rts_tf.networks import srcnn, vdsr
from rts_tf.networks.layers import BicubicPhases, MatrixGradientConv2D, PixelShuffle
from tests.support.paths import ROOT
from tests.support.precisions import needs_bfloat16

# Trainable parameters, MACs for each LR pixel, receptive radius in LR pixels
SIZES = {
    "residual1": (40_787, 40_644, 4),  # paper, Table 3: 41K, 114K, 225K
    "residual3": (114_643, 114_372, 6),
    "residual6": (225_427, 224_964, 9),
    "residual3-wide": (119_836, 119_556, 5),
    "srcnn": (69_251, 4 * 69_152, 5),  # on four times as many pixels
    "vdsr": (668_227, 4 * 667_008, 11),
    "srresnet": (1_402_883, 1_441_728, 40),
    "edsr": (1_369_859, 1_372_608, 36),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_macs_and_receptive_radius(name):
    network = networks.build(name)
    parameters, macs = networks.parameters(network), networks.macs_per_pixel(network)
    assert (parameters, macs, networks.receptive_radius(network)) == SIZES[name]


def test_the_documentation_has_the_same_figures():
    page = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)`.*? \| ([\d,]+) \| ([\d,]+) \| (\d+) \|", page, re.MULTILINE)
    found = {name: tuple(int(n.replace(",", "")) for n in figures) for name, *figures in rows}
    assert found == SIZES


def test_luma_counts_are_those_of_table_3():
    """The paper's 57K and 666K."""
    assert srcnn.build(channels=1).count_params() == 57_281
    assert vdsr.build(channels=1).count_params() == 665_921


def interpolated(image: np.ndarray) -> np.ndarray:
    """[H, W, 3] enlarged by Keys' cubic without its smallest tap, in NumPy."""
    taps = np.array([keys_cubic(0.75), keys_cubic(0.25), keys_cubic(1.25)])
    taps /= taps.sum()
    for axis in range(2):
        size = image.shape[axis]
        padding = [(1, 1) if i == axis else (0, 0) for i in range(3)]
        padded = np.moveaxis(np.pad(image, padding, mode="edge"), axis, 0)
        phases = [sum(t[k] * padded[k : k + size] for k in range(3)) for t in (taps, taps[::-1])]
        doubled = np.stack(phases, axis=1).reshape(2 * size, *padded.shape[1:])
        image = np.moveaxis(doubled, 0, axis)
    return image


@pytest.mark.parametrize("name", NETWORKS)
def test_starts_as_interpolation_borders_included(name, photograph):
    image = photograph[:40, :53].astype(np.float32) / 255
    output = networks.build(name, seed=3)(image[None]).numpy()[0]
    assert output.shape == (80, 106, 3)
    np.testing.assert_allclose(output, interpolated(image), atol=1e-5)
    bicubic = tf.image.resize(image, (80, 106), method="bicubic").numpy()
    assert np.abs(output - bicubic).mean() < 0.003  # the dropped tap is -0.023


def test_random_start_leaves_nothing_of_the_identity():
    """Kernels have Glorot's variance, 2 / (fan in + fan out); biases are as they were."""
    network = networks.build("residual1")
    own = network.get_weights()
    start, again, other = (networks.glorot_start(network, seed) for seed in (1, 1, 2))
    for weights, before, same, different in zip(start, own, again, other, strict=True):
        np.testing.assert_array_equal(weights, same)
        if weights.ndim != 4:
            np.testing.assert_array_equal(weights, before)
            continue
        variance = 2 / (9 * (weights.shape[2] + weights.shape[3]))
        assert np.square(weights).mean() == pytest.approx(variance, rel=0.2)
        assert (weights != different).all()


def test_start_keeps_a_constant_image():
    constant = np.full((1, 7, 9, 3), 0.7, np.float32)
    np.testing.assert_allclose(networks.build("residual1")(constant), 0.7, atol=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_any_size(height, width):
    network = networks.build("residual1")
    images = np.zeros((2, height, width, 3), np.float32)
    assert network(images).shape == (2, 2 * height, 2 * width, 3)
    assert network.output_shape == (None, None, None, 3)


def test_same_seed_same_start():
    one, same, other = (networks.build("residual1", seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_receptive_radius(name):
    """A pixel changes the output up to the radius, and no further.

    All kernels are positive and the image is black, so the change cannot vanish: neither in
    rounding, nor (for one of its two signs) in a ReLU behind an interpolation with negative taps.
    """
    network = networks.build(name)
    weights = network.get_weights()
    network.set_weights(
        [np.full_like(w, 1 / 3 / w.shape[2]) if w.ndim == 4 else w for w in weights]
    )
    radius = networks.receptive_radius(network)
    middle = radius + 2
    image = np.zeros((1, 2 * middle + 1, 2 * middle + 1, 3), np.float32)
    black, touched = network(image), 0
    for value in (1, -1):
        image[0, middle, middle] = value
        touched += np.abs(network(image) - black).max(axis=(0, 3))
    for axis in (0, 1):
        reached = np.nonzero(touched.max(axis=axis) > 0)[0] // 2
        assert (reached.min(), reached.max()) == (middle - radius, middle + radius)


def two_sizes(x):
    """A sum of tensors of different sizes."""
    return layers.Add()([PixelShuffle(2)(layers.Conv2D(4, 3)(x)), layers.Conv2D(1, 3)(x)])


@pytest.mark.parametrize(
    "make, reason",
    [
        (lambda x: layers.Conv2D(3, 3, strides=2)(x), "has strides"),
        (lambda x: layers.UpSampling2D()(x), "receptive_radius"),
        (lambda x: layers.Conv2DTranspose(3, 4, strides=2)(x), "receptive_radius"),
        (lambda x: x + x, "layers.Add|receptive_radius"),
        (two_sizes, "different sizes"),
    ],
)
def test_what_cannot_be_tiled_exactly_is_refused(make, reason):
    image = keras.Input((None, None, 3))
    try:
        network = keras.Model(image, make(image))
    except ValueError:
        pytest.skip("this Keras refuses it itself")
    with pytest.raises(ValueError, match=reason):
        networks.receptive_radius(network)


def test_a_layer_used_twice_is_refused():
    image, layer = keras.Input((None, None, 3)), layers.Conv2D(3, 3, padding="same")
    with pytest.raises(ValueError, match="used twice|used more than once"):
        networks.receptive_radius(keras.Model(image, layer(layer(image))))


def test_dilation_and_even_kernels_have_a_larger_radius():
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(3, 3, dilation_rate=2, padding="same")(image)
    x = layers.DepthwiseConv2D(4, padding="same")(x)
    network = keras.Model(image, x)
    assert networks.receptive_radius(network) == 4 and networks.macs_per_pixel(network) == 81 + 48


@needs_bfloat16
@pytest.mark.parametrize("name", ["residual3-wide", "srcnn", "srresnet"])
def test_bfloat16_keeps_the_sum_of_images_float32(name, photograph):
    image = photograph[None, :16, :16].astype(np.float32) / 255
    exact, mixed = networks.build(name), networks.build(name, precision="mixed_bfloat16")
    assert "bfloat16" in {layer.compute_dtype for layer in mixed.layers}
    assert {np.asarray(w).dtype for w in mixed.get_weights()} == {np.dtype("float32")}
    # Both are plain interpolation: what is added to it starts at zero.
    np.testing.assert_allclose(mixed(image), exact(image), atol=1e-6)


@needs_bfloat16
def test_bfloat16_keeps_the_head_float32(photograph):
    """The convolutions are in bfloat16. The enhanced image, the head and the output are not."""
    exact = networks.build("residual1")
    mixed = networks.build("residual1", precision="mixed_bfloat16")
    assert mixed.get_layer("residual_conv_1").compute_dtype == "bfloat16"
    for name in ("enhanced_image", "head", "pixel_shuffle"):
        assert mixed.get_layer(name).compute_dtype == "float32"
    assert {np.asarray(w).dtype for w in mixed.get_weights()} == {np.dtype("float32")}
    image = photograph[None, :16, :16].astype(np.float32) / 255
    output = mixed(image)
    assert output.dtype == tf.float32
    np.testing.assert_allclose(output, exact(image), atol=1e-6)  # the residual starts at zero


def test_saved_network_is_the_same(tmp_path, photograph):
    network = networks.build("residual1", seed=5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    image = photograph[None, :20, :20].astype(np.float32) / 255
    np.testing.assert_array_equal(loaded(image), network(image))


def test_pixel_shuffle_shape_and_config():
    layer = PixelShuffle(2)
    assert tuple(layer.compute_output_shape((None, None, 5, 12))) == (None, None, 10, 3)
    assert PixelShuffle.from_config(layer.get_config()).scale == 2


def test_bicubic_phases_refuse_another_shape():
    with pytest.raises(ValueError, match="3, 3, C, 4C"):
        BicubicPhases()((5, 5, 3, 12))


def gradients_of(kind: type, channels: int, x: tf.Tensor, **options) -> list[tf.Tensor]:
    """The output of a convolution, and the gradients of a loss by its input and its weights."""
    start = keras.initializers.HeNormal(seed=1)
    layer = kind(channels, kernel_initializer=start, **options)
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x)
        weights = np.random.default_rng(1).normal(size=output.shape)
        loss = tf.reduce_sum(output * tf.constant(weights, tf.float32))
    return [output, *tape.gradient(loss, [x, *layer.trainable_variables])]


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 5},
        {"kernel_size": 3, "strides": 2},
        {"kernel_size": 3, "dilation_rate": 2},
    ],
)
def test_matrix_gradient_leaves_other_convolutions_alone(options):
    x = tf.constant(np.random.default_rng(0).normal(size=(1, 9, 9, 4)), tf.float32)
    expected = gradients_of(layers.Conv2D, 2, x, padding="same", **options)
    found = gradients_of(MatrixGradientConv2D, 2, x, padding="same", **options)
    for array, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, reference, rtol=1e-4)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("channels", [(3, 8), (8, 8), (8, 3), (3, 12)])
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (3, 16)])
def test_matrix_gradient_is_that_of_the_convolution(padding, channels, size):
    if padding == "valid":
        size = size[0] + 2, size[1] + 2
    inputs, outputs = channels
    x = tf.constant(np.random.default_rng(0).normal(size=(2, *size, inputs)), tf.float32)
    options = {"kernel_size": 3, "padding": padding, "activation": "relu"}
    expected = gradients_of(layers.Conv2D, outputs, x, **options)
    found = gradients_of(MatrixGradientConv2D, outputs, x, **options)
    for array, reference in zip(found, expected, strict=True):
        tolerance = 2e-5 * max(1, float(np.abs(reference).max()))
        np.testing.assert_allclose(array, reference, atol=tolerance)
