"""Networks for luma: their names, their start, and lifting, which is exact."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rts_tf import networks
from rts_tf.errors import ConfigError
from rts_tf.networks.geometry import geometry_of
from rts_tf.networks.lifting import LiftedConv2D, build_lifted, freed, start_from_filter
from rts_tf.networks.luma import LumaShape, build_luma, is_luma, shape_of


def with_random_weights(network: keras.Model, seed: int = 0) -> keras.Model:
    random = np.random.default_rng(seed)
    weights = (random.normal(0, 0.3, array.shape) for array in network.get_weights())
    network.set_weights(list(weights))
    return network


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((1, *shape, 1), np.float32)


def test_the_name_says_the_sizes():
    shape = shape_of("luma4-32-16")
    assert shape == LumaShape(4, (32, 16)) and shape.name == "luma4-32-16" and shape.margin == 12
    assert build_luma("luma4-32-16").name == "luma4_32_16" and shape_of("luma4_32_16") == shape
    assert is_luma("luma2-8") and not is_luma("residual3") and not is_luma("luma")


@pytest.mark.parametrize(
    "name", ["luma3-8", "luma4", "luma4-0", "luma4-513", "residual3", "luma-8"]
)
def test_other_names_are_refused(name):
    with pytest.raises(ConfigError, match=f"network {name}: .*luma4-32-32"):
        shape_of(name)


def test_a_network_starts_as_the_identity():
    image = noise(16, 24)
    np.testing.assert_array_equal(networks.build("luma4-16-8")(image), image)


@pytest.mark.parametrize("name", ["luma1-3", "luma2-8-4", "luma4-16"])
def test_sizes_are_those_of_the_layers(name):
    geometry, shape = geometry_of(build_luma(name)), shape_of(name)
    assert geometry.macs == shape.macs and geometry.scale == 1
    assert geometry.receptive_radius == shape.margin + shape.pack - 1


@pytest.mark.parametrize("name", ["luma2-4-8", "luma4-16"])
def test_a_pixel_depends_on_nothing_beyond_the_margin(name):
    network, shape = with_random_weights(build_luma(name)), shape_of(name)
    image = noise(64, 64)
    block = slice(32, 32 + shape.pack)
    far = image.copy()
    near = slice(block.start - shape.margin, block.stop + shape.margin)
    kept = far[:, near, near].copy()
    far[:] = 0
    far[:, near, near] = kept
    before, after = (network(each)[:, block, block].numpy() for each in (image, far))
    np.testing.assert_allclose(after, before, atol=1e-5)
    changed = image.copy()
    changed[:, near.start, near.start] += 1  # the margin is not larger than it need be
    assert np.abs(network(changed)[:, block, block].numpy() - before).max() > 0


def pixel_by_pixel(network: keras.Model, image: np.ndarray) -> np.ndarray:
    """The function of a lifted network, computed with its small kernels on single pixels."""
    x = image
    for layer in network.layers:
        if isinstance(layer, LiftedConv2D):
            kernel, bias = layer.get_weights()
            last = layer.name == "change"
            x = tf.nn.conv2d(x, kernel, 1, "SAME").numpy() + bias
            x = x if last else np.maximum(x, 0)
    return image + x


@settings(deadline=None, max_examples=12)
@given(
    pack=st.sampled_from([1, 2, 4]),
    widths=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    size=st.sampled_from([3, 5, 7]),
    seed=st.integers(0, 99),
)
def test_lifting_is_exact(pack, widths, size, seed):
    size = min(size, 2 * pack + 1)
    name = LumaShape(pack, tuple(width * pack**2 for width in widths)).name
    lifted = with_random_weights(build_lifted(name, size), seed)
    image = noise(4 * pack, 8 * pack, seed=seed)
    expected, made = pixel_by_pixel(lifted, image), lifted(image).numpy()
    np.testing.assert_allclose(made, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_array_equal(freed(lifted)(image), made)


@pytest.mark.parametrize(("name", "size"), [("luma4-24", 5), ("luma2-8", 7), ("luma2-8", 4)])
def test_what_cannot_be_lifted_is_refused(name, size):
    with pytest.raises(ConfigError, match=name):
        build_lifted(name, size)


@pytest.mark.parametrize("size", [3, 5])
def test_a_network_starts_as_the_filter(size):
    kernel = np.zeros((5, 5))
    kernel[1:4, 1:4] = [[-0.1, -0.2, -0.1], [-0.2, 1.2, -0.2], [-0.1, -0.2, -0.1]]
    network, image = build_lifted("luma2-12-12", size, seed=3), noise(16, 16)
    start_from_filter(network, kernel)
    weights = kernel[..., None, None].astype(np.float32)
    filtered = image + tf.nn.conv2d(image, weights, 1, "SAME").numpy()
    np.testing.assert_allclose(network(image)[:, 4:-4, 4:-4], filtered[:, 4:-4, 4:-4], atol=1e-5)


def test_a_lifted_network_can_be_saved(tmp_path):
    network = with_random_weights(build_lifted("luma2-8-4", 5))
    network.save(tmp_path / "lifted.keras")
    loaded = keras.models.load_model(tmp_path / "lifted.keras")
    np.testing.assert_array_equal(loaded(noise(8, 8)), network(noise(8, 8)))
