import subprocess
import sys

import pytest
from absl import flags

from experiments import runs
from tests.command import set_flags


@pytest.mark.parametrize(("module", "flag"), [
    ("rts_tf.main", "network"), ("rts_tf.enhance", "strength"), ("rts_tf.evaluate", "reference"),
    ("rts_tf.export", "precisions"), ("rts_tf.viqet", "against"),
    ("export.serving.client", "output"), ("experiments.ablation", "rows"),
])  # fmt: skip
def test_help_lists_the_flags(module, flag):
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, timeout=100)
    assert f"--{flag}" in done.stdout or f"--[no]{flag}" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("quick", [False, True])
def test_quick_experiments_have_folders_of_their_own(quick):
    """Else they would write over the committed results, and stand in the way of the real runs."""
    own = runs.experiment_flags()
    seen = []
    with set_flags(own, quick=quick):
        runs._run(own, lambda: seen.extend([own.runs, own.output]), ["command"])
        assert seen == (["rts_experiments/quick", "rts_experiments/quick/results"] if quick else
                        ["rts_experiments", "experiments/results"])  # fmt: skip


def test_quick_experiments_take_folders_that_are_named():
    own = runs.experiment_flags()
    own(["command", "--quick", "--output=here"])
    runs._run(own, lambda: None, ["command"])
    assert (own.runs, own.output) == ("rts_experiments/quick", "here")
    assert "output" not in flags.FLAGS
