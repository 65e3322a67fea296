"""Networks on images of any size: tiles, dtypes, strength, precisions, and loading."""

import warnings

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

import rts_tf
from rts_tf import inference, networks
from rts_tf.config import NETWORKS as NAMES
from rts_tf.errors import RtsError
from rts_tf.images.resample import double, halve
from rts_tf.inference import Enhancer
from rts_tf.networks.borders import with_repeated_border
from rts_tf.networks.layers import PixelShuffle
from rts_tf.networks.precision import instruction_set
from rts_tf.networks.registry import registered_name
from tests.support.networks import NETWORKS, random_network
from tests.support.precisions import PRECISIONS, needs_bfloat16

IMAGE = data.chelsea()  # uint8 [300, 451, 3]


def in_precision(network, precision: str):
    built = networks.build(network.name, precision=precision)
    built.set_weights(network.get_weights())
    return built


IN_PRECISION = {
    precision: in_precision(NETWORKS["residual3"], precision)
    for precision in ("float32", "mixed_bfloat16")
}


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(sorted(NETWORKS)),
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(7, 64),
    st.integers(0, 9),
)
def test_tiles_equal_the_whole_image(name, height, width, tile, seed):
    network = NETWORKS[name]
    image = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    tiled, whole = Enhancer(network, tile), with_repeated_border(network)(image[None])
    np.testing.assert_allclose(tiled.upscale(image), whole[0], atol=1e-5)
    np.testing.assert_allclose(tiled.enhance(image), halve(whole)[0], atol=1e-5)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(NETWORKS)))
def test_tiles_of_larger_networks_equal_the_whole_image(name):
    image = np.random.default_rng(1).random((40, 190, 3)).astype(np.float32)
    network = random_network(name)
    tiled, whole = Enhancer(network, 128), with_repeated_border(network)(image[None])
    bound = 1e-5 * max(1, float(np.abs(whole).max()))
    np.testing.assert_allclose(tiled.upscale(image), whole[0], atol=bound, rtol=0)
    np.testing.assert_allclose(tiled.enhance(image), halve(whole)[0], atol=bound, rtol=0)
    interpolated = networks.build(name)(image[None])
    assert np.abs(whole - interpolated).mean() > 1e-3


TILES = {
    precision: [Enhancer(network, tile) for tile in (300, 16, 37, 50, 77)]
    for precision, network in IN_PRECISION.items()
}
QUARTER_LEVEL = 0.25 / 255


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 150),
    st.integers(1, 150),
    st.integers(1, 4),
    st.booleans(),
    st.data(),
)
def test_tiles_are_identical(precision, height, width, tile, eight_bits, positions):
    """To the last bit in float32, on every CPU; in bfloat16 where the kernels allow it.

    On AMX, oneDNN chooses the kernel by the width of the image, and each rounds in another order.
    """
    top = positions.draw(st.integers(0, 300 - height))
    left = positions.draw(st.integers(0, 451 - width))
    image = IMAGE[top : top + height, left : left + width]
    image = image if eight_bits else image / np.float32(255)
    whole, tiled = TILES[precision][0], TILES[precision][tile]
    exact = precision == "float32" or "AMX" not in instruction_set()
    bound = 0 if exact else 1 if eight_bits else QUARTER_LEVEL
    for one, other in (
        (tiled.enhance(image), whole.enhance(image)),
        (tiled.upscale(image), whole.upscale(image)),
    ):
        assert np.abs(one.astype(np.float64) - other).max() <= bound


def test_big_endian_and_strength_that_is_not_a_number(photograph):
    model, image = Enhancer(NETWORKS["residual1"]), photograph[:40, :40].astype(np.uint16) * 257
    np.testing.assert_array_equal(model.enhance(image.astype(">u2")), model.enhance(image))
    with pytest.raises(ValueError, match="strength"):
        model.enhance(image, strength=float("nan"))


def test_uint8_float_one_and_batch(photograph):
    model = Enhancer(NETWORKS["residual1"])
    batch = photograph[None, :33, :40].repeat(2, axis=0)
    as_float = batch.astype(np.float64) / 255
    for function, scale in ((model.enhance, 1), (model.upscale, 2)):
        eight_bit, floating = function(batch), function(as_float)
        assert eight_bit.dtype == np.uint8 and floating.dtype == np.float32
        assert eight_bit.shape == floating.shape == (2, 33 * scale, 40 * scale, 3)
        np.testing.assert_array_equal(eight_bit, np.clip(np.rint(floating * 255), 0, 255))
        np.testing.assert_array_equal(function(batch[0]), eight_bit[0])


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.5])
def test_strength_is_a_straight_line_from_the_original(photograph, strength):
    model = Enhancer(NETWORKS["residual1"], 32)
    image = photograph[:50, :45].astype(np.float32) / 255
    enlarged = double(image[None])[0].numpy()
    for function, baseline in ((model.enhance, image), (model.upscale, enlarged)):
        expected = baseline + strength * (function(image) - baseline)
        np.testing.assert_allclose(function(image, strength), expected, atol=2e-6)
    np.testing.assert_array_equal(model.enhance(photograph[:50, :45], 0.0), photograph[:50, :45])


def test_16_bits_are_computed_in_16_bits(photograph):
    model, floating = Enhancer(NETWORKS["residual1"]), photograph[:33, :40] / 255
    fine = np.rint(65535 * floating**1.1).astype(np.uint16)
    for function in (model.enhance, model.upscale):
        expected = np.clip(np.rint(65535 * function(fine / 65535).astype(np.float64)), 0, 65535)
        result = function(fine)
        assert result.dtype == np.uint16 and (result % 257).any()
        np.testing.assert_allclose(result, expected, atol=1)


