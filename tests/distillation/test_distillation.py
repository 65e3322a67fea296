"""Distillation: a directory that continues with the same bits, and what its summary says."""

import contextlib
import dataclasses
import functools
import json

import keras
import numpy as np
import pytest
from PIL import Image

import rts_tf
import rts_tf.errors
from rts_tf import distill as command
from rts_tf.distillation.config import DistillationConfig
from rts_tf.distillation.distillation import distill
from rts_tf.errors import ConfigError, Interrupted
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.training.progress import Silent


@pytest.fixture(scope="module")
def images(tmp_path_factory, photograph):
    """A folder of five images of 104 to 120 pixels a side."""
    folder = tmp_path_factory.mktemp("images")
    for i in range(5):
        crop = photograph[40 * i :, 60 * i :][: 104 + 4 * i, :107]
        Image.fromarray(crop).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def config(images):
    return DistillationConfig(
        teacher="residual1",
        network="luma2-8-4",
        data=str(images),
        validation=str(images),
        codecs="jpeg",
        variants=2,
        lifted_steps=40,
        free_steps=20,
        batch=4,
        patch=32,
        checkpoint_every=7,
        images_per_shard=2,
        precision="float32",
        judge="energy",
    )


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """(directory, summary, lines said)"""
    directory, lines = tmp_path_factory.mktemp("distilled") / "run", []
    return directory, distill(config, directory, lines.append), lines


def test_the_directory_holds_what_it_says(finished):
    directory, summary, lines = finished
    for name in ("final.keras", "final.tflite", "report.html", "linear.json", "machine.json"):
        assert (directory / name).stat().st_size > 0
    assert json.loads((directory / "summary.json").read_text()) == summary
    assert lines == ["training: 5 images", "validation: 5 images"]
    assert (summary["parameters"], summary["macs_per_pixel"]) == (736, 180)


def test_the_network_is_loaded_by_the_name_of_its_directory(finished, photograph):
    directory, _, _ = finished
    model = rts_tf.load(directory)
    assert isinstance(model, LumaEnhancer) and model.integers
    image = photograph[:64, :80]
    floats = LumaEnhancer(keras.models.load_model(directory / "final.keras"))
    difference = np.abs(model.enhance(image).astype(int) - floats.enhance(image))
    assert difference.max() <= 1 and np.abs(model.enhance(image).astype(int) - image).mean() > 0


def test_rows_are_measured_against_the_filter_and_the_teacher(finished):
    _, summary, _ = finished
    rows = {row["name"]: row for row in summary["rows"]}
    assert list(rows) == ["input", "teacher", "linear filter", "lifted", "free", "integers"]
    assert rows["teacher"]["energy"] == 1 and rows["input"]["energy"] == 0
    assert rows["linear filter"]["above_linear"] == 0
    for name in ("lifted", "free", "integers"):
        left = 1 - rows["linear filter"]["energy"]
        above = (rows[name]["energy"] - rows["linear filter"]["energy"]) / left
        assert rows[name]["above_linear"] == pytest.approx(above)
        assert 0.3 < rows[name]["energy"] < 1


def test_the_same_call_again_only_reads(finished, config):
    directory, summary, _ = finished
    before = _times(directory)
    assert distill(config, directory, print) == summary
    assert _times(directory) == before


def _times(directory):
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*") if path.name != ".lock"}


class Stopping(Silent):
    """Stops at every few calls, later each time."""

    def __init__(self, after: int):
        self._left = after

    def advance(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise Interrupted


def test_a_stopped_distillation_ends_with_the_same_bits(finished, config, tmp_path):
    directory, summary, _ = finished
    workdir, stops, again = tmp_path / "run", 0, None
    for shown in map(Stopping, (3, 9, 14, 2, 3, 100)):
        start = functools.partial(lambda shown, work: contextlib.nullcontext(shown), shown)
        try:
            again = distill(config, workdir, lambda line: None, start)
        except Interrupted:
            stops += 1
    assert stops == 5 and again["rows"] == summary["rows"]
    for name in ("lifted/model.keras", "free/model.keras", "final.keras"):
        ours, theirs = (keras.models.load_model(root / name) for root in (directory, workdir))
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    one, other = ((root / "final.tflite").read_bytes() for root in (directory, workdir))
    assert one == other


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "residual3"}, "network residual3: .*luma4-32-32"),
        ({"network": "luma4-24"}, "luma4-24: each hidden layer needs a multiple of 16"),
        ({"teacher": "nobody"}, "nobody: no such file"),
        ({"codecs": "jpeg,mpeg2"}, "`codecs`=jpeg,mpeg2: 'mpeg2' is none of"),
        ({"crf_low": 40}, "`crf_low`=40 is above `crf_high`=34"),
        ({"codec_share": 1.5}, "`codec_share`=1.5: must be from 0 to 1"),
        ({"free_rate": 0.0}, "`free_rate`=0.0: must be above 0"),
        ({"patch": 8}, "`patch`=8: must be from 16"),
        ({"patch": 512}, "can be used.*`patch` and a margin"),
        ({"data": "nowhere"}, "`data`=nowhere: no such folder"),
    ],
)
def test_what_cannot_work_is_refused_and_leaves_nothing(config, tmp_path, changes, message):
    with pytest.raises((ConfigError, rts_tf.errors.RtsError), match=message):
        distill(dataclasses.replace(config, **changes), tmp_path / "run", lambda line: None)
    assert not (tmp_path / "run").exists()


def test_other_settings_are_refused(finished, config):
    directory, _, _ = finished
    with pytest.raises(ConfigError, match="holds a run with other settings .seed: 1, here 2"):
        distill(dataclasses.replace(config, seed=2), directory, print)


def test_the_command_reads_its_flags():
    command.FLAGS.unparse_flags()
    command.FLAGS(["distill", "--teacher=residual1", "--data=sample", "--free_steps=7"])
    made = command.config_from_flags()
    assert made == DistillationConfig(teacher="residual1", free_steps=7)
