"""A network is an ordinary Keras model: it is compiled, fitted, saved, and loaded by Keras."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import rts_tf
from rts_tf import networks
from rts_tf.networks.layers import HINT
from tests.support.paths import ROOT


def test_a_loaded_network_is_compiled_fitted_and_saved(tmp_path):
    network = rts_tf.load("residual1").network
    random = np.random.default_rng(1)
    hr = random.random((4, 32, 32, 3)).astype(np.float32)
    lr = hr.reshape(4, 16, 2, 16, 2, 3).mean((2, 4))
    network.compile(keras.optimizers.Adam(1e-3), "mse", metrics=["mae"])
    losses = network.fit(lr, hr, batch_size=2, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    expected = network.predict(lr, verbose=0)
    assert expected.shape == hr.shape
    network.save(tmp_path / "tuned.keras")
    again = keras.models.load_model(tmp_path / "tuned.keras")
    np.testing.assert_array_equal(again.predict(lr, verbose=0), expected)
    assert again.evaluate(lr, hr, verbose=0) == network.evaluate(lr, hr, verbose=0)
    image = hr[0]
    better = rts_tf.load(tmp_path / "tuned.keras").enhance(image)
    np.testing.assert_array_equal(better, rts_tf.inference.Enhancer(network).enhance(image))


LOAD = "import keras; keras.models.load_model('network.keras', compile=False); print('loaded')"


def run(folder, code: str) -> subprocess.CompletedProcess:
    """Run Python code in a process that can import this package but has not done so."""
    path = {"PYTHONPATH": str(ROOT), "PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3", "HOME": str(folder)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=path, capture_output=True, text=True)


# Keras 3 describes the first class that it does not know. Keras 2 does so for initializers, which
# the residual networks have; of a layer it keeps only the name, and fails where it calls that.
DESCRIBED = ["residual1", "srcnn"] if keras.__version__ >= "3" else ["residual1"]


@pytest.mark.parametrize("name", DESCRIBED)
def test_keras_says_what_to_import(tmp_path, name):
    networks.build(name).save(tmp_path / "network.keras")
    done = run(tmp_path, LOAD)
    assert done.returncode and HINT in done.stderr, done.stderr
    assert "import rts_tf.networks" in HINT
    done = run(tmp_path, f"import rts_tf.networks; {LOAD}")
    assert done.stdout == "loaded\n", done.stderr


@pytest.mark.parametrize("name", ["residual1", "residual3-wide", "srcnn", "luma2-8"])
def test_files_of_earlier_versions_have_no_such_words(tmp_path, name):
    """They differ from new ones in this alone, and load."""
    import json
    import zipfile

    network = networks.build(name)
    network.save(tmp_path / "new.keras")
    with (
        zipfile.ZipFile(tmp_path / "new.keras") as new,
        zipfile.ZipFile(tmp_path / "old.keras", "w") as old,
    ):
        for entry in new.namelist():
            contents = new.read(entry)
            if entry == "config.json":
                assert HINT in contents.decode()
                contents = json.dumps(without_hint(json.loads(contents))).encode()
            old.writestr(entry, contents)
    again = keras.models.load_model(tmp_path / "old.keras", compile=False)
    for one, other in zip(again.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def without_hint(value):
    """JSON without the entries of that name."""
    if isinstance(value, dict):
        return {key: without_hint(item) for key, item in value.items() if key != "hint"}
    return [without_hint(item) for item in value] if isinstance(value, list) else value
