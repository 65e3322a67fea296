"""Keeps native libraries from writing lines of their own to standard error."""

import contextlib
import faulthandler
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

_ONE_AT_A_TIME = threading.RLock()  # the body may call what is quiet too
_let_through = False


def let_native_lines_through(through: bool = True) -> None:
    """Make :func:`quiet_stderr` hold nothing back from now on, as ``--verbose`` asks for."""
    global _let_through
    _let_through = through


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what C++ and Python write to file descriptor 2. If the body fails, print it.

    TensorFlow follows no log level until its logging is initialised, and warns of missing GPUs.
    LiteRT follows none, and names its first delegate; nor does TensorFlow's converter of TFLite
    files. If the process crashes in the body, Python's report of that is printed.
    """
    if _let_through:
        yield
        return
    with contextlib.suppress(AttributeError, ValueError):  # there is none, or it is closed
        sys.stderr.flush()
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        reports = faulthandler.is_enabled()
        faulthandler.enable(stderr)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            if reports:
                faulthandler.enable(2)
            else:
                faulthandler.disable()
            os.close(stderr)
