"""A .keras file or a file of weights runs no code, names nothing foreign, and asks for no more."""

import json
import sys
import zipfile

import keras
import numpy as np
import pytest

import rts_tf
from rts_tf.errors import RtsError
from rts_tf.luma.loading import is_luma_model
from rts_tf.networks import build
from rts_tf.pretrained.keras_file import load_keras_file, load_weights
from tests.security.malice import keras_file, weights_with, with_layer, with_member


def lambda_layer() -> dict:
    """A Lambda layer as this Keras describes it."""
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x)(inputs))
    return json.loads(model.to_json())["config"]["layers"][-1]


def deep(members: dict[str, bytes]) -> None:
    members["config.json"] = b'{"a":' * 5000 + b"1" + b"}" * 5000


def nested(members: dict[str, bytes]) -> None:
    config = json.loads(members["config.json"])
    for _ in range(200):
        config = {"config": config}
    members["config.json"] = json.dumps(config).encode()


def external(weights) -> None:
    weights.create_dataset("a", (10,), "f4", external=[("/etc/passwd", 0, 40)])


def linked(weights) -> None:
    import h5py

    weights["a"] = h5py.ExternalLink("/etc/passwd", "/b")


def huge(weights) -> None:
    weights.create_dataset("a", (2**20, 2**20), "f4", chunks=(1, 1024))


FUNCTION = {"module": "keras.utils", "class_name": "function", "config": "get_file"}
HARM = {
    "a Lambda layer": (lambda m: with_layer(lambda_layer())(m), "Lambda"),
    "a layer of another module": (
        with_layer({"module": "my_harm", "class_name": "Harm", "registered_name": None}),
        "'Harm' of 'my_harm'",
    ),
    "a class that nobody registered": (
        with_layer({"module": "my_harm", "class_name": "Harm", "registered_name": "x>Harm"}),
        "'x>Harm', which this process has not registered",
    ),
    "a class of Python": (with_layer({"module": "os", "class_name": "system"}), "'system' of 'os'"),
    "a function that downloads": (
        with_layer({"config": {"activation": FUNCTION}}),
        "'get_file', which is no activation",
    ),
    "a SavedModel": (
        with_layer({"module": "keras.layers", "class_name": "TFSMLayer"}),
        "TFSMLayer",
    ),
    "operations of TensorFlow": (with_layer({"class_name": "TFOpLambda"}), "TFOpLambda"),
    "a layer of any size": (with_layer({"config": {"filters": 10**12}}), "filters=1e\\+12"),
    "not a number": (with_layer({"config": {"filters": float("nan")}}), "filters=nan"),
    "a way out of the folder": (with_member("../../harm", b"a"), "holds 4 files"),
    "assets": (with_member("assets/vocabulary.txt", b"a"), "holds 4 files"),
    "weights as pickle": (with_member("model.weights.npz", b"a"), "holds 4 files"),
    "a decompression bomb": (with_member("model.weights.h5", bytes(2**27)), "bomb"),
    "a large description": (with_member("config.json", bytes(2**22)), "config.json has 4 MB"),
    "deep JSON": (deep, "nests too deep"),
    "deep descriptions": (nested, "nests too deep"),
    "a list": (with_member("config.json", b"[]"), "no description"),
    "a file of another place": (
        with_member("model.weights.h5", weights_with(external)),
        "refer to other files",
    ),
    "a link": (with_member("model.weights.h5", weights_with(linked)), "refer to other files"),
    "weights of any size": (
        with_member("model.weights.h5", weights_with(huge)),
        "announce 4398047 MB",
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_network_that_means_harm(harm, tmp_path):
    change, reason = HARM[harm]
    path = keras_file(tmp_path / "harm.keras", change)
    with pytest.raises(RtsError, match=f"harm.keras: is not a network of this package .*{reason}"):
        rts_tf.load(path)
    assert not is_luma_model(path) and "my_harm" not in sys.modules


def test_no_module_is_imported(tmp_path, monkeypatch):
    (tmp_path / "my_harm.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    layer = {"module": "my_harm", "class_name": "Harm", "registered_name": "Harm"}
    with pytest.raises(RtsError, match="'Harm' of 'my_harm'"):
        rts_tf.load(keras_file(tmp_path / "harm.keras", with_layer(layer)))


def test_layers_have_no_more_weights_than_the_file(tmp_path):
    """A hundred bytes ask for 36 GB, each layer for an allowed number of channels."""

    def change(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Conv2D":
                layer["config"] |= {"filters": 2048, "kernel_size": [46, 46]}
                layer.pop("build_config", None)
        members["config.json"] = json.dumps(config).encode()

    with pytest.raises(RtsError, match="more weights than it holds"):
        rts_tf.load(keras_file(tmp_path / "harm.keras", change))
    assert keras.layers.Layer.add_weight.__module__ != load_keras_file.__module__


def test_a_file_that_is_two_formats(tmp_path):
    """Keras goes by the name: HDF5 with a zip behind it would be read without safe mode."""
    path = keras_file(tmp_path / "a.keras").rename(tmp_path / "a.h5")
    with pytest.raises(RtsError, match="a.h5: is not a network.*ends in .keras"):
        rts_tf.load(path)


def test_a_class_of_ones_own_loads_if_it_is_registered(tmp_path):
    @keras.saving.register_keras_serializable(package="mine")
    class Lambda(keras.layers.Layer):
        receptive_radius = 0

        def call(self, inputs):
            return inputs

        def compute_output_shape(self, shape):
            return shape

    network = build("residual1")
    output = Lambda()(network.outputs[0])
    keras.Model(network.inputs, output, name="own").save(tmp_path / "own.keras")
    assert rts_tf.load(tmp_path / "own.keras").network.layers[-1].__class__ is Lambda


@pytest.mark.parametrize("make", [external, linked, huge])
def test_weights_that_mean_harm(make, tmp_path):
    (tmp_path / "harm.weights.h5").write_bytes(weights_with(make))
    with pytest.raises(RtsError, match="its weights "):
        load_weights(build("residual1"), tmp_path / "harm.weights.h5")


@pytest.mark.parametrize("name", ["residual1", "srresnet", "luma4-8"])
def test_valid_networks_load(name, tmp_path):
    network = build(name)
    network.compile("adam", "mse")
    network.save(tmp_path / "a.keras")
    loaded = load_keras_file(tmp_path / "a.keras")
    for one, other in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert "compile_config" in json.loads(archive.read("config.json"))
