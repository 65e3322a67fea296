"""How a command loads TensorFlow: with the settings that suit it, and without the lines it prints about itself."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from absl import flags, logging


def load_tensorflow() -> None:
    """Import TensorFlow and Keras. It takes seconds: call it after what can be refused without them."""
    # What is an error is raised too; what is only logged as one is none: oneDNN's lack of float16, told in every training.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault(
        "TF_ENABLE_ONEDNN_OPTS", "1"
    )  # off by default on AMD, where it is faster too
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)
    if "tensorflow" not in sys.modules:
        with _quiet_stderr():
            import keras  # noqa: F401
            import tensorflow as tf

            tf.config.list_physical_devices()


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep back what is written to file descriptor 2, by C++ too; print it after all if the body fails.

    Before its logging is initialised TensorFlow heeds no log level, and tells of GPUs that are not there.
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
