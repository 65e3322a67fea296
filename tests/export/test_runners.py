"""A file in a process of its own: what the process says if the file cannot be run."""

import os

import numpy as np
import pytest

from rts_tf.errors import RtsError
from rts_tf.export.runners import process

FRAME = np.zeros((8, 8, 3), np.uint8)
ECHO = """
import os, sys
import numpy as np
from rts_tf.export.runners.process import serve
print(os.environ["RTS_TEST_ENVIRONMENT"], file=sys.stderr)
serve(lambda path, signature: lambda frame: frame + np.uint8(len(signature)))
"""


def test_a_file_that_cannot_be_run(tmp_path):
    (tmp_path / "a.tflite").write_bytes(b"nothing")
    runner = "rts_tf.export.runners.litert"
    with pytest.raises(RtsError, match=r"^a\.tflite: cannot be run \(\w*Error: .+\)$"):
        process.run(runner, tmp_path / "a.tflite", "enhance", FRAME, seconds=0, scratch=tmp_path)


def test_the_process_inherits_the_environment(tmp_path, monkeypatch):
    """The command chooses TensorFlow's settings there; without the variable the module fails."""
    (tmp_path / "echo_runner.py").write_text(ECHO)
    before = [path for path in [os.environ.get("PYTHONPATH")] if path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *before]))
    arguments = ("echo_runner", tmp_path, "four", FRAME)
    with pytest.raises(RtsError, match="RTS_TEST_ENVIRONMENT"):
        process.run(*arguments, seconds=0, scratch=tmp_path)
    monkeypatch.setenv("RTS_TEST_ENVIRONMENT", "here")
    run = process.run(*arguments, seconds=0, scratch=tmp_path)
    np.testing.assert_array_equal(run.output, (FRAME + 4) / np.float32(255))
    assert run.milliseconds > 0
