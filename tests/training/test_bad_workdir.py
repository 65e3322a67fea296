"""Unfit directories, full disks, full memory: one line, exit code 1, and nothing lost."""

import fcntl
import os
import pathlib
import re
import shutil

import pytest

from rts_tf.config import Config
from rts_tf.errors import ConfigError
from tests.support.commands import TINY, command, refused, state
from tests.support.disk import largest_file


def is_a_file(run):
    run.write_text("precious")
    return f"--workdir={run}: cannot be made or written to (File exists); name another"


def below_a_file(run):
    run.parent.joinpath("file").write_text("precious")
    return run.parent / "file" / "run", "cannot be made or written to (Not a directory)"


def unwritable(run):
    if os.geteuid() == 0:  # whom permissions do not stop
        return pathlib.Path(
            "/proc/rts_run"
        ), "--workdir=/proc/rts_run: cannot be made or written to"
    run.mkdir(mode=0o555)
    return f"--workdir={run}: cannot be made or written to (Permission denied)"


def a_folder_of_something_else(run):
    run.mkdir()
    (run / "letter.txt").write_text("precious")
    return f"--workdir={run}: is not empty and not a run (it has no config.json); name another"


def config_truncated(run):
    run.mkdir()
    (run / "config.json").write_text(Config().to_json()[:100])
    return f"{run}/config.json: cannot read the settings"


def config_of_bytes(run):
    run.mkdir()
    (run / "config.json").write_bytes(bytes(range(128, 256)))
    return f"{run}/config.json: "


def config_of_another_program(run):
    run.mkdir()
    (run / "config.json").write_text('{"model_type": "bert"}')
    return f"{run}/config.json: cannot read the settings: not the settings of this version"


def config_of_wrong_types(run):
    run.mkdir()
    (run / "config.json").write_text(Config().to_json().replace('"stages": 4', '"stages": "4"'))
    return f"{run}/config.json: cannot read the settings: --stages='4': must be of type int"


def config_is_a_folder(run):
    (run / "config.json").mkdir(parents=True)
    return "Is a directory"


def other_settings(run):
    run.mkdir()
    (run / "config.json").write_text(
        Config(seed=7, data="/elsewhere", precision="float32").to_json()
    )
    return (
        "(?=.*seed: 7, here 1)(?=.*data: '/elsewhere', here '.*photos')"
        "(?=.*patch: 96, here 32)(?!.*tile)"
    )


@pytest.mark.parametrize(
    "make",
    [
        is_a_file,
        below_a_file,
        unwritable,
        a_folder_of_something_else,
        config_truncated,
        config_of_bytes,
        config_of_another_program,
        config_of_wrong_types,
        config_is_a_folder,
        other_settings,
    ],
)
def test_run_directories(make, photo_folder, tmp_path):
    made = make(tmp_path / "run")
    run, reason = made if isinstance(made, tuple) else (tmp_path / "run", made)
    before = state(tmp_path)
    for _ in range(2):  # the second time too: nothing was begun
        line = refused(f"--workdir={run}", f"--data={photo_folder}", *TINY)
        assert reason in line or re.search(reason, line), line
    assert state(tmp_path) == before


def test_hidden_files_of_others_are_kept(photo_folder, tmp_path):
    """A directory with only hidden files may become a run, and these files stay."""
    (tmp_path / "run").mkdir()
    kept = [tmp_path / "run" / name for name in (".DS_Store", ".notes.tmp", ".letter.tmp.odt")]
    for path in kept:
        path.write_text("precious")
    refused(f"--workdir={tmp_path / 'run'}", f"--data={photo_folder / 'nowhere'}", *TINY)
    assert all(path.read_text() == "precious" for path in kept)


def mistyped_data(folder):
    return [f"--data={folder / 'nowhere'}"], "no such folder"


def mistyped_validation(folder):
    return [f"--data={folder}", f"--validation={folder / 'nowhere'}"], "no such folder"


def patch_too_large(folder):
    return [f"--data={folder}", "--patch=66"], "needs 66 pixels a side"


@pytest.mark.parametrize("there_before", [False, True])
@pytest.mark.parametrize("mistake", [mistyped_data, mistyped_validation, patch_too_large])
def test_a_mistake_leaves_nothing_behind(photo_folder, tmp_path, mistake, there_before):
    """So that the corrected command, which has other settings, is not refused."""
    run, (arguments, reason) = tmp_path / "runs" / "run", mistake(photo_folder)
    if there_before:
        run.mkdir(parents=True)
        (run / ".notes").write_text("precious")
    before = set(tmp_path.rglob("*"))
    for _ in range(2):
        assert re.search(reason, refused(f"--workdir={run}", *TINY, *arguments))
        assert set(tmp_path.rglob("*")) == before


def test_a_mistake_leaves_what_was_made(photo_folder, tmp_path, monkeypatch):
    """A finished shard, of a set that is published or not, and the settings it was made with."""
    from rts_tf.training import run as run_module

    def sources(directory, say, workers):
        shard.parent.mkdir(parents=True)
        shard.write_bytes(b"shard")
        raise ConfigError("a mistake")

    monkeypatch.setattr(run_module, "_sources", sources)
    for name in ("training.partial", "validation"):
        run = tmp_path / name
        shard = run / "source" / name / "00000.tfrecord"
        assert "a mistake" in refused(f"--workdir={run}", f"--data={photo_folder}", *TINY)
        assert shard.exists() and (run / "config.json").exists()


def test_a_mistake_leaves_the_settings_that_were_there(photo_folder, tmp_path):
    run, arguments = tmp_path / "run", [f"--data={photo_folder}", *TINY]
    refused(f"--workdir={run}", f"--data={photo_folder}s", *TINY)  # nothing is left of it
    assert command(f"--workdir={run}", *arguments)[0] == 0
    shutil.rmtree(run / "source")
    (run / "summary.json").unlink()
    before = state(run)
    photo_folder.rename(tmp_path / "moved")
    assert "no such folder" in refused(f"--workdir={run}", *arguments)
    assert state(run) == before


def test_two_processes_on_one_directory(photo_folder, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with open(run / ".lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        line = refused(f"--workdir={run}", f"--data={photo_folder}", *TINY)
        assert f"--workdir={run}: another process is working on this run; wait" in line
    line = refused(f"--workdir={run}", f"--data={photo_folder / 'nowhere'}", *TINY)
    assert "no such folder" in line  # the lock is free again, and each refusal frees it


# --- the machine


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (100, "File too large.*What was done is kept"),
        (3000, r"00000.tfrecord: cannot be written .*MB free"),
    ],
)
def test_a_disk_that_is_full(photo_folder, tmp_path, size, reason):
    """Later stages of the run meet it in test_crash.py."""
    run = tmp_path / "run"
    with largest_file(size):
        line = refused(f"--workdir={run}", f"--data={photo_folder}", *TINY)
    assert re.search(reason, line)
    assert not [path for path in state(run) if path.suffix == ".tfrecord"]


def test_memory_that_is_full(photo_folder, tmp_path, monkeypatch):
    import tensorflow as tf

    from rts_tf.training import recurrence

    def exhausted(*_, **settings):
        raise tf.errors.ResourceExhaustedError(
            None, None, "OOM when allocating tensor with shape[4096,4096]\n\t [[node]]"
        )

    monkeypatch.setattr(recurrence, "train", exhausted)
    line = refused(f"--workdir={tmp_path / 'run'}", f"--data={photo_folder}", *TINY)
    assert (
        "no memory or disk is left (OOM when allocating tensor with shape[4096,4096])" in line
        and "--batch" in line
    )
