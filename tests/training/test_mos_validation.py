"""Validation by MOS: the measures of a run, and the selected stage. VIQET itself is replaced."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from skimage import data

import rts_tf
from rts_tf.config import preset
from rts_tf.data.codecs import jpeg
from rts_tf.errors import ConfigError, Interrupted
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.images.rgb import read_image
from rts_tf.metrics import baseline
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.unsharp import unsharp_mask
from rts_tf.training import mos_validation, validation
from rts_tf.training.anchors import anchored
from rts_tf.training.recurrence import train
from tests.support.fake_viqet import fake_measure, sharpness
from tests.support.training import SMALL_RUN as SMALL

TINY = {"first_steps": 2, "stages": 1}


@pytest.fixture(scope="module")
def validated(small_photographs, tmp_path_factory):
    """(directory, summary) of a run by MOS, interrupted once after the originals were measured."""
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
        patch.setattr(mos_validation, "measure", fake_measure)
        patch.setattr(baseline, "measure", fake_measure)

        def interrupted(*_):
            raise Interrupted("stopped")

        with pytest.MonkeyPatch.context() as once, pytest.raises(Interrupted):
            once.setattr(validation, "measure_stage", interrupted)
            train(config, directory)
        assert (directory / "originals.json").exists()
        patch.setattr(
            validation,
            "measure_originals",
            lambda *_: pytest.fail("the originals were measured already"),
        )
        return directory, train(config, directory)


def test_every_row_of_table_2_is_that_of_its_image(validated, small_photographs):
    directory, summary = validated
    originals = json.loads((directory / "originals.json").read_text())
    model = rts_tf.load(directory / "stage_2" / "model.keras")
    rows = json.loads((directory / "stage_2" / "quality.json").read_text())
    for path in small_photographs.iterdir():
        image = read_image(path)
        hr_0 = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
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


def test_the_summary_has_means_and_the_stage_of_the_best_mos_that_does_no_harm(validated):
    directory, summary = validated
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
    harmless = [stage for stage in summary["stages"] if stage["coded_psnr_gain_db"] >= 0]
    best = max(harmless or summary["stages"], key=lambda stage: stage["mos_raw"])
    assert (
        summary["selected_stage"] == best["stage"]
        and "first criterion" in summary["selected_because"]
    )
    report = (directory / "report.html").read_text(encoding="utf-8")
    assert "Table 2: image quality by VIQET" in report


def test_the_unsharp_mask_has_the_same_mos(validated, small_photographs):
    directory, _ = validated
    rows = json.loads((directory / "stage_1" / "quality.json").read_text())
    reached = {name: row for name, row in rows.items() if row["unsharp_amount"]}
    assert reached
    for name, row in reached.items():
        image = read_image(small_photographs / name)
        hr_0 = to_float(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])
        mask = unsharp_mask(hr_0, row["unsharp_amount"])
        assert sharpness(to_uint8(mask)) == pytest.approx(row["mos_raw"], abs=0.03)
        assert row["unsharp_overshoot_levels"] == pytest.approx(
            measure_artifacts(mask, hr_0).overshoot_levels, rel=1e-3
        )


def test_means_leave_out_missing_figures():
    rows = [{"a": 1.0, "b": None, "c": None}, {"a": 3.0, "b": 5.0, "c": float("nan")}]
    assert mos_validation.means(rows) == {"a": 2.0, "b": 5.0, "c": None}


def test_small_images_are_selected_by_their_change(small_photographs, tmp_path):
    lines = []
    config = preset("quick", data=str(small_photographs), **SMALL | TINY)
    summary = train(config, tmp_path / "run", lines.append)
    reason = "stages are selected by delta, since most validation images are below a megapixel"
    assert any(line.startswith(reason) for line in lines)
    assert (
        summary["judged_by"].startswith("delta")
        and summary["originals"] == {}
        and "mos" not in summary["stages"][0]
    )


def test_images_that_viqet_cannot_measure_are_left_out_of_the_mos_alone(
    small_photographs, tmp_path, monkeypatch
):
    monkeypatch.setattr(mos_validation, "measure", fake_measure)
    monkeypatch.setattr(baseline, "measure", fake_measure)
    folder = tmp_path / "validation"
    folder.mkdir()
    Image.fromarray(np.tile(data.brick()[:16, :400, None], (1, 1, 3))).save(folder / "ribbon.png")
    config = preset(
        "quick", data=str(small_photographs), validation=str(folder), judge="mos", **SMALL | TINY
    )
    with pytest.raises(
        ConfigError, match="`judge`=mos: every validation image is too long and narrow"
    ):
        train(config, tmp_path / "run")
    shutil.copy(small_photographs / "picture 0.png", folder)
    lines = []
    summary = train(config, tmp_path / "again", lines.append)
    assert "too long and narrow for VIQET, so without MOS: ribbon.png" in lines
    rows = json.loads((tmp_path / "again/stage_1/quality.json").read_text())
    assert set(rows) == {"picture 0.png"} and summary["validation_images"] == 2
