"""Loads TensorFlow for a command: with settings that suit it, and without its start-up messages."""

import contextlib
import os
import sys
from collections.abc import Iterator

from absl import flags, logging

from rts_tf.quiet import quiet_stderr


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
        with quiet_stderr(), _without_optional_packages():
            import keras  # noqa: F401
            import tensorflow as tf

            tf.config.list_physical_devices()


@contextlib.contextmanager
def _without_optional_packages() -> Iterator[None]:
    """Let imports of Matplotlib and JAX fail in the body, as if they were not installed.

    Where they are installed, Keras imports matplotlib.pyplot for its galleries of images, and
    TensorFlow imports JAX for its converter of JAX functions. Each takes half a second of every
    command, and no command uses these. Afterwards both can be imported as ever.
    """
    hidden = [name for name in ("matplotlib", "jax") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # so says the import system
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
