"""experiments.fine_tuning with --quick."""

import json

import pytest

from experiments import fine_tuning
from rts_tf.errors import ConfigError
from tests.support.commands import set_flags


def test_the_experiment(small_photographs, tmp_path):
    folders = {"data": str(small_photographs), "validation": str(small_photographs)}
    places = {"runs": str(tmp_path / "runs"), "output": str(tmp_path / "results")}
    with set_flags(fine_tuning.FLAGS, **folders, **places, images=3, quick=True):
        fine_tuning.experiment()
    record = json.loads((tmp_path / "results" / "fine_tuning.json").read_text())
    assert record["images"] == {"training_images": 3, "validation_images": 5}
    assert [row["steps"] for row in record["by_steps"]] == list(fine_tuning.STEPS[:2])
    for row in record["by_steps"]:  # four steps from interpolation, and from trained weights
        assert row["the weights"]["validation_loss"] < row["nothing"]["validation_loss"]
    lengths = {name: len(ratios) for name, ratios in record["by_targets"].items()}
    assert list(lengths.values()) == [1, 3, 3, 2]
    assert record["settings"]["init"] == "residual1" and "data" not in record["settings"]
    assert str(tmp_path) not in json.dumps(record["settings"])
    page = (tmp_path / "results" / "fine_tuning.md").read_text()
    assert page == fine_tuning.markdown(record) and "| from the weights, enhanced |" in page


def row(steps: int, nothing: float, weights: float) -> dict:
    found = {"nothing": nothing, "the weights": weights}
    return {"steps": steps} | {name: {"validation_loss": loss} for name, loss in found.items()}


@pytest.mark.parametrize("weights, expected", [((1.9, 2.5), 100), ((1.9, 2.0), 10), ((3, 3), None)])
def test_the_steps_that_are_needed(weights, expected):
    rows = [row(100, 2.0, weights[0]), row(10, 5.0, weights[1])]
    assert fine_tuning.needed(rows) == expected


def test_too_few_images(small_photographs):
    with (
        set_flags(fine_tuning.FLAGS, data=str(small_photographs), images=20),
        pytest.raises(ConfigError, match="is not a folder with 20 images"),
    ):
        fine_tuning.chosen_images(fine_tuning.FLAGS)
