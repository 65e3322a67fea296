import os
import subprocess
import sys

SETUP = "import os, sys\nfrom absl import flags\nfrom rts_tf import startup\nflags.FLAGS(['x'])\n"


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", SETUP + code], capture_output=True, text=True, timeout=100
    )


def test_tensorflow_loads_without_a_word():
    done = run(
        "startup.load_tensorflow()\nprint(sys.modules['tensorflow'].__version__)\nos.write(2, b'heard')"
    )
    assert done.returncode == 0 and done.stdout[0] == "2"
    assert done.stderr == "heard"  # and from then on everything is


def test_what_was_kept_back_is_told_if_it_fails():
    done = run(
        "with startup._quiet_stderr():\n    os.write(2, b'the reason')\n    raise ImportError('broken')"
    )
    assert done.returncode == 1 and "the reason" in done.stderr and "broken" in done.stderr


def test_a_training_logs_no_error_of_tensorflow(tmp_path):
    """Targets are float16, of which oneDNN logs at their first cast that it has none."""
    words = [
        "-m",
        "rts_tf.main",
        f"--workdir={tmp_path / 'run'}",
        "--network=residual1",
        "--stages=2",
        "--first_steps=1",
        "--later_steps=1",
        "--patch=32",
        "--batch=1",
    ]
    environment = {
        name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"
    }
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=200, env=environment
    )
    assert done.returncode == 0 and "oneDNN" not in done.stderr, done.stderr
