import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rts_tf
from rts_tf import networks
from rts_tf.config import NETWORKS as NAMES
from rts_tf.errors import RtsError
from rts_tf.imaging.resample import halve
from rts_tf.imaging.tiles import tiles
from rts_tf.inference import Enhancer


def random_network(name: str):
    """A network whose every weight matters."""
    network, random = networks.build(name), np.random.default_rng(7)
    network.set_weights([w + random.normal(0, 0.01, w.shape) for w in network.get_weights()])
    for _ in range(12 if name == "srresnet" else 0):  # the statistics of its batch normalisation, as after training
        network(random.random((2, 16, 16, 3)).astype(np.float32), training=True)
    return network


NETWORKS = {name: random_network(name) for name in ("residual1", "residual3", "residual6")}


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(NETWORKS)), st.integers(1, 90), st.integers(1, 90), st.integers(7, 64), st.integers(0, 9))
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
    assert np.abs(whole - networks.build(name)(picture[None])).mean() > 1e-3  # not plain interpolation


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 70), st.integers(0, 20))
def test_tiles_write_every_pixel_once(height, width, longest, overlap):
    written, cut = np.zeros((height, width), int), tiles(height, width, longest, overlap)
    for tile in cut:
        written[tile.write] += 1
        for read, inner, write, size in zip(*tile, (height, width), strict=True):
            assert read.start + inner.start == write.start and read.start + inner.stop == write.stop
            assert 0 < write.stop - write.start <= longest
            assert 0 <= read.start <= max(0, write.start - overlap) and min(size, write.stop + overlap) <= read.stop <= size
    assert (written == 1).all()
    assert len({tuple(side.stop - side.start for side in tile.read) for tile in cut}) == 1  # a batch
    assert len(cut) % 2 == 0 or -(-height // longest) == height


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


@pytest.mark.parametrize("array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)])
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
    assert Enhancer(networks.build("srcnn"), 1280)._tile == Enhancer(NETWORKS["residual1"], 1280)._tile / 2 == 640
