"""Keeps native libraries from writing lines of their own to standard error."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

_ONE_AT_A_TIME = threading.Lock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what C++ and Python write to file descriptor 2. If the body fails, print it.

    TensorFlow follows no log level until its logging is initialised, and warns of missing GPUs.
    LiteRT follows none, and names its first delegate.
    """
    sys.stderr.flush()
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
