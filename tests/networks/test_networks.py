import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from rts_tf import networks
from rts_tf.config import NETWORKS
from rts_tf.networks import srcnn, vdsr
from rts_tf.networks.layers import BicubicPhases, MatrixGradientConv2D, PixelShuffle, keys_cubic

# Trainable parameters; multiplications for each LR pixel; receptive radius in LR pixels.
FIGURES = {
    "residual1": (40_787, 40_644, 4),  # paper, Table 3: 41K, 114K, 225K
    "residual3": (114_643, 114_372, 6),
    "residual6": (225_427, 224_964, 9),
    "residual3-wide": (119_836, 119_556, 5),
    "srcnn": (69_251, 4 * 69_152, 5),  # its four times as many pixels
    "vdsr": (668_227, 4 * 667_008, 11),
    "srresnet": (1_402_883, 1_441_728, 40),
    "edsr": (1_369_859, 1_372_608, 36),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_figures(name):
    network = networks.build(name)
    found = (
        networks.parameters(network),
        networks.macs_per_pixel(network),
        networks.receptive_radius(network),
    )
    assert found == FIGURES[name]


def test_luma_counts_are_those_of_table_3():
    """The paper's 57K and 666K."""
    assert (srcnn.build(channels=1).count_params(), vdsr.build(channels=1).count_params()) == (
        57_281,
        665_921,
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_starts_as_interpolation_borders_included(name, photograph):
    picture = photograph[:40, :53].astype(np.float32) / 255
    output = networks.build(name, seed=3)(picture[None]).numpy()[0]
    assert output.shape == (80, 106, 3)
    taps = np.array([keys_cubic(0.75), keys_cubic(0.25), keys_cubic(1.25)])
    taps /= taps.sum()
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = np.stack(
        [sum(t[k] * padded[k : k + 40] for k in range(3)) for t in (taps, taps[::-1])], 1
    ).reshape(80, 55, 3)
    reference = np.stack(
        [sum(t[k] * rows[:, k : k + 53] for k in range(3)) for t in (taps, taps[::-1])], 2
    )
    np.testing.assert_allclose(output, reference.reshape(80, 106, 3), atol=1e-5)
    bicubic = tf.image.resize(picture, (80, 106), method="bicubic").numpy()
    assert np.abs(output - bicubic).mean() < 0.003  # the dropped tap is -0.023


def test_random_start_leaves_nothing_of_the_identity():
    """Every kernel has Glorot's variance, 2 / (fan in + fan out), is drawn from the seed, and biases are as they were."""
    network = networks.build("residual1")
    start, again, other = (networks.glorot_start(network, seed) for seed in (1, 1, 2))
    for weights, own, same, different in zip(
        start, network.get_weights(), again, other, strict=True
    ):
        np.testing.assert_array_equal(weights, same)
        if weights.ndim == 4:
            variance = 2 / (9 * (weights.shape[2] + weights.shape[3]))
            assert (
                np.square(weights).mean() == pytest.approx(variance, rel=0.2)
                and (weights != different).all()
            )
        else:
            np.testing.assert_array_equal(weights, own)


def test_start_keeps_a_constant_picture():
    np.testing.assert_allclose(
        networks.build("residual1")(np.full((1, 7, 9, 3), 0.7, np.float32)), 0.7, atol=1e-6
    )


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_any_size(height, width):
    network = networks.build("residual1")
    assert network(np.zeros((2, height, width, 3), np.float32)).shape == (
        2,
        2 * height,
        2 * width,
        3,
    )
    assert network.output_shape == (None, None, None, 3)


def test_same_seed_same_start():
    one, same, other = (networks.build("residual1", seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_receptive_radius(name):
    """A pixel changes the output up to the radius, and no further.

    All kernels are positive and the picture is black, so that what a pixel adds cannot vanish: neither in rounding nor, for
    one of its two signs, in a ReLU behind an interpolation with negative taps.
    """
    network = networks.build(name)
    network.set_weights(
        [np.full_like(w, 1 / 3 / w.shape[2]) if w.ndim == 4 else w for w in network.get_weights()]
    )
    radius = networks.receptive_radius(network)
    middle = radius + 2
    picture = np.zeros((1, 2 * middle + 1, 2 * middle + 1, 3), np.float32)
    black, touched = network(picture), 0
    for value in (1, -1):
        picture[0, middle, middle] = value
        touched += np.abs(network(picture) - black).max(axis=(0, 3))
    for axis in (0, 1):
        reached = np.nonzero(touched.max(axis=axis) > 0)[0] // 2
        assert (reached.min(), reached.max()) == (middle - radius, middle + radius)


@pytest.mark.parametrize(
    "make, reason",
    [
        (lambda x: layers.Conv2D(3, 3, strides=2)(x), "has strides"),
        (lambda x: layers.UpSampling2D()(x), "receptive_radius"),
        (lambda x: layers.Conv2DTranspose(3, 4, strides=2)(x), "receptive_radius"),
        (lambda x: x + x, "layers.Add|receptive_radius"),
        (
            lambda x: layers.Add()(
                [PixelShuffle(2)(layers.Conv2D(4, 3)(x)), layers.Conv2D(1, 3)(x)]
            ),
            "different sizes",
        ),
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


def test_dilation_and_even_kernels_reach_further():
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(3, 3, dilation_rate=2, padding="same")(image)
    x = layers.DepthwiseConv2D(4, padding="same")(x)
    network = keras.Model(image, x)
    assert networks.receptive_radius(network) == 4 and networks.macs_per_pixel(network) == 81 + 48


@pytest.mark.parametrize("name", ["residual3-wide", "srcnn", "srresnet"])
def test_bfloat16_keeps_the_sum_of_images_float32(name, photograph):
    picture = photograph[None, :16, :16].astype(np.float32) / 255
    mixed = networks.build(name, precision="mixed_bfloat16")
    assert "bfloat16" in {layer.compute_dtype for layer in mixed.layers}
    assert {np.asarray(w).dtype for w in mixed.get_weights()} == {np.dtype("float32")}
    np.testing.assert_allclose(
        mixed(picture), networks.build(name)(picture), atol=1e-6
    )  # what is added starts at zero


def test_bfloat16_keeps_the_head_float32(photograph):
    """The convolutions are in bfloat16; picture, blue sum, head and output are not."""
    exact, mixed = (
        networks.build("residual1"),
        networks.build("residual1", precision="mixed_bfloat16"),
    )
    assert mixed.get_layer("residual_conv_1").compute_dtype == "bfloat16"
    assert {
        mixed.get_layer(n).compute_dtype for n in ("enhanced_image", "head", "pixel_shuffle")
    } == {"float32"}
    assert {np.asarray(w).dtype for w in mixed.get_weights()} == {np.dtype("float32")}
    picture = photograph[None, :16, :16].astype(np.float32) / 255
    output = mixed(picture)
    assert output.dtype == tf.float32
    np.testing.assert_allclose(output, exact(picture), atol=1e-6)  # the residual starts at zero


def test_saved_network_is_the_same(tmp_path, photograph):
    network = networks.build("residual1", seed=5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    picture = photograph[None, :20, :20].astype(np.float32) / 255
    np.testing.assert_array_equal(loaded(picture), network(picture))


def test_pixel_shuffle_shape_and_config():
    layer = PixelShuffle(2)
    assert tuple(layer.compute_output_shape((None, None, 5, 12))) == (None, None, 10, 3)
    assert PixelShuffle.from_config(layer.get_config()).scale == 2


def test_bicubic_phases_refuse_another_shape():
    with pytest.raises(ValueError, match="3, 3, C, 4C"):
        BicubicPhases()((5, 5, 3, 12))


def test_matrix_gradient_is_for_3x3_alone():
    """Other convolutions are the ordinary ones: same output, a gradient, no error."""
    x = tf.constant(np.random.default_rng(0).normal(size=(1, 9, 9, 4)), tf.float32)
    for settings_ in (
        {"kernel_size": 5},
        {"kernel_size": 3, "strides": 2},
        {"kernel_size": 3, "dilation_rate": 2},
    ):
        gradients = []
        for kind in (layers.Conv2D, MatrixGradientConv2D):
            layer = kind(
                2,
                padding="same",
                kernel_initializer=keras.initializers.HeNormal(seed=1),
                **settings_,
            )
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(x) ** 2)
            gradients.append(tape.gradient(loss, layer.trainable_variables))
        for ours, reference in zip(*gradients, strict=True):
            np.testing.assert_allclose(ours, reference, rtol=1e-4)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("channels", [(3, 8), (8, 8), (8, 3), (3, 12)])
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (3, 16)])
def test_matrix_gradient_is_that_of_the_convolution(padding, channels, size):
    if padding == "valid":
        size = size[0] + 2, size[1] + 2
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, *size, channels[0])), tf.float32)
    gradients = []
    for kind in (keras.layers.Conv2D, MatrixGradientConv2D):
        layer = kind(
            channels[1],
            3,
            padding=padding,
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=1),
        )
        layer.build(x.shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = layer(x)
            loss = tf.reduce_sum(
                output * tf.constant(np.random.default_rng(1).normal(size=output.shape), tf.float32)
            )
        gradients.append([output, *tape.gradient(loss, [x, *layer.trainable_variables])])
    for ours, reference in zip(*reversed(gradients), strict=True):
        np.testing.assert_allclose(
            ours, reference, atol=2e-5 * max(1, float(np.abs(reference).max()))
        )
