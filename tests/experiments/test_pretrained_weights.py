"""Putting a stage of a run into the package. VIQET is replaced: it has tests of its own."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import rts_tf
from experiments import pretrained_weights
from rts_tf import networks, pretrained
from rts_tf.config import preset
from rts_tf.errors import ConfigError
from rts_tf.metrics import baseline, enhancement, viqet
from rts_tf.training import mos_validation
from tests.support.commands import set_flags
from tests.support.fake_viqet import fake_measure
from tests.support.training import SMALL_RUN


def test_a_stage_goes_into_the_package(small_photographs, tmp_path, monkeypatch, capsys):
    for module in (mos_validation, baseline, enhancement, viqet):
        monkeypatch.setattr(module, "measure", fake_measure)
    monkeypatch.setattr(pretrained, "DIRECTORY", tmp_path / "package")
    monkeypatch.setattr(pretrained_weights, "EXAMPLES", tmp_path / "golden")
    for folder in ("package", "golden", "images"):
        (tmp_path / folder).mkdir()
    for i in (0, 2):
        shutil.copy(small_photographs / f"picture {i}.png", tmp_path / "images")
    folders = {"data": str(small_photographs), "validation": str(tmp_path / "images")}
    config = preset("quick", **folders, judge="mos", **SMALL_RUN | {"stages": 1, "first_steps": 2})
    summary = rts_tf.train(config, tmp_path / "run")

    flags = {"run": str(tmp_path / "run"), "stage": 1, "name": "new", "commit": "a1b2c3"}
    with set_flags(pretrained_weights.FLAGS, **flags):
        pretrained_weights.main()
    record, printed = pretrained.record("new"), capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :]) == record
    assert str(tmp_path) not in json.dumps(record) and "--data=TRAIN" in record["command"]
    assert (record["stage"], record["commit"], record["training_pictures"]) == (1, "a1b2c3", 5)
    assert record["multiplications_per_pixel"] == networks.macs_per_pixel(
        networks.build(config.network)
    )
    stage, own = summary["stages"][0], record["network_itself"]
    assert record["hr_n_as_judged"]["mos_gain"] == pytest.approx(stage["mos_gain"], abs=1e-4)
    assert own["pictures"] == 2 and own["pictures_with_a_gain"] in (0, 1, 2)
    assert own["brightness_drift_levels"] == pytest.approx(stage["network_drift_levels"], abs=0.05)
    assert own["mos_loss_of_jpeg_75"] != 0
    drawn = np.asarray(Image.open(tmp_path / "golden" / "pretrained_new.png"))
    example = pretrained_weights.example()
    np.testing.assert_array_equal(drawn, rts_tf.load("new").enhance(example))


def test_a_run_that_is_not_finished_is_refused(tmp_path):
    flags = {"run": str(tmp_path), "stage": 1, "name": "new", "commit": "a1b2c3"}
    with (
        set_flags(pretrained_weights.FLAGS, **flags),
        pytest.raises(ConfigError, match=f"--run={tmp_path}: is not the directory of a finished"),
    ):
        pretrained_weights.main()


def test_all_flags_are_needed():
    with (
        set_flags(pretrained_weights.FLAGS, run="run", stage=3, name="new"),
        pytest.raises(ConfigError, match="--run, --stage, --name and --commit are all needed"),
    ):
        pretrained_weights.main()
