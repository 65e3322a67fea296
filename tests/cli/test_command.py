"""How commands start and end, and how their messages name flags."""

import os
import subprocess
import sys
import types

import pytest
from absl import flags
from PIL import Image
from skimage import data

from experiments import runs
from rts_tf.cli import command
from rts_tf.errors import ConfigError, Interrupted
from tests.support.commands import command_of, refused, set_flags


@pytest.mark.parametrize(
    ("module", "flag"),
    [
        ("rts_tf.main", "network"),
        ("rts_tf.enhance", "strength"),
        ("rts_tf.evaluate", "reference"),
        ("rts_tf.export", "precisions"),
        ("rts_tf.viqet", "against"),
        ("rts_tf.serving_client", "output"),
        ("export.serving.client", "output"),
        ("export.settop.run", "output"),
        ("experiments.ablation", "rows"),
    ],
)
def test_help_lists_the_flags(module, flag):
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, timeout=100
    )
    assert f"--{flag}" in done.stdout or f"--[no]{flag}" in done.stdout, done.stdout + done.stderr


def test_home_directory_and_full_standard_output(tmp_path):
    """The ~ of --csv=~/a.csv is expanded, and a full standard output is not blamed on --csv."""
    Image.fromarray(data.chelsea()).save(tmp_path / "cat.png")
    words = [sys.executable, "-m", "rts_tf.viqet"]
    options = {
        "env": os.environ | {"HOME": str(tmp_path)},
        "stderr": subprocess.PIPE,
        "text": True,
        "timeout": 100,
    }
    done = subprocess.run([*words, "~/cat.png", "--csv=~/a.csv"], stdout=subprocess.PIPE, **options)
    assert done.returncode == 0 and (tmp_path / "a.csv").exists(), done.stderr
    with open("/dev/full", "w") as full:
        done = subprocess.run([*words, "~/cat.png"], stdout=full, **options)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and last.startswith("error: the table: cannot be written (")


def program(raised: BaseException) -> types.SimpleNamespace:
    """A command with the flags --tile and --output, whose work raises an exception."""
    own = flags.FlagValues()
    for name in ("tile", "output"):
        flags.DEFINE_string(name, "", "", flag_values=own)

    def work():
        raise raised

    def main(arguments):
        return command.exit_code_of(
            work, stopped="stopped.", explain=lambda error: f"disk: {error}", command_flags=own
        )

    return types.SimpleNamespace(FLAGS=own, main=main)


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (ConfigError("`tile`=1: too small for `output`"), 1, "--tile=1: too small for --output"),
        (ConfigError("`workdir`=a: no flag of this one"), 1, "`workdir`=a: no flag of this one"),
        (ConfigError("two\nlines"), 1, "two\\nlines"),
        (OSError("full; name another `output`"), 1, "disk: full; name another --output"),
    ],
)
def test_errors_become_one_line_that_names_flags(raised, code, line):
    assert command_of(program(raised)) == (code, "", f"error: {line}\n")


@pytest.mark.parametrize("raised", [Interrupted("stopped"), KeyboardInterrupt()])
def test_ctrl_c_ends_with_130(raised):
    assert command_of(program(raised)) == (130, "", "stopped.\n")


def test_after_a_command_its_flags_are_forgotten():
    command_of(program(ConfigError("")))
    assert command.in_flags("`output`=1") == "`output`=1"


def test_settings_of_the_library_are_refused_as_flags():
    assert refused("--patch=33") == "error: --patch=33: must be even, since LR is half of it."
    assert "`" not in refused("--jpeg_low=90", "--jpeg_high=80")


@pytest.mark.parametrize("quick", [False, True])
def test_quick_experiments_have_folders_of_their_own(quick):
    """Otherwise they would overwrite the committed results, and stand in the way of real runs."""
    own = runs.experiment_flags()
    seen = []
    with set_flags(own, quick=quick):
        runs._run(own, lambda: seen.extend([own.runs, own.output]), ["command"])
    quick_folders = ["rts_experiments/quick", "rts_experiments/quick/results"]
    assert seen == (quick_folders if quick else ["rts_experiments", "experiments/results"])


def test_quick_experiments_take_folders_that_are_named():
    own = runs.experiment_flags()
    own(["command", "--quick", "--output=here"])
    runs._run(own, lambda: None, ["command"])
    assert (own.runs, own.output) == ("rts_experiments/quick", "here")
    assert "output" not in flags.FLAGS
