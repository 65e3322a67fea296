"""Weights that come with the package: those in it, and a directory made up for the test."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import rts_tf
from experiments.pretrained_weights import EXAMPLES, example
from rts_tf import networks, pretrained
from rts_tf.errors import RtsError
from rts_tf.inference import Enhancer
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.networks.luma import is_luma
from tests.support.paths import GOLDEN
from tests.support.precisions import PRECISIONS


@pytest.fixture(params=["keras2", "keras3"])
def directory(request, tmp_path, monkeypatch):
    """A directory with weights that one of the stacks wrote, called "small"."""
    monkeypatch.setattr(pretrained, "DIRECTORY", tmp_path)
    shutil.copy(GOLDEN / f"{request.param}.weights.h5", tmp_path / "small.weights.h5")
    (tmp_path / "small.json").write_text(json.dumps({"network": "residual1", "stage": 3}))
    return tmp_path


@pytest.mark.parametrize("precision", PRECISIONS)
def test_load_by_name(directory, photograph, precision):
    assert pretrained.names() == ("small",) and pretrained.record("small")["stage"] == 3
    network = networks.build("residual1", precision=precision)
    network.load_weights(directory / "small.weights.h5")
    image, loaded = photograph[:40, :50], rts_tf.load("small", precision)
    np.testing.assert_array_equal(loaded.enhance(image), Enhancer(network).enhance(image))


def test_an_unknown_name_lists_the_known_ones(directory):
    message = r"large: no such file or directory, and not the name of weights .*\(small\)"
    with pytest.raises(RtsError, match=message):
        rts_tf.load("large")
    with pytest.raises(RtsError, match=r"large: not the name of weights .*\(small\)"):
        pretrained.record("large")


def test_without_weights_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "DIRECTORY", tmp_path)
    message = "residual3: no such file .*brings no weights: train a network with"
    with pytest.raises(RtsError, match=message):
        rts_tf.load("residual3")


def test_damage_is_named(directory):
    whole = (directory / "small.weights.h5").read_bytes()
    for contents in (b"", whole[: len(whole) // 2]):
        (directory / "small.weights.h5").write_bytes(contents)
        message = "small.weights.h5: cannot be loaded .*install rts_tf again"
        with pytest.raises(RtsError, match=message):
            rts_tf.load("small")
    (directory / "small.json").write_text("{")
    with pytest.raises(RtsError, match="small.json: is damaged .*install rts_tf again"):
        rts_tf.load("small")


def test_a_record_of_no_network_is_named(directory):
    (directory / "small.json").write_text('{"stage": 3}')
    with pytest.raises(RtsError, match="small.weights.h5: cannot be loaded .'network'"):
        rts_tf.load("small")


@pytest.mark.parametrize("name", pretrained.names())
def test_the_weights_are_those_of_their_record(name):
    """The network makes of the example what it made when it went into the package.

    One level of difference is allowed. The arithmetic is float32, whose rounding differs from one
    instruction set to another by about 1e-6, so a value between two levels may be rounded either
    way.
    """
    expected = np.asarray(Image.open(EXAMPLES / f"pretrained_{name}.png")).astype(int)
    better = rts_tf.load(name).enhance(example()).astype(int)
    assert np.abs(better - expected).max() <= 1 and np.abs(better - example()).mean() > 0.3
    record, file = pretrained.record(name), pretrained.DIRECTORY / f"{name}.weights.h5"
    assert networks.parameters(networks.build(record["network"])) == record["parameters"]
    assert file.stat().st_size < 2e6


LUMA = [name for name in pretrained.names() if is_luma(pretrained.record(name)["network"])]


@pytest.mark.parametrize("name", LUMA)
@pytest.mark.parametrize("limited", [False, True])
def test_engines_agree(name, limited, photograph):
    """Integers and floating point differ by a level at most."""
    luma = luma_of(photograph)
    if limited:
        luma = np.rint(16 + luma * (219 / 255)).astype(np.uint8)
    integers = rts_tf.load(name)
    assert integers.integers
    floats = LumaEnhancer(pretrained.network(name))
    one, other = (model.enhance_luma(luma).astype(int) for model in (integers, floats))
    assert np.abs(one - other).max() <= 1 and (one == other).mean() > 0.7


def test_the_alias_of_real_time_is_there():
    assert {pretrained.resolved("fast"), "luma-small", "luma-large", "luma-clean"} <= set(LUMA)


@pytest.mark.parametrize("name", pretrained.names())
def test_a_constant_image_is_the_same_up_to_its_border(name):
    """Within a level, inside as at the border."""
    model = rts_tf.load(name)
    for size in ((1, 1), (1, 5), (3, 2), (8, 8), (80, 1), (33, 47), (64, 64)):
        for colour in ((0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 30, 90), (5, 250, 1)):
            image = np.broadcast_to(np.uint8(colour), (*size, 3))
            results = [(1, model.enhance(image))]
            if isinstance(model, Enhancer):
                results.append((2, model.upscale(image)))
            for scale, result in results:
                levels = result.astype(int)
                assert np.abs(levels - colour).max() <= 1, (size, colour)
                # The four phases of a pixel may differ, but not from those of any other pixel.
                everywhere = np.tile(levels[:scale, :scale], (*size, 1))
                assert np.abs(levels - everywhere).max() <= 1, (size, colour)
