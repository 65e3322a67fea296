"""What ``import rts_tf`` offers: load, train and Config."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

import rts_tf
from rts_tf.errors import ConfigError
from tests.support.paths import ROOT

SETTINGS = {
    "network": "residual1",
    "stages": 1,
    "first_steps": 2,
    "patch": 32,
    "batch": 1,
    "precision": "float32",
}


def test_importing_the_package_does_not_import_tensorflow():
    code = (
        "import sys, rts_tf\n"
        "assert rts_tf.Config().stages == 4\n"
        "print([name for name in ('tensorflow', 'keras', 'absl', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("name", rts_tf.__all__)
def test_everything_has_a_docstring_with_an_example(name):
    assert "Example::" in getattr(rts_tf, name).__doc__


def test_train_and_load(photo_folder, tmp_path, photograph, capsys):
    summary = rts_tf.train(data=str(photo_folder), workdir=tmp_path / "run", **SETTINGS)
    assert "2 images" in capsys.readouterr().out
    assert summary["selected_stage"] == 1 and summary["preset"] == "quick"
    better = rts_tf.load(tmp_path / "run").enhance(photograph[:40, :40])
    assert better.shape == (40, 40, 3) and better.dtype == np.uint8

    config = dataclasses.replace(rts_tf.Config(), data=str(photo_folder), **SETTINGS)
    again = rts_tf.train(config, tmp_path / "run", show_progress=False)
    assert again == summary
    assert capsys.readouterr().out == ""


def test_train_without_progress_is_silent(photo_folder, tmp_path, capsys):
    config = dataclasses.replace(rts_tf.Config(), **SETTINGS)
    summary = rts_tf.train(
        config, tmp_path / "run", show_progress=False, data=str(photo_folder), seed=5
    )
    assert summary["config"]["seed"] == 5
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stages": 0}, "`stages`=0"),
        ({"preset": "fast"}, "`preset`=fast"),
        ({"steps": 7}, "no setting `steps`"),
        ({"config": rts_tf.Config(), "stages": 0}, "`stages`=0"),
    ],
)
def test_a_setting_that_cannot_work_is_named(tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        rts_tf.train(workdir=tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()