def test_grey_is_the_mean_of_three_equal_colours(photograph):
    model, grey = Enhancer(NETWORKS["residual1"], 32), photograph[:40, :50, :1] / np.float32(255)
    for function in (model.enhance, model.upscale):
        expected = function(np.repeat(grey, 3, axis=2)).mean(axis=2, keepdims=True)
        np.testing.assert_allclose(function(grey), expected, atol=1e-6)


def test_every_pixel_is_counted_once():
    counts = []
    Enhancer(NETWORKS["residual1"], 32).enhance(
        np.zeros((2, 70, 50, 3), np.uint8), on_pixels=counts.append
    )
    assert sum(counts) == 2 * 70 * 50 and len(counts) > 2


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)],
)
def test_refuses_what_is_not_rgb(array):
    with pytest.raises(ValueError, match="expected RGB"):
        Enhancer(NETWORKS["residual1"]).enhance(array)


def test_refuses_other_types():
    with pytest.raises(ValueError, match="expected uint8"):
        Enhancer(NETWORKS["residual1"]).enhance(np.zeros((4, 4, 3), np.int32))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (IMAGE[:8, :8].astype(np.float32), "not from .* divide by the value of white, such as 255"),
        (IMAGE[:8, :8].astype(np.float64) - 128, "expected floating point in .0, 1."),
        (np.full((8, 8, 3), np.nan), "expected finite values"),
        (np.where(np.arange(192).reshape(8, 8, 3) == 5, np.inf, 0.5), "expected finite values"),
    ],
)
def test_floats_that_are_not_of_0_to_1_are_refused(values, reason):
    model = Enhancer(NETWORKS["residual1"])
    for use in (model.enhance, model.upscale):
        with pytest.raises(ValueError, match=reason):
            use(values)


def test_what_a_network_made_is_enhanced_again():
    """It overshoots, and so does an unsharp mask."""
    model = Enhancer(NETWORKS["residual1"])
    image = np.linspace(-0.3, 1.3, 192, dtype=np.float32).reshape(8, 8, 3)
    assert np.isfinite(model.enhance(model.enhance(image))).all()


def test_load_of_a_file(tmp_path, photograph):
    NETWORKS["residual3"].save(tmp_path / "final.keras")
    image = photograph[:40, :40]
    expected = Enhancer(NETWORKS["residual3"]).enhance(image)
    np.testing.assert_array_equal(rts_tf.load(tmp_path / "final.keras").enhance(image), expected)
    np.testing.assert_array_equal(rts_tf.load(str(tmp_path)).enhance(image), expected)


@needs_bfloat16
def test_load_in_a_precision(tmp_path, photograph):
    NETWORKS["residual3"].save(tmp_path / "final.keras")
    image = photograph[:40, :40] / 255
    expected = Enhancer(IN_PRECISION["mixed_bfloat16"]).enhance(image)
    loaded = rts_tf.load(tmp_path, "mixed_bfloat16")
    np.testing.assert_array_equal(loaded.enhance(image), expected)
    assert np.abs(rts_tf.load(tmp_path, "float32").enhance(image) - expected).max() > 0


@needs_bfloat16
@pytest.mark.parametrize("name", NAMES)
def test_load_in_bfloat16_works_for_every_network(tmp_path, name):
    networks.build(name).save(tmp_path / "final.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = rts_tf.load(tmp_path, precision="mixed_bfloat16").network
    assert "bfloat16" in {layer.compute_dtype for layer in loaded.layers}
    assert registered_name(loaded) == name


@needs_bfloat16
def test_bfloat16_of_a_network_that_cannot_be_rebuilt(tmp_path, monkeypatch):
    """If asked for, one line says that it is not used; "auto" may choose what it likes."""
    own(precision="float32").save(tmp_path / "own.keras")
    with pytest.warns(UserWarning, match="own.keras: own is not a network of this package") as said:
        loaded = rts_tf.load(tmp_path / "own.keras", precision="mixed_bfloat16")
    assert len(said) == 1 and "\n" not in str(said[0].message)
    assert said[0].filename == __file__
    assert {layer.compute_dtype for layer in loaded.network.layers} == {"float32"}
    monkeypatch.setattr(inference, "resolve_precision", lambda precision: "mixed_bfloat16")
    own(precision="mixed_bfloat16").save(tmp_path / "bfloat16.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rts_tf.load(tmp_path / "own.keras", precision="auto")
        rts_tf.load(tmp_path / "bfloat16.keras", precision="mixed_bfloat16")


def own(precision: str) -> keras.Model:
    """A network that is not of this package, and doubles the size."""
    image = keras.Input((None, None, 3), dtype="float32")
    conv = keras.layers.Conv2D(12, 3, padding="same", dtype=precision)(image)
    return keras.Model(image, PixelShuffle(2, dtype="float32")(conv), name="own")


def test_load_says_what_is_wrong(tmp_path):
    with pytest.raises(RtsError, match="no such file"):
        rts_tf.load(tmp_path / "nothing")
    with pytest.raises(RtsError, match="no final.keras"):
        rts_tf.load(tmp_path)
    (tmp_path / "bad.keras").write_bytes(b"not a network")
    with pytest.raises(RtsError, match="bad.keras"):
        rts_tf.load(tmp_path / "bad.keras")


def test_a_network_that_does_not_double_is_refused():
    image = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="does not double"):
        Enhancer(keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(image)))


def test_networks_with_large_layers_get_smaller_tiles():
    """256 values per LR pixel instead of 64: a quarter of the area takes the same memory."""
    assert Enhancer(NETWORKS["residual1"], 1280)._tile == 1280
    assert Enhancer(networks.build("srcnn"), 1280)._tile == 640
