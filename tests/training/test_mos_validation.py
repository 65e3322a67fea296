"""Judging by MOS: what is measured, and what a run does with it. VIQET itself is replaced: it has tests of its own."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from skimage import data

import rts_tf
from rts_tf.config import preset
from rts_tf.data.degradation import jpeg
from rts_tf.errors import ConfigError, Interrupted
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.images.read import read_image
from rts_tf.metrics import baseline
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.unsharp import unsharp_mask
from rts_tf.metrics.viqet import Quality
from rts_tf.training import mos_validation as judging_mos
from rts_tf.training import recurrence
from rts_tf.training.phase_b import anchored
from tests.training.test_recurrence import SMALL

TINY = {"first_steps": 2, "stages": 1}


def sharpness(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.astype(float), axis=0)).mean()) / 10


def fake_measure(picture: np.ndarray) -> Quality:
    assert picture.dtype == np.uint8
    return Quality(*[1.0] * 3, float("nan"), *[1.0] * 7, mos=2.0, mos_raw=sharpness(picture))


@pytest.fixture(scope="module")
def judged(small_photographs, tmp_path_factory):
    """(directory, summary) of a run judged by MOS that was interrupted once, after the first look at the originals."""
    directory = tmp_path_factory.mktemp("mos") / "run"
    flags = SMALL | {"stages": 2, "stop_early": False, "degradation": "jpeg,reduce"}
    config = preset(
        "quick",
        data=str(small_photographs),
        validation=str(small_photographs),
        judge="mos",
        **flags,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging_mos, "measure", fake_measure)
        patch.setattr(baseline, "measure", fake_measure)

        def interrupted(*_):
            raise Interrupted("stopped")

        with pytest.MonkeyPatch.context() as once, pytest.raises(Interrupted):
            once.setattr(recurrence, "measure_stage", interrupted)
            recurrence.run(config, directory, Console(quiet=True))
        assert (directory / "originals.json").exists()
        patch.setattr(
            recurrence,
            "measure_originals",
            lambda *_: pytest.fail("the originals were measured already"),
        )
        return directory, recurrence.run(config, directory, Console(quiet=True))


def test_every_row_of_table_2_is_that_of_its_picture(judged, small_photographs):
    directory, summary = judged
    originals = json.loads((directory / "originals.json").read_text())
    model = rts_tf.load(directory / "stage_2" / "model.keras")
    rows = json.loads((directory / "stage_2" / "quality.json").read_text())
    for path in small_photographs.iterdir():
        picture = read_image(path)
        hr_0 = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        found = originals[path.name]
        assert found["hr_0"]["mos_raw"] == pytest.approx(sharpness(hr_0))
        qualities = {sharpness(jpeg(hr_0, quality)) for quality in range(60, 96)}
        assert min(abs(found["lr_jpeg"]["mos_raw"] - s) for s in qualities) < 1e-9
        assert found["lr_half"]["mos_raw"] < found["hr_0"]["mos_raw"]  # blurred
        assert found["unsharp_scores"] == sorted(found["unsharp_scores"])
        hr_n = anchored(model.enhance(to_float(hr_0))[None], to_float(hr_0)[None], "low")[0].numpy()
        row = rows[path.name]
        assert row["mos_raw"] == pytest.approx(
            sharpness(to_uint8(hr_n)), abs=0.02
        )  # targets are float16
        assert row["mos_gain"] == pytest.approx(row["mos_raw"] - found["hr_0"]["mos_raw"])
        assert row["flat_region_index"] is None


def test_the_summary_has_means_and_the_stage_of_the_best_mos(judged):
    directory, summary = judged
    assert summary["judged_by"] == "mos" and set(summary["originals"]) == {
        "lr_jpeg",
        "lr_half",
        "hr_0",
    }
    for stage in summary["stages"]:
        rows = json.loads(
            (directory / f"stage_{stage['stage']}" / "quality.json").read_text()
        ).values()
        for figure in (
            "mos_raw",
            "mos",
            "edge_acutance",
            "mos_gain",
            "overshoot_levels",
            "corner_gain_db",
            "unsharp_amount",
        ):
            assert stage[figure] == pytest.approx(
                np.mean([row[figure] for row in rows if row[figure] is not None])
            )
    best = max(summary["stages"], key=lambda stage: stage["mos_raw"])
    assert (
        summary["selected_stage"] == best["stage"]
        and "first criterion" in summary["selected_because"]
    )
    assert "Table 2: what VIQET says" in (directory / "report.html").read_text(encoding="utf-8")


def test_the_rival_has_the_same_mos(judged, small_photographs):
    directory, _ = judged
    rows = json.loads((directory / "stage_1" / "quality.json").read_text())
    reached = {name: row for name, row in rows.items() if row["unsharp_amount"]}
    assert reached
    for name, row in reached.items():
        picture = read_image(small_photographs / name)
        hr_0 = to_float(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])
        mask = unsharp_mask(hr_0, row["unsharp_amount"])
        assert sharpness(to_uint8(mask)) == pytest.approx(row["mos_raw"], abs=0.03)
        assert row["unsharp_overshoot_levels"] == pytest.approx(
            measure_artifacts(mask, hr_0).overshoot_levels, rel=1e-3
        )


def test_means_pass_over_what_is_missing():
    rows = [{"a": 1.0, "b": None, "c": None}, {"a": 3.0, "b": 5.0, "c": float("nan")}]
    assert judging_mos.means(rows) == {"a": 2.0, "b": 5.0, "c": None}


def test_small_pictures_are_judged_by_the_change(small_photographs, tmp_path):
    with open(tmp_path / "output.txt", "w+") as file:
        config = preset("quick", data=str(small_photographs), **SMALL | TINY)
        summary = recurrence.run(config, tmp_path / "run", Console(file=file, width=200))
        file.seek(0)
        assert (
            "judged by delta, since most validation pictures are below a megapixel" in file.read()
        )
    assert (
        summary["judged_by"].startswith("delta")
        and summary["originals"] == {}
        and "mos" not in summary["stages"][0]
    )


def test_pictures_that_viqet_cannot_measure_are_left_out_of_the_mos_alone(
    small_photographs, tmp_path, monkeypatch
):
    monkeypatch.setattr(judging_mos, "measure", fake_measure)
    monkeypatch.setattr(baseline, "measure", fake_measure)
    folder = tmp_path / "validation"
    folder.mkdir()
    Image.fromarray(np.tile(data.brick()[:16, :400, None], (1, 1, 3))).save(folder / "ribbon.png")
    config = preset(
        "quick", data=str(small_photographs), validation=str(folder), judge="mos", **SMALL | TINY
    )
    with pytest.raises(
        ConfigError, match="--judge=mos: every validation picture is too long and narrow"
    ):
        recurrence.run(config, tmp_path / "run", Console(quiet=True))
    shutil.copy(small_photographs / "picture 0.png", folder)
    with open(tmp_path / "output.txt", "w+") as file:
        summary = recurrence.run(config, tmp_path / "again", Console(file=file, width=200))
        file.seek(0)
        assert "too long and narrow for VIQET, not judged by MOS: ribbon.png" in file.read()
    rows = json.loads((tmp_path / "again/stage_1/quality.json").read_text())
    assert set(rows) == {"picture 0.png"} and summary["validation_pictures"] == 2
