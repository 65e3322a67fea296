"""The rows of the ablation, the limits of a recommended recipe, and the experiment with --quick."""

import json

import pytest

from experiments import ablation, ablation_page
from rts_tf.config import preset
from rts_tf.errors import ConfigError
from rts_tf.metrics import baseline
from rts_tf.training import mos_validation
from tests.support.commands import set_flags
from tests.support.fake_viqet import fake_measure


def test_rows_are_settings_that_work_and_differ():
    found = [preset("quick", **(ablation.SETTINGS | changes)) for changes in ablation.ROWS.values()]
    assert len(set(found)) == len(found)
    assert all(name == name.lower() and ablation_page.LABELS[name] for name in ablation.ROWS)


def test_limits():
    good = {"mos_gain": 0.3, "corner_gain_db": 6.0, "flat_noise_gain": 1.5}
    assert ablation_page.keeps_limits(good)
    assert not any(
        ablation_page.keeps_limits(good | {key: value})
        for key, value in (("mos_gain", 0.29), ("corner_gain_db", 6.1), ("flat_noise_gain", 1.6))
    )


def test_the_experiment(tmp_path, small_photographs, capsys, monkeypatch):
    """The anchor of the run keeps the corner, so HR_n and the network's own output differ.

    The second time, what was measured is taken from files. VIQET is replaced.
    """
    for module in (mos_validation, baseline):
        monkeypatch.setattr(module, "measure", fake_measure)
    flags = {
        "data": str(small_photographs),
        "validation": str(small_photographs),
        "runs": str(tmp_path / "runs"),
        "output": str(tmp_path / "results"),
        "rows": ["band"],
        "quick": True,
    }
    file = tmp_path / "results/ablation.json"
    with set_flags(ablation.FLAGS, **flags):
        ablation.experiment()
        record = json.loads(file.read_text())
        ablation.experiment()
        assert json.loads(file.read_text())["rows"] == record["rows"]
        assert capsys.readouterr().out.count("own output measured") == 1
        ablation.FLAGS.rows = ["no such row"]
        with pytest.raises(ConfigError, match="--rows=no such row: choose from standard, "):
            ablation.experiment()
    row = record["rows"]["band"]
    hr_n, output = row["hr_n"], row["output"]
    assert hr_n["mos_gain"] != output["mos_gain"] and row["settings"] == {"anchor": "band"}
    assert abs(hr_n["brightness_drift_levels"]) < abs(output["brightness_drift_levels"])
    assert str(tmp_path) not in json.dumps(record)
    text = (tmp_path / "results/ablation.md").read_text()
    assert "| anchor band | +" in text or "| anchor band | -" in text
    assert (tmp_path / "results/ablation_trade.png").stat().st_size < 300_000
