"""The command rts in processes of its own, as the console script starts it."""

import configparser
import importlib
import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from rts_tf.cli import verbosity
from rts_tf.cli.descriptions import COMMANDS
from tests.support.commands import TINY, photo
from tests.support.enhance_command import command, model_file  # noqa: F401  fixture
from tests.support.paths import ROOT


def console_scripts() -> dict[str, str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["options.entry_points"]["console_scripts"].strip().splitlines()
    return dict(line.split(" = ") for line in lines)


@pytest.fixture
def rts(tmp_path):
    """Run rts in a folder, through a script like that of pip, which imports from its own folder."""
    (tmp_path / "bin").mkdir()
    module, _, function = console_scripts()["rts"].partition(":")
    script = tmp_path / "bin" / "rts"
    script.write_text(f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    here = tmp_path / "here"
    here.mkdir()

    def run(*words: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, script, *map(str, words)],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=200,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    run.folder = here
    return run


def test_console_scripts_exist():
    for name, entry in console_scripts().items():
        module, _, function = entry.partition(":")
        assert hasattr(importlib.import_module(module), function), name
    entries = {entry.partition(":")[0] for entry in console_scripts().values()}
    assert {command.entry for command in COMMANDS if command.module} <= entries


def test_a_network_of_your_own_is_found_in_the_current_folder(rts):
    (rts.folder / "my_network.py").write_text("raise RuntimeError('found')")
    done = rts("train", *TINY, "--network=my_network:build", "--workdir=run")
    assert done.returncode == 1 and "cannot be imported (RuntimeError: found)" in done.stderr


def test_a_quiet_measurement_prints_its_table_only(rts):
    photo().save(rts.folder / "photo.png")
    (rts.folder / "notes.txt").touch()
    loud = rts("viqet", "photo.png")
    done = rts("viqet", "photo.png", "-q")
    assert done.returncode == 0 and done.stdout == loud.stdout and "mean of 1" in done.stdout
    assert done.stderr == "" and loud.stdout


def test_a_verbose_command_shows_where_an_error_came_from(rts):
    words = ["evaluate", "--model=nowhere", "--images=nothing"]
    for more, traceback in ([], False), (["-v"], True):
        done = rts(*words, *more)
        assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("error: --model=")
        assert ("Traceback" in done.stderr) == traceback
        assert traceback or done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["--help", "export --helpfull", "completion zsh"])
def test_a_reader_may_end_before_the_screen_does(words):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "rts_tf", *words.split()],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=200,
    )
    os.close(writer)
    assert done.returncode == 0 and not done.stderr


def test_completion_is_printed(rts):
    done = rts("completion", "bash")
    assert done.returncode == 0 and "complete -o bashdefault" in done.stdout
    done = rts("completion", "tcsh")
    assert (done.returncode, done.stderr) == (2, "error: tcsh: choose one of bash, zsh, fish.\n")


@pytest.fixture
def quiet():
    verbosity.set_verbosity(quiet=True)
    yield
    verbosity.set_verbosity()


def test_a_quiet_enhancement_prints_nothing_but_errors(tmp_path, model_file, quiet):  # noqa: F811
    good, bad = tmp_path / "photo.png", tmp_path / "bad.png"
    photo().save(good)
    bad.write_bytes(b"no image")
    model = f"--model={model_file}"
    assert command(good, model, f"--output={tmp_path / 'a.png'}") == (0, "", "")
    assert Image.open(tmp_path / "a.png").size == (64, 64)
    code, out, err = command(good, bad, model, f"--output={tmp_path / 'out'}")
    assert code == 1 and not out and err.startswith("error: ") and err.count("\n") == 1


def test_a_quiet_training_prints_nothing(rts):
    photos = rts.folder / "photos"
    photos.mkdir()
    for i in range(4):
        photo(i).save(photos / f"{i}.png")
    done = rts("train", *TINY, "--data=photos", "--workdir=run", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((rts.folder / "run" / "summary.json").read_text())["selected_stage"] == 1
    done = rts("train", *TINY, "--data=photos", "--workdir=run")
    assert "\n  rts enhance photo.jpg --model=run --output=better.png\n" in done.stdout
