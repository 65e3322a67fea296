"""Damaged files of a run are made again to the same weights, or one line gives working advice.

Shards are in test_shards.py, checkpoints in test_training.py.
"""

import json
import pathlib
import re
import shutil

import numpy as np
import pytest

from rts_tf.export import __main__ as export
from tests.support.commands import TINY, command, command_of, photo, refused
from tests.support.damage import truncate

STAGES = 2
ENDS = ("summary.json", "final.keras")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(directory, flags) of a finished run."""
    folder = tmp_path_factory.mktemp("damaged")
    photos = folder / "photos"
    photos.mkdir()
    for i in range(2):
        photo(i).save(photos / f"{i}.png")
    flags = (
        f"--data={photos}",
        f"--validation={photos}",
        *TINY,
        f"--stages={STAGES}",
        "--later_steps=1",
    )
    assert command(f"--workdir={folder / 'run'}", *flags)[0] == 0
    return folder / "run", flags


@pytest.fixture
def run(whole, tmp_path):
    """A copy of it, one step before its end."""
    shutil.copytree(whole[0], tmp_path / "run")
    for name in ENDS:
        (tmp_path / "run" / name).unlink()
    return tmp_path / "run"


def check_it_ends_as_the_whole_one(run, whole):
    code, out, err = command(f"--workdir={run}", *whole[1])
    assert code == 0, out + err
    summaries = [json.loads((folder / "summary.json").read_text()) for folder in (run, whole[0])]
    assert len({summary["weights_sha256"] for summary in summaries}) == 1
    stages = [
        [{k: v for k, v in stage.items() if "seconds" not in k} for stage in summary["stages"]]
        for summary in summaries
    ]
    assert stages[0] == stages[1]
    for n in range(1, STAGES + 1):
        crops = [np.load(folder / f"stage_{n}" / "crops.npz") for folder in (run, whole[0])]
        assert all(np.array_equal(crops[0][key], crops[1][key]) for key in crops[1])
        assert not {"checkpoint", "targets", "validation"} & {
            path.name for path in (run / f"stage_{n}").iterdir()
        }


def test_figures_of_phase_a_that_are_gone_are_made_again(run, whole):
    (run / "stage_2/metrics.json").unlink()
    (run / "stage_2/phase_a.json").write_bytes(b"")
    line = refused(f"--workdir={run}", *whole[1])
    assert (
        f"{run}/stage_2/phase_a.json: is damaged" in line
        and "delete it to have it made again" in line
    )
    (run / "stage_2/phase_a.json").unlink()
    check_it_ends_as_the_whole_one(run, whole)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [truncate, pathlib.Path.unlink, empty])
def test_crops_are_made_again(run, whole, spoil):
    spoil(run / "stage_1/crops.npz")
    spoil(run / "stage_2/crops.npz")
    check_it_ends_as_the_whole_one(run, whole)


@pytest.mark.parametrize("damage", ["cut", "another network"])
def test_a_spoiled_network_is_never_the_final_one(run, whole, damage):
    selected = json.loads((whole[0] / "summary.json").read_text())["selected_stage"]
    file = run / f"stage_{selected}" / "model.keras"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:20000])
    else:
        shutil.copy(run / f"stage_{STAGES + 1 - selected}" / "model.keras", file)
    line = refused(f"--workdir={run}", *whole[1])
    assert (
        line.startswith(f"error: {file}: ")
        and f"; delete {file.parent} and run the command again" in line
    )
    assert not any((run / name).exists() for name in ENDS)
    shutil.rmtree(file.parent)
    check_it_ends_as_the_whole_one(run, whole)


def test_a_spoiled_network_that_the_next_stage_begins_with(run, whole):
    shutil.rmtree(run / "stage_2")
    (run / "stage_1/model.keras").write_bytes(b"PK")
    line = refused(f"--workdir={run}", *whole[1])
    assert (
        line.startswith(f"error: {run}/stage_1/model.keras: ")
        and f"; delete {run}/stage_1 and run the command" in line
    )
    shutil.rmtree(run / "stage_1")
    check_it_ends_as_the_whole_one(run, whole)


@pytest.mark.parametrize("finished", [True, False])
def test_export_names_a_spoiled_shard(whole, tmp_path, finished):
    run, flags = shutil.copytree(whole[0], tmp_path / "run"), whole[1]
    shard = run / "source/training/00000.tfrecord"
    truncate(shard)
    stage = [] if finished else ["--stage=1"]
    if not finished:
        (run / "summary.json").unlink()
    code, out, err = command_of(export, f"--workdir={run}", "--formats=saved_model", *stage)
    assert code == 1 and err.startswith("error: ") and err.count("\n") == 1, out + err
    assert f"{shard}: has {shard.stat().st_size} bytes instead of" in err
    assert f"--model={run}/final.keras" in err
    deleted = re.search("delete (.*) and run the training command again", err)
    if finished:
        pathlib.Path(deleted[1]).unlink()
    assert deleted or "run the training command again" in err
    assert command(f"--workdir={run}", *flags)[0] == 0
    assert shard.read_bytes() == (whole[0] / "source/training/00000.tfrecord").read_bytes()
