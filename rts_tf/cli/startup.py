"""Loads TensorFlow for a command: quickly, with settings that suit it, without its log lines."""

import logging as python_logging
import os
import sys
import warnings

from absl import flags, logging

from rts_tf.cli.device import choose_device, hide_gpus, parsed_device
from rts_tf.cli.tensorflow_import import cheap_import
from rts_tf.cli.verbosity import is_verbose
from rts_tf.quiet import let_native_lines_through, quiet_stderr

_SILENT = python_logging.CRITICAL + 1


def set_environment() -> None:
    """Set the environment variables that TensorFlow reads when it is imported.

    Variables that the user has set are kept. Commands, tests and benchmarks call this before
    TensorFlow is imported; processes that they start inherit the variables.
    """
    # TensorFlow raises what is an error. What it only logs as one is none: for example, oneDNN logs
    # in every training that it has no float16. A line about what ends the process is still printed.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if is_verbose() else "3")
    # TensorFlow leaves oneDNN off on AMD processors, where it is faster too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Else it takes all memory of a GPU, so that no other program could use it.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def load_tensorflow(device: str = "auto") -> None:
    """Import TensorFlow and Keras, and choose what computes.

    This takes seconds, so call it after everything that can be refused without them.

    Args:
        device: The flag of :func:`rts_tf.cli.device.define_device_flag`.

    Raises:
        ConfigError: There is no such device.
    """
    wish = parsed_device(device)
    if wish.kind == "cpu":
        hide_gpus()
    set_environment()
    let_native_lines_through(is_verbose())
    if not is_verbose():
        _silence_python()
    if "tensorflow" not in sys.modules:
        with quiet_stderr(), cheap_import():
            import keras  # noqa: F401
            import tensorflow as tf

            tf.config.list_physical_devices()
    if not is_verbose():
        # TensorFlow sets a level of its own when it is imported.
        python_logging.getLogger("tensorflow").setLevel(_SILENT)
    with quiet_stderr():
        choose_device(wish)


def _silence_python() -> None:
    """Silence the log lines and warnings of the Python code of TensorFlow and Keras."""
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.FATAL)
    for package in ("tensorflow", "tensorflow_addons", "keras"):
        warnings.filterwarnings("ignore", module=rf"{package}(\.|$)")
