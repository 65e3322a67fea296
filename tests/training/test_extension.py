"""A run is given more stages, and ends as one that had them from the beginning."""

import dataclasses
import json
import shutil

import pytest

import rts_tf
from rts_tf.config import Config, preset
from rts_tf.errors import ConfigError, RtsError
from rts_tf.training import recurrence
from rts_tf.training.recurrence import train
from tests.crash import differences, outcome
from tests.support.commands import TINY, command, refused, state

TINY_RUN = {
    "network": "residual1",
    "first_steps": 3,
    "later_steps": 2,
    "patch": 32,
    "batch": 2,
    "warmup": 1,
    "ema": 0.9,
    "images_per_shard": 2,
    "precision": "float32",
    "stop_early": False,
}


def tiny(data, stages: int, **changes) -> Config:
    folders = {"data": str(data), "validation": str(data)}
    return preset("quick", stages=stages, **folders, **(TINY_RUN | changes))


@pytest.fixture(scope="module")
def runs(small_photographs, tmp_path_factory):
    """A finished run of two stages, and one of three; with the images."""
    folder = tmp_path_factory.mktemp("extension")
    for stages in (2, 3):
        train(tiny(small_photographs, stages), folder / str(stages))
    return folder, small_photographs


@pytest.fixture
def shorter(runs, tmp_path):
    """A copy of the run of two stages, and the images."""
    return shutil.copytree(runs[0] / "2", tmp_path / "run"), runs[1]


def test_a_finished_run_goes_on(runs, shorter):
    directory, data = shorter
    summary = train(tiny(data, 3), directory)
    assert [stage["stage"] for stage in summary["stages"]] == [1, 2, 3]
    assert differences(outcome(runs[0] / "3"), outcome(directory)) == ""
    assert json.loads((directory / "config.json").read_text())["stages"] == 3
    assert summary == json.loads((directory / "summary.json").read_text())
    assert summary["stopped_because"] == "all 3 stages were trained"
    report = (directory / "report.html").read_text()
    assert report.count("HR<sub>3") == (runs[0] / "3/report.html").read_text().count("HR<sub>3")


def test_a_run_that_stopped_in_between_goes_on(runs, tmp_path, monkeypatch):
    def phase_a(run, stage, targets):
        if stage.number == 2:
            raise RtsError("stopped")
        real(run, stage, targets)

    real = recurrence.run_phase_a
    monkeypatch.setattr(recurrence, "run_phase_a", phase_a)
    with pytest.raises(RtsError, match="stopped"):
        train(tiny(runs[1], 2), tmp_path / "run")
    monkeypatch.setattr(recurrence, "run_phase_a", real)
    train(tiny(runs[1], 3), tmp_path / "run")
    assert differences(outcome(runs[0] / "3"), outcome(tmp_path / "run")) == ""


class Stopped(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("at", ["run_phase_b", "run_phase_a", "validate", "finish"])
def test_a_crash_leaves_the_run_whole(runs, shorter, monkeypatch, at):
    """It still has the network and the summary of its earlier end, and goes on to the same end."""
    directory, data = shorter
    before = (directory / "summary.json").read_bytes()

    def stopped(*_):
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(recurrence, at, stopped)
        with pytest.raises(Stopped):
            train(tiny(data, 3), directory)
    assert (directory / "summary.json").read_bytes() == before
    rts_tf.load(directory)
    summary = train(tiny(data, 3), directory)
    assert len(summary["stages"]) == 3
    assert differences(outcome(runs[0] / "3"), outcome(directory)) == ""


def test_a_crash_at_the_end_leaves_no_summary_of_another_network(shorter, monkeypatch):
    from rts_tf.training.stage import Stage

    def stopped(*_):
        raise Stopped

    directory, data = shorter
    with monkeypatch.context() as patch:
        patch.setattr(Stage, "copy_network", stopped)
        with pytest.raises(Stopped):
            train(tiny(data, 3), directory)
    assert not (directory / "summary.json").exists() and (directory / "final.keras").exists()
    assert len(train(tiny(data, 3), directory)["stages"]) == 3


def test_a_mistyped_extension_is_taken_back(runs, shorter, monkeypatch):
    """As long as no stage more has begun, the run may have fewer again, and is finished."""
    directory, data = shorter
    before = state(directory)

    def stopped(*_):
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(recurrence, "run_phase_a", stopped)
        with pytest.raises(Stopped):
            train(tiny(data, 50), directory)
    assert len(train(tiny(data, 2), directory)["stages"]) == 2
    assert (directory / "config.json").read_bytes() == before[directory / "config.json"]
    assert (directory / "summary.json").read_bytes() == before[directory / "summary.json"]


def test_stages_are_not_taken_away(runs):
    directory, data = runs[0] / "3", runs[1]
    before = state(directory)
    with pytest.raises(ConfigError, match="stages: 3, here 2.*stage 3; it can be given more"):
        train(tiny(data, 2), directory)
    assert state(directory) == before


def test_other_settings_are_refused_with_more_stages(shorter):
    directory, data = shorter
    before = state(directory)
    with pytest.raises(ConfigError, match="seed: 1, here 2; stages: 2, here 3"):
        train(tiny(data, 3, seed=2), directory)
    assert state(directory) == before


def test_a_run_that_stopped_early_goes_on_without_that(runs, tmp_path, monkeypatch):
    data, directory = runs[1], tmp_path / "run"
    monkeypatch.setattr(recurrence, "turned_upward", lambda history: len(history) == 2)
    early = tiny(data, 3, stop_early=True)
    assert len(train(early, directory)["stages"]) == 2
    extended = train(dataclasses.replace(early, stages=4), directory)  # it would stop there too
    assert len(extended["stages"]) == 2 and extended["config"]["stages"] == 4
    train(dataclasses.replace(early, stop_early=False), directory)
    assert differences(outcome(runs[0] / "3"), outcome(directory)) == ""
    with pytest.raises(ConfigError, match="stop_early: False, here True"):
        train(early, directory)


def test_the_command(photo_folder, tmp_path):
    flags = [*TINY, f"--data={photo_folder}", f"--workdir={tmp_path / 'run'}", "--later_steps=1"]
    assert command(*flags)[0] == 0
    code, out, err = command(*flags, "--stages=2")
    assert code == 0 and "nothing to do" not in out, out + err
    assert "nothing to do" in command(*flags, "--stages=2")[1]
    assert "--workdir=" in refused(*flags) and "it can be given more stages" in refused(*flags)
