"""How commands load TensorFlow: with its settings, and without its start-up messages."""

import os
import subprocess
import sys

import pytest

SETUP = """import os, sys
from absl import flags
from rts_tf.cli import startup
flags.FLAGS(['x'])
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Run ``code`` in a process that knows only these ``environment`` variables of TensorFlow's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run(
        [sys.executable, "-c", SETUP + code],
        capture_output=True,
        text=True,
        timeout=100,
        env=others | environment,
    )


@pytest.fixture(scope="module")
def loaded() -> subprocess.CompletedProcess:
    """A process that loads TensorFlow, and then Matplotlib."""
    return run(
        "startup.load_tensorflow()\n"
        "print(sys.modules['tensorflow'].__version__)\n"
        "os.write(2, b'heard')\n"
        "print([name for name in sys.modules if name.startswith(('matplotlib', 'jax'))])\n"
        "import matplotlib.pyplot\n"
        "print(matplotlib.pyplot.figure.__name__)"
    )


def test_tensorflow_loads_without_a_word(loaded):
    assert loaded.returncode == 0 and loaded.stdout[0] == "2"
    assert loaded.stderr == "heard"  # from then on everything is printed


def test_optional_packages_are_not_imported_with_tensorflow_and_can_be_afterwards(loaded):
    assert loaded.stdout.splitlines()[1:] == ["[]", "figure"], loaded.stderr


def test_an_optional_package_stays_if_it_is_there_already():
    done = run(
        "import types\n"
        "there = sys.modules['matplotlib'] = types.ModuleType('matplotlib')\n"
        "with startup.cheap_import():\n"
        "    assert sys.modules['matplotlib'] is there\n"
        "print(sys.modules['matplotlib'] is there)"
    )
    assert done.stdout.split() == ["True"], done.stderr


def test_all_of_tensorflow_is_there_afterwards():
    """Also what is imported when it is used, and what shares its name with a package."""
    done = run(
        "startup.load_tensorflow()\n"
        "import gc\n"
        "import tensorflow as tf\n"
        "print(gc.isenabled())\n"
        "for _ in range(2):\n"
        "    names = (tf.distribute.has_strategy, tf.lite.TFLiteConverter, tf.compat.v1.Session,\n"
        "        tf.feature_column.numeric_column, tf.summary.scalar, tf.train.Checkpoint)\n"
        "print(all(map(callable, names)))"
    )
    assert done.stdout.split() == ["True", "True"], done.stderr
    assert done.stderr == ""


def test_messages_are_printed_after_all_if_loading_fails():
    done = run(
        "from rts_tf.quiet import quiet_stderr\n"
        "with quiet_stderr():\n"
        "    os.write(2, b'the reason')\n"
        "    raise ImportError('broken')"
    )
    assert done.returncode == 1 and "the reason" in done.stderr and "broken" in done.stderr


def test_variables_of_the_user_are_kept():
    code = "startup.set_environment()\nprint(*(os.environ[f'TF_{name}'] for name in ('{}', '{}')))"
    code = code.replace("'{}', '{}'", "'CPP_MIN_LOG_LEVEL', 'ENABLE_ONEDNN_OPTS'")
    assert run(code).stdout.split() == ["3", "1"]
    assert run(code, TF_ENABLE_ONEDNN_OPTS="0").stdout.split() == ["3", "0"]


def test_benchmarks_set_the_variables():
    done = run("import benchmarks\nprint(os.environ['TF_ENABLE_ONEDNN_OPTS'])")
    assert done.stdout.split() == ["1"], done.stderr


def test_a_training_logs_no_error_of_tensorflow(small_photographs, tmp_path):
    """Targets are float16. At their first cast, oneDNN logs an error that it does not have it."""
    words = [
        "-m",
        "rts_tf.main",
        f"--workdir={tmp_path / 'run'}",
        f"--data={small_photographs}",
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
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("device: ") and done.stderr.count("\n") == 1, done.stderr
