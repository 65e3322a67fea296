import subprocess
import sys

SETUP = "import os, sys\nfrom absl import flags\nfrom rts_tf import startup\nflags.FLAGS(['x'])\n"


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", SETUP + code], capture_output=True, text=True, timeout=100)


def test_tensorflow_loads_without_a_word():
    done = run("startup.load_tensorflow()\nprint(sys.modules['tensorflow'].__version__)\nos.write(2, b'heard')")
    assert done.returncode == 0 and done.stdout[0] == "2"
    assert done.stderr == "heard"  # and from then on everything is


def test_what_was_kept_back_is_told_if_it_fails():
    done = run("with startup._quiet_stderr():\n    os.write(2, b'the reason')\n    raise ImportError('broken')")
    assert done.returncode == 1 and "the reason" in done.stderr and "broken" in done.stderr
