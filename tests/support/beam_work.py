"""Work for tests of rts_tf.beam, whose processes find it here; and what marks those tests."""

import importlib.util
import os
import pathlib
import signal
import time

import pytest

from rts_tf.beam.work import Parts
from rts_tf.errors import RtsError

# Beam takes older releases of protobuf, pyarrow and Pillow than others do, so it has an
# environment of its own: pip install '.[test,beam]'
needs_beam = pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None, reason="needs the extra 'beam'"
)


class Squares:
    """Squares numbers and says in which process; other items do other things."""

    def __init__(self, folder: pathlib.Path):
        """``folder``: Gets a file for each process that was prepared."""
        self._folder = folder

    def prepare(self):
        """Count the calls in a process."""
        with open(self._folder / str(os.getpid()), "a") as file:
            file.write("prepared\n")

    def do(self, item):
        """Square a number; a list has parts."""
        if item == "bad":
            raise ValueError("an item of\nno use")
        if item == "full":
            raise RtsError("the disk is full")
        if item == "lost":
            os.kill(os.getpid(), signal.SIGKILL)
        if isinstance(item, list):
            return Parts(item)
        time.sleep(0.05)
        return {"square": item**2, "process": os.getpid()}

    def do_part(self, item, part):
        """Square a part."""
        return self.do(part)

    def finish(self, item, parts, results):
        """The sum of the squares, which must come in the order of the parts."""
        assert parts == item
        return {"sum": sum(result["square"] for result in results)}

    def failed(self, item, error):
        """Name the item."""
        return {"failed": f"{item}: {type(error).__name__}"}
