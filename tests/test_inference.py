import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

import rts_tf
from rts_tf import networks
from rts_tf.config import NETWORKS as NAMES
from rts_tf.errors import RtsError
from rts_tf.images.resample import double, halve
from rts_tf.images.tiling import tiles
from rts_tf.inference import Enhancer


def random_network(name: str):
    """A network whose every weight matters."""
    network, random = networks.build(name), np.random.default_rng(7)
    network.set_weights([w + random.normal(0, 0.01, w.shape) for w in network.get_weights()])
    for _ in range(
        12 if name == "srresnet" else 0
    ):  # the statistics of its batch normalisation, as after training
        network(random.random((2, 16, 16, 3)).astype(np.float32), training=True)
    return network


PHOTOGRAPH = data.chelsea()  # uint8 [300, 451, 3]
NETWORKS = {name: random_network(name) for name in ("residual1", "residual3", "residual6")}


def in_precision(network, precision: str):
    built = networks.build(network.name, precision=precision)
    built.set_weights(network.get_weights())
    return built


IN_PRECISION = {
    precision: in_precision(NETWORKS["residual3"], precision)
    for precision in ("float32", "mixed_bfloat16")
}


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(NETWORKS)),
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(7, 64),
    st.integers(0, 9),
)
def test_tiles_equal_the_whole_picture(name, height, width, tile, seed):
    network = NETWORKS[name]
    picture = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    tiled, whole = Enhancer(network, tile), network(picture[None])
    np.testing.assert_allclose(tiled.upscale(picture), whole[0], atol=1e-5)
    np.testing.assert_allclose(tiled.enhance(picture), halve(whole)[0], atol=1e-5)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(NETWORKS)))
def test_tiles_of_larger_networks_equal_the_whole_picture(name):
    picture = np.random.default_rng(1).random((40, 190, 3)).astype(np.float32)
    network = random_network(name)
    tiled, whole = Enhancer(network, 128), network(picture[None])
    bound = 1e-5 * max(1, float(np.abs(whole).max()))
    np.testing.assert_allclose(tiled.upscale(picture), whole[0], atol=bound, rtol=0)
    np.testing.assert_allclose(tiled.enhance(picture), halve(whole)[0], atol=bound, rtol=0)
    assert (
        np.abs(whole - networks.build(name)(picture[None])).mean() > 1e-3
    )  # not plain interpolation


TILES = {
    precision: [Enhancer(IN_PRECISION[precision], tile) for tile in (300, 16, 37, 50, 77)]
    for precision in IN_PRECISION
}


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(TILES)),
    st.integers(1, 150),
    st.integers(1, 150),
    st.integers(1, 4),
    st.booleans(),
    st.data(),
)
def test_tiles_are_identical(precision, height, width, tile, eight_bits, places):
    """In 8 bits not a level apart, since they are equal to the last bit before they are rounded."""
    top, left = places.draw(st.integers(0, 300 - height)), places.draw(st.integers(0, 451 - width))
    picture = PHOTOGRAPH[top : top + height, left : left + width]
    picture = picture if eight_bits else picture / np.float32(255)
    whole, tiled = TILES[precision][0], TILES[precision][tile]
    np.testing.assert_array_equal(tiled.enhance(picture), whole.enhance(picture))
    np.testing.assert_array_equal(tiled.upscale(picture), whole.upscale(picture))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 70), st.integers(0, 20))
def test_tiles_write_every_pixel_once(height, width, side, overlap):
    written, cut = np.zeros((height, width), int), tiles(height, width, side, overlap)
    for tile in cut:
        written[tile.write] += 1
        for read, inner, write, size in zip(*tile, (height, width), strict=True):
            assert read.start + inner.start == write.start and read.start + inner.stop == write.stop
            assert write.stop > write.start
            assert (
                0 <= read.start <= max(0, write.start - overlap)
                and min(size, write.stop + overlap) <= read.stop <= size
            )
        assert np.prod([write.stop - write.start for write in tile.write]) <= side**2
    assert (written == 1).all()
    assert (
        len({tuple(side.stop - side.start for side in tile.read) for tile in cut}) == 1
    )  # a batch
    assert len(cut) % 2 == 0 or min(height, width, side) < 20 + 4 * overlap


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [
        (1080, 1920, 1, 2),
        (1920, 1080, 2, 1),
        (1000, 1000, 1, 2),
        (2000, 3000, 1, 4),
        (10000, 10000, 8, 8),
        (200, 9000, 1, 2),
    ],
)
def test_tiles_of_photographs(height, width, rows, columns):
    found = tiles(height, width, 1280, 10)
    assert len({tile.write[0].start for tile in found}) == rows and len(found) == rows * columns


def test_big_endian_and_strength_that_is_no_number(photograph):
    model, picture = Enhancer(NETWORKS["residual1"]), photograph[:40, :40].astype(np.uint16) * 257
    np.testing.assert_array_equal(model.enhance(picture.astype(">u2")), model.enhance(picture))
    with pytest.raises(ValueError, match="strength"):
        model.enhance(picture, strength=float("nan"))


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
    model, picture = (
        Enhancer(NETWORKS["residual1"], 32),
        photograph[:50, :45].astype(np.float32) / 255,
    )
    enlarged = double(picture[None])[0].numpy()
    for function, plain in ((model.enhance, picture), (model.upscale, enlarged)):
        expected = plain + strength * (function(picture) - plain)
        np.testing.assert_allclose(function(picture, strength), expected, atol=2e-6)
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


def test_load_of_a_file(tmp_path, photograph):
    NETWORKS["residual3"].save(tmp_path / "final.keras")
    picture = photograph[:40, :40]
    expected = Enhancer(NETWORKS["residual3"]).enhance(picture)
    np.testing.assert_array_equal(rts_tf.load(tmp_path / "final.keras").enhance(picture), expected)
    np.testing.assert_array_equal(rts_tf.load(str(tmp_path)).enhance(picture), expected)


def test_load_in_a_precision(tmp_path, photograph):
    NETWORKS["residual3"].save(tmp_path / "final.keras")
    picture = photograph[:40, :40]
    expected = Enhancer(IN_PRECISION["mixed_bfloat16"]).enhance(picture / 255)
    np.testing.assert_array_equal(
        rts_tf.load(tmp_path, "mixed_bfloat16").enhance(picture / 255), expected
    )
    assert np.abs(rts_tf.load(tmp_path, "float32").enhance(picture / 255) - expected).max() > 0


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
    """256 values for each LR pixel instead of 64: tiles of a quarter of the area, so the same memory."""
    assert (
        Enhancer(networks.build("srcnn"), 1280)._tile
        == Enhancer(NETWORKS["residual1"], 1280)._tile / 2
        == 640
    )
