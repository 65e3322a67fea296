import json

import numpy as np
import pytest

import rts_tf
from rts_tf.config import preset
from rts_tf.errors import ConfigError
from rts_tf.images.rgb import read_image
from rts_tf.metrics.difference import change_percent, drift_levels
from rts_tf.training import validation
from rts_tf.training.anchors import anchored
from rts_tf.training.recurrence import train
from tests.support.commands import command
from tests.support.training import SMALL_RUN as SMALL


@pytest.fixture(scope="module")
def finished(small_photographs, tmp_path_factory):
    """(directory, summary, lines said) of a run of three stages on its training images."""
    directory = tmp_path_factory.mktemp("runs") / "run"
    config = preset(
        "quick", data=str(small_photographs), validation=str(small_photographs), stages=3, **SMALL
    )
    lines = []
    summary = train(config, directory, lines.append)
    return directory, summary, lines


def test_the_directory_holds_what_it_says(finished):
    directory, summary, _ = finished
    held = {path.relative_to(directory).as_posix() for path in directory.rglob("*")}
    assert {
        "config.json",
        "summary.json",
        "report.html",
        "final.keras",
        "logs",
        "stage_3/model.keras",
    } <= held
    assert {"source/training/00000.tfrecord", "stage_1/metrics.json"} <= held
    assert not {
        path
        for path in held
        if "targets/" in path or ".partial" in path or ".tmp" in path or "checkpoint" in path
    }
    assert json.loads((directory / "summary.json").read_text()) == summary


def test_the_summary_has_every_figure_of_every_stage(finished):
    _, summary, _ = finished
    assert [stage["stage"] for stage in summary["stages"]] == list(
        range(1, len(summary["stages"]) + 1)
    )
    for stage in summary["stages"]:
        assert stage["steps"] == (60 if stage["stage"] == 1 else 30)
        figures = (
            "final_loss",
            "phase_a_seconds",
            "phase_b_seconds",
            "difference_ratio_percent",
            "delta_percent",
            "step_difference_percent",
            "alpha_mean",
            "alpha_std",
            "brightness_drift_levels",
            "network_drift_levels",
            "unsharp_ratio_percent",
        )
        assert all(np.isfinite(stage[figure]) for figure in figures)
        assert stage["phase_a_seconds"] > 0 and stage["phase_b_seconds"] > 0
    ratios = [stage["difference_ratio_percent"] for stage in summary["stages"]]
    assert [stage["delta_percent"] for stage in summary["stages"]] == pytest.approx(
        np.diff([0, *ratios]).tolist()
    )
    assert summary["stages"][0]["unsharp_ratio_percent"] == pytest.approx(ratios[0], rel=1e-3)
    assert (
        summary["selected_stage"] in range(1, 4)
        and summary["selected_because"]
        and summary["stopped_because"]
    )


def test_the_figures_are_those_of_the_saved_networks(finished, small_photographs):
    """Table 1 made again from the images and the stages' networks alone."""
    directory, summary, _ = finished
    ratios, steps, drifts, before = [], [], [], None
    for stage in summary["stages"]:
        model, rows, now = (
            rts_tf.load(directory / f"stage_{stage['stage']}" / "model.keras"),
            [],
            [],
        )
        for i, path in enumerate(sorted(small_photographs.iterdir())):
            image = read_image(path)
            hr_0 = (
                image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2].astype(np.float32) / 255
            )
            hr_n = anchored(model.enhance(hr_0)[None], hr_0[None], "low")[0].numpy()
            now.append(hr_n)
            step = change_percent(hr_n, before[i] if before else hr_0)
            rows.append((change_percent(hr_n, hr_0), step, drift_levels(hr_n, hr_0)))
        before = now
        for column, value in zip((ratios, steps, drifts), np.mean(rows, axis=0), strict=True):
            column.append(value)
    of = lambda key: [stage[key] for stage in summary["stages"]]  # noqa: E731
    assert of("difference_ratio_percent") == pytest.approx(ratios, abs=5e-3)  # targets are float16
    assert of("step_difference_percent") == pytest.approx(steps, abs=1e-2)
    assert of("brightness_drift_levels") == pytest.approx(drifts, abs=1e-2)


def test_final_network_is_the_selected_one(finished, photograph):
    directory, summary, _ = finished
    selected = rts_tf.load(directory / f"stage_{summary['selected_stage']}" / "model.keras")
    np.testing.assert_array_equal(
        rts_tf.load(directory).enhance(photograph), selected.enhance(photograph)
    )


def test_a_second_run_says_so_and_changes_nothing(finished, small_photographs):
    directory, summary, _ = finished
    times = {
        path: path.stat().st_mtime_ns for path in directory.rglob("*.*") if path.name != ".lock"
    }
    flags = [f"--{name}={value}" for name, value in (SMALL | {"stages": 3}).items()]
    folders = [f"--data={small_photographs}", f"--validation={small_photographs}"]
    code, out, _ = command(f"--workdir={directory}", *folders, *flags)
    assert code == 0 and "finished" in out
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert {path for path in directory.rglob("*.*") if path.name != ".lock"} == set(times)


def test_another_configuration_is_refused_by_field(finished, small_photographs):
    directory, *_ = finished
    config = preset(
        "quick",
        data=str(small_photographs),
        validation=str(small_photographs),
        stages=4,
        seed=9,
        **SMALL,
    )
    with pytest.raises(ConfigError, match="seed: 1, here 9; stages: 3, here 4"):
        train(config, directory)


def test_a_run_says_how_many_images_it_has(finished):
    _, _, lines = finished
    assert lines[:2] == ["training: 5 images", "validation: 5 images"]


def test_targets_are_kept_on_request(small_photographs, tmp_path):
    small = SMALL | {"first_steps": 2, "later_steps": 2, "stages": 2}
    config = preset(
        "quick",
        data=str(small_photographs),
        keep_targets=True,
        anchor="band",
        stop_early=False,
        **small,
    )
    train(config, tmp_path / "run")
    assert (tmp_path / "run/stage_1/targets/manifest.json").exists()
    assert {p.name for p in (tmp_path / "run").glob("stage_*/validation")} == {"validation"}


def test_lanczos_degradation_does_nothing(small_photographs, tmp_path):
    """The control: if the degradation is d() itself, there is little to gain."""
    ratios = {}
    for kernel in ("bilinear", "lanczos"):
        config = preset(
            "quick",
            data=str(small_photographs),
            validation=str(small_photographs),
            stages=1,
            kernel=kernel,
            degradation="reduce",
            **(SMALL | {"first_steps": 150}),
        )
        summary = train(config, tmp_path / kernel)
        ratios[kernel] = summary["stages"][0]["difference_ratio_percent"]
    assert ratios["lanczos"] < 0.6 * ratios["bilinear"]


def test_an_upward_turn_ends_the_run_before_its_last_stage(
    small_photographs, tmp_path, monkeypatch
):
    real = validation.measure_change

    def rising(source, stage, before, *others):
        metrics = real(source, stage, before, *others)
        return metrics | {"step_difference_percent": 1.0 if before is None else 2.0}

    monkeypatch.setattr(validation, "measure_change", rising)
    small = SMALL | {"first_steps": 2, "later_steps": 2}
    summary = train(preset("quick", data=str(small_photographs), **small), tmp_path / "run")
    assert len(summary["stages"]) == 2 and summary["selected_stage"] == 1
    assert "section 3.4" in summary["stopped_because"]
