"""Loads TensorFlow for a command: with settings that suit it, and without its start-up messages."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from absl import flags, logging


def set_environment() -> None:
    """Set the environment variables that TensorFlow reads when it is imported.

    Variables that the user has set are kept. Commands, tests and benchmarks call this before
    TensorFlow is imported; processes that they start inherit the variables.
    """
    # TensorFlow raises what is an error. What it only logs as one is none: for example, oneDNN logs
    # in every training that it has no float16.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow leaves oneDNN off on AMD processors, where it is faster too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def load_tensorflow() -> None:
    """Import TensorFlow and Keras.

    This takes seconds, so call it after everything that can be refused without them.
    """
    set_environment()
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)
    if "tensorflow" not in sys.modules:
        with _quiet_stderr(), _without_matplotlib():
            import keras  # noqa: F401
            import tensorflow as tf

            tf.config.list_physical_devices()


@contextlib.contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Let imports of Matplotlib fail in the body, as if it were not installed.

    Keras imports matplotlib.pyplot where it is installed, for its galleries of images. That takes
    half a second of every command, and none draws with it. Afterwards Matplotlib can be imported as
    ever.
    """
    if "matplotlib" in sys.modules:  # what has been imported stays as it is
        yield
        return
    sys.modules["matplotlib"] = None  # type: ignore[assignment]  # so says the import system
    try:
        yield
    finally:
        del sys.modules["matplotlib"]


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what C++ and Python write to file descriptor 2. If the body fails, print it.

    TensorFlow follows no log level until its logging is initialised, and warns of missing GPUs.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as kept:
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
