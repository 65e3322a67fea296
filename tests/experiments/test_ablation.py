import json

import pytest

from experiments import ablation
from rts_tf.config import preset
from rts_tf.errors import ConfigError
from rts_tf.metrics import baseline
from rts_tf.training import mos_validation as judging_mos
from tests.support.commands import set_flags
from tests.training.test_mos_validation import fake_measure


def test_rows_are_settings_that_work_and_differ():
    found = [
        preset("standard", **(ablation.SETTINGS | changes)) for _, changes in ablation.ROWS.values()
    ]
    assert len(set(found)) == len(found)
    assert all(name == name.lower() and label for name, (label, _) in ablation.ROWS.items())


def test_limits():
    good = {"mos_gain": 0.3, "corner_gain_db": 6.0, "flat_noise_gain": 1.5}
    assert ablation.meets(good)
    assert not any(
        ablation.meets(good | {key: value})
        for key, value in (("mos_gain", 0.29), ("corner_gain_db", 6.1), ("flat_noise_gain", 1.6))
    )


def test_the_command(tmp_path, small_photographs, capsys, monkeypatch):
    """--quick: a run whose anchor keeps the corner, so that HR_n and the network's output differ; the second time from files.

    VIQET is replaced: it has tests of its own.
    """
    for module in (judging_mos, baseline):
        monkeypatch.setattr(module, "measure", fake_measure)
    flags = {
        "data": str(small_photographs),
        "validation": str(small_photographs),
        "runs": str(tmp_path / "runs"),
        "output": str(tmp_path / "results"),
        "rows": ["band"],
        "quick": True,
    }
    with set_flags(ablation.FLAGS, **flags):
        ablation.experiment()
        record = json.loads((tmp_path / "results/ablation.json").read_text())
        ablation.experiment()
        assert (
            json.loads((tmp_path / "results/ablation.json").read_text())["rows"] == record["rows"]
        )
        assert capsys.readouterr().out.count("own output measured") == 1
        ablation.FLAGS.rows = ["no such row"]
        with pytest.raises(ConfigError, match="--rows=no such row: choose of standard, "):
            ablation.experiment()
    row = record["rows"]["band"]
    assert row["hr_n"]["mos_gain"] != row["output"]["mos_gain"] and row["settings"] == {
        "anchor": "band"
    }
    assert abs(row["hr_n"]["brightness_drift_levels"]) < abs(
        row["output"]["brightness_drift_levels"]
    )
    assert str(tmp_path) not in json.dumps(record)
    assert (
        "| anchor band | +" in (text := (tmp_path / "results/ablation.md").read_text())
        or "| anchor band | -" in text
    )
    assert (tmp_path / "results/ablation_trade.png").stat().st_size < 300_000
