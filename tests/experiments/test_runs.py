"""What the experiments read from runs, and the commands that they print."""

import json
import sys

import pytest
from absl import flags

from experiments import ablation, runs
from tests.support.commands import set_flags


@pytest.mark.parametrize("word", ["images", "pictures"])
def test_summaries_of_all_versions(tmp_path, word):
    """Runs of earlier versions have their numbers of images under other keys."""
    written = {f"training_{word}": 9, f"validation_{word}": 2, "seconds": 1.5}
    (tmp_path / "summary.json").write_text(json.dumps(written))
    summary = runs.summary(tmp_path)
    assert summary == {"training_images": 9, "validation_images": 2, "seconds": 1.5}
    assert runs.image_counts(summary) == {"training_images": 9, "validation_images": 2}


def test_the_command_to_type_again(tmp_path, monkeypatch):
    """It has the flags that were given, but not where runs and results lie."""
    monkeypatch.chdir(tmp_path)
    given = {"data": str(tmp_path / "photos"), "output": "elsewhere", "runs": "elsewhere"}
    with set_flags(ablation.FLAGS, **given, rows=["band", "ema"], quick=True):
        words = set(runs.command(ablation.FLAGS, "ablation").split(" "))
    expected = {
        "python",
        "-m",
        "experiments.ablation",
        "--data=photos",
        "--rows=band,ema",
        "--quick",
    }
    assert words == expected


def test_an_experiment_without_the_shared_flags_runs(monkeypatch):
    own, called = flags.FlagValues(), []
    flags.DEFINE_string("name", "", "Of something.", flag_values=own)
    monkeypatch.setattr(sys, "argv", ["experiment", "--name=a"])
    with pytest.raises(SystemExit) as stopped:
        runs.start(own, lambda: called.append(own.name))
    assert not stopped.value.code and called == ["a"]
