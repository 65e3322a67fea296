"""Wrong flags and folders: one line that names the flag, exit code 1, and nothing written."""

import os
import re
import subprocess
import sys

import pytest

from rts_tf.errors import RtsError
from tests.support.commands import TINY, photo, refused, state
from tests.support.paths import ROOT

# --- settings: refused before TensorFlow is loaded or anything written

SETTINGS = {
    "unknown preset": (["--preset=fast"], "--preset=fast: choose one of quick, standard, paper"),
    "no stages": (["--stages=0"], "--stages=0: must be from 1"),
    "negative stages": (["--stages=-3"], "--stages=-3: must be from 1"),
    "far too many stages": (["--stages=1000000"], "--stages=1000000: must be from 1 to 100"),
    "odd patch": (["--patch=33"], "--patch=33: must be even"),
    "tiny patch": (["--patch=8"], "--patch=8: must be from 16"),
    "empty batch": (["--batch=0"], "--batch=0"),
    "no steps": (["--first_steps=0"], "--first_steps=0"),
    "negative epochs": (["--epochs=-1"], "--epochs=-1"),
    "learning rate zero": (["--learning_rate=0"], "--learning_rate=0"),
    "learning rate not a number": (["--learning_rate=nan"], "--learning_rate=nan"),
    "learning rate infinite": (["--learning_rate=inf"], "--learning_rate=inf"),
    "average that never moves": (["--ema=1"], "--ema=1"),
    "unknown network": (["--network=vgg"], "--network=vgg: choose one of residual1"),
    "unknown kernel": (["--kernel=nearest"], "--kernel=nearest: choose"),
    "unknown degradation": (["--degradation=blur"], "--degradation=blur: choose"),
    "unknown anchor": (["--anchor=high"], "--anchor=high: choose"),
    "unknown precision": (["--precision=float16"], "--precision=float16: choose"),
    "JPEG range reversed": (
        ["--jpeg_low=90", "--jpeg_high=80"],
        "--jpeg_low=90 is above --jpeg_high=80",
    ),
    "JPEG quality above 100": (["--jpeg_high=101"], "--jpeg_high=101"),
    "negative noise": (["--noise=-1"], "--noise=-1.0: must be from 0"),
    "negative seed": (["--seed=-1"], "--seed=-1"),
    "shards without images": (["--images_per_shard=0"], "--images_per_shard=0"),
    "no checkpoints": (["--checkpoint_every=0"], "--checkpoint_every=0"),
    "no data": (["--data="], "--data is empty"),
    "no workdir": (["--workdir="], "--workdir is empty"),
    "two lines in a flag": (["--network=a\nb"], "--network=a\\nb: choose"),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_settings(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, reason = SETTINGS[kind]
    assert reason in refused("--workdir=run", *arguments) and not list(tmp_path.iterdir())


def test_a_terminal_that_lacks_a_letter(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "rts_tf.main", "--workdir=run", "--preset=\u5c71"]
    done = subprocess.run(
        line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and "error: --preset=\\u5c71: choose one of" in done.stderr
    assert not list(tmp_path.iterdir())


# --- folders that cannot be trained on


def missing(folder):
    return [f"--data={folder / 'nowhere'}"], f"--data={folder / 'nowhere'}: no such folder"


def a_file(folder):
    return [f"--data={folder / '0.png'}"], f"--data={folder / '0.png'}: is not a folder"


def empty(folder):
    (folder / "empty").mkdir()
    return [f"--data={folder / 'empty'}"], f"--data={folder / 'empty'}: holds no images (PNG"


def other_files(folder):
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("a")
    (folder / "texts" / "b.psd").write_bytes(b"8BPS")
    return [f"--data={folder / 'texts'}"], f"--data={folder / 'texts'}: holds no images"


def one_photograph(folder):
    (folder / "one").mkdir()
    photo().save(folder / "one" / "1.png")
    return [f"--data={folder / 'one'}"], f"--data={folder / 'one'}: holds one image; add more"


def all_damaged(folder):
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:1000])
    return [
        f"--data={folder}"
    ], f"--data={folder}: none of its 2 images can be used; the lines above say why"


def patch_too_large(folder):
    return [
        f"--data={folder}",
        "--patch=66",
    ], f"--data={folder}: none of its 2 images.*needs 66 pixels a side.*--patch"


def validation_missing(folder):
    return [
        f"--data={folder}",
        "--validation=nowhere",
    ], f"--validation={os.getcwd()}/nowhere: no such folder"


def validation_empty(folder):
    (folder / "empty").mkdir()
    return [
        f"--data={folder}",
        f"--validation={folder / 'empty'}",
    ], f"--validation={folder / 'empty'}: holds no images"


def validation_too_small(folder):
    small = folder.parent / "small"
    small.mkdir()
    photo(0, 1, 1).save(small / "dot.png")
    photo(0, 15, 64).save(small / "strip.png")
    return [
        f"--data={folder}",
        f"--validation={small}",
    ], f"--validation={small}: none of its 2 images can be used"


def div2k_offline(folder):
    return [
        "--data=div2k",
        f"--data_dir={folder / '0.png'}",
    ], "--data=div2k: tensorflow-datasets could not prepare DIV2K"


def two_lines_in_its_name(folder):
    return [f"--data={folder}/a\nb"], f"--data={folder}/a\\nb: no such folder"


@pytest.mark.parametrize(
    "make",
    [
        missing,
        a_file,
        empty,
        other_files,
        one_photograph,
        all_damaged,
        patch_too_large,
        validation_missing,
        validation_empty,
        validation_too_small,
        div2k_offline,
        two_lines_in_its_name,
    ],
)
def test_folders(make, photo_folder, tmp_path):
    arguments, reason = make(photo_folder)
    before = state(photo_folder)
    line = refused(f"--workdir={tmp_path / 'run'}", *TINY, *arguments)
    assert reason in line or re.search(reason, line)
    assert state(photo_folder) == before
    assert not list((tmp_path / "run").rglob("stage_*"))


def test_a_folder_that_is_mended_is_taken(photo_folder, tmp_path, monkeypatch):
    """The same command, after the reason for refusing is gone, gets as far as training."""
    from rts_tf.training import recurrence

    def phase_a(run, stage, targets):
        raise RtsError(f"stage {stage.number} begins with {len(run.training.sizes)} images")

    monkeypatch.setattr(recurrence, "run_phase_a", phase_a)
    whole = {path: path.read_bytes() for path in photo_folder.iterdir()}
    for path in whole:
        path.write_bytes(b"")
    arguments = [f"--workdir={tmp_path / 'run'}", f"--data={photo_folder}", *TINY]
    assert "none of its 2 images" in refused(*arguments)
    for path, contents in whole.items():
        path.write_bytes(contents)
    assert "stage 1 begins with 2 images" in refused(*arguments)
