"""Nothing that TensorFlow logs reaches the terminal, and every crash and error does."""

import os
import subprocess
import sys

import pytest

from rts_tf import quiet
from rts_tf.cli import startup
from rts_tf.cli.verbosity import set_verbosity
from tests.support.commands import photo
from tests.support.paths import ROOT

# What makes TensorFlow, Keras and the libraries in them log. Each raises if it is an error.
PROVOKE = """
import contextlib, os, sys, warnings
from absl import flags, logging
flags.FLAGS(["command"])
from rts_tf.cli.startup import load_tensorflow
load_tensorflow()
import keras
import tensorflow as tf

def no_memory(): tf.zeros([1 << 42]) + 1
def jpeg(): tf.io.decode_jpeg(b"\\xff\\xd8\\xff\\xe0 broken")
def png(): tf.io.decode_png(b"\\x89PNG\\r\\n\\x1a\\n" + b"x" * 50)
def nan(): tf.function(lambda x: tf.debugging.check_numerics(x / 0.0, ""))(tf.zeros([2]))
def iterators(): list(tf.data.Dataset.range(3).cache().take(1))
def half(): tf.nn.conv2d(*[tf.zeros([1, 3, 3, 1], tf.bfloat16)] * 2, 1, "SAME")
def retracing():
    for i in range(9): tf.function(lambda x: x)(i)
def compiled():  # which no command does; TensorFlow 2.17 names it whatever the level is
    if tf.__version__ >= "2.18": tf.function(lambda x: x + 1, jit_compile=True)(1.0)
def late():
    tf.compat.v1.Session  # a table that is used late, and loads a library
def python():
    logging.error("absl"), logging.warning("absl"), tf.get_logger().error("tensorflow")
    warnings.warn_explicit("Keras", UserWarning, "layer.py", 1, module="keras.src.layers.layer")

for provoke in (no_memory, jpeg, png, nan, iterators, half, retracing, compiled, late, python):
    with contextlib.suppress(tf.errors.OpError):
        provoke()
warnings.warn("ours")
os.write(2, b"END\\n")
raise RuntimeError("a defect")
"""


def process(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code, *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    return subprocess.run(
        command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=200
    )


def test_tensorflow_says_nothing():
    err = process(PROVOKE).stderr
    said, _, after = err.partition("END\n")
    assert [line for line in said.splitlines() if "ours" not in line] == [], err
    assert "UserWarning: ours" in said
    assert after.startswith("Traceback") and after.endswith("RuntimeError: a defect\n")


def test_the_command_says_its_own_lines_alone(tmp_path):
    photo(0, 48, 64).save(tmp_path / "image.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"x" * 500)
    code = "from rts_tf.enhance.__main__ import run; run()"
    inputs = [str(tmp_path / name) for name in ("image.png", "broken.jpg")]
    done = process(code, *inputs, f"--output={tmp_path / 'out'}")
    device, error = done.stderr.splitlines()
    assert device.startswith("device: ") and error.startswith(f"error: {inputs[1]}: ")
    assert done.returncode == 1 and "device" not in done.stdout


HELD = "import os\nfrom rts_tf.quiet import quiet_stderr, let_native_lines_through\n"


@pytest.mark.parametrize("before", ["", "import faulthandler; faulthandler.enable()\n"])
def test_a_crash_is_reported_while_lines_are_held_back(before):
    done = process(f"{HELD}{before}with quiet_stderr(): os.write(2, b'log'); os.abort()")
    assert done.returncode != 0
    assert done.stderr.startswith("Fatal Python error: Aborted") and "log" not in done.stderr


def test_a_crash_is_reported_afterwards():
    code = (
        f"{HELD}import faulthandler; faulthandler.enable()\nwith quiet_stderr(): pass\nos.abort()"
    )
    assert process(code).stderr.startswith("Fatal Python error: Aborted")


def test_what_is_held_back_is_printed_if_the_body_fails():
    code = f"{HELD}with quiet_stderr():\n with quiet_stderr(): os.write(2, b'log'); 1 / 0"
    err = process(code).stderr
    assert err.startswith("log") and err.endswith("ZeroDivisionError: division by zero\n")


@pytest.fixture
def verbose():
    set_verbosity(verbose=True)
    yield
    set_verbosity()
    quiet.let_native_lines_through(False)


def test_a_verbose_command_holds_nothing_back(verbose, monkeypatch, capfd):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    startup.set_environment()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
    startup.load_tensorflow()
    with quiet.quiet_stderr():
        os.write(2, b"a line of C++\n")
    assert capfd.readouterr().err.endswith("a line of C++\n")


def test_variables_that_the_user_has_set_are_kept(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    startup.set_environment()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "1"
