"""What benchmarks.device gives to its peers, and how it starts them."""

import contextlib

import numpy as np
import tensorflow as tf

from benchmarks import peers
from rts_tf.inference import Enhancer
from tests.support.networks import NETWORKS


def test_files_are_the_head_the_crops_and_the_frame(tmp_path):
    network, random = NETWORKS["residual1"], np.random.default_rng(0)
    crops = [random.integers(0, 256, (20, 24, 3), np.uint8) for _ in range(3)]
    frame = random.integers(0, 256, (18, 30, 3), np.uint8)
    peers.write_files(network, crops, frame, tmp_path)
    inputs = np.load(tmp_path / "frame.npy")
    np.testing.assert_array_equal(inputs, frame[None] / np.float32(255))
    assert [crop.shape for crop in np.load(tmp_path / "crops.npz").values()] == [(1, 20, 24, 3)] * 3
    signature = tf.saved_model.load(str(tmp_path / "saved_model")).signatures["enhance"]
    made = signature(image=tf.constant(inputs))["enhanced"]
    np.testing.assert_allclose(made, Enhancer(network).enhance(inputs), atol=1e-5)


def test_a_peer_that_is_not_installed_is_left_out(tmp_path, monkeypatch):
    modules = {"Fake": "tests.support.fake_peer", "Other": "benchmarks.nowhere"}
    monkeypatch.setattr(peers, "MODULES", modules)
    with contextlib.ExitStack() as processes:
        parts, missing = peers.start(tmp_path, 1, "", processes)
        assert parts["Fake sleep"]().clock >= 0.1
    assert all(name.startswith("Fake ") for name in parts)
    assert len(missing) == 1
    assert missing[0].startswith("Other is not compared: benchmarks.nowhere is not installed")
