"""A small network for luma, whose changes are some levels: as a file, and loaded."""

import pathlib

import numpy as np
import pytest

from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.luma.loading import load_luma
from rts_tf.networks.luma import build_luma


@pytest.fixture(scope="session")
def luma_file(tmp_path_factory) -> pathlib.Path:
    network, random = build_luma("luma4-16-16"), np.random.default_rng(5)
    kernel, bias = network.get_layer("change").get_weights()
    network.get_layer("change").set_weights([random.normal(0, 0.01, kernel.shape), bias])
    path = tmp_path_factory.mktemp("luma") / "luma.keras"
    network.save(path)
    return path


@pytest.fixture(scope="session")
def luma_model(luma_file) -> LumaEnhancer:
    return load_luma(luma_file)
