import os
import subprocess
import sys

import pytest
from absl import flags
from PIL import Image
from skimage import data

from experiments import runs
from tests.support.commands import set_flags


@pytest.mark.parametrize(
    ("module", "flag"),
    [
        ("rts_tf.main", "network"),
        ("rts_tf.enhance", "strength"),
        ("rts_tf.evaluate", "reference"),
        ("rts_tf.export", "precisions"),
        ("rts_tf.viqet", "against"),
        ("export.serving.client", "output"),
        ("experiments.ablation", "rows"),
    ],
)
def test_help_lists_the_flags(module, flag):
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, timeout=100
    )
    assert f"--{flag}" in done.stdout or f"--[no]{flag}" in done.stdout, done.stdout + done.stderr


def test_home_and_a_table_that_nobody_reads(tmp_path):
    """Shells leave the ~ of --csv=~/a.csv alone; and a full standard output is not the fault of --csv."""
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
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(
        "error: the table: cannot be written ("
    )


@pytest.mark.parametrize("quick", [False, True])
def test_quick_experiments_have_folders_of_their_own(quick):
    """Else they would write over the committed results, and stand in the way of the real runs."""
    own = runs.experiment_flags()
    seen = []
    with set_flags(own, quick=quick):
        runs._run(own, lambda: seen.extend([own.runs, own.output]), ["command"])
        assert seen == (
            ["rts_experiments/quick", "rts_experiments/quick/results"]
            if quick
            else ["rts_experiments", "experiments/results"]
        )


def test_quick_experiments_take_folders_that_are_named():
    own = runs.experiment_flags()
    own(["command", "--quick", "--output=here"])
    runs._run(own, lambda: None, ["command"])
    assert (own.runs, own.output) == ("rts_experiments/quick", "here")
    assert "output" not in flags.FLAGS
