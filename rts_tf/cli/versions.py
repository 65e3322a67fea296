"""The line that ``--version`` prints. It reads metadata of packages and imports none of them."""

import platform
import sys
from importlib import metadata

# The first that is installed: some systems have TensorFlow under a name of its own.
_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly")


def version_line() -> str:
    """Return e.g. "rts_tf 0.1.0 (TensorFlow 2.21.0, Keras 3.12.0, Python 3.11.2)"."""
    # No module of the package imports the package itself, which stands above all of them.
    version = sys.modules["rts_tf"].__version__
    return (
        f"rts_tf {version} (TensorFlow {_version(*_TENSORFLOW)},"
        f" Keras {_version('keras')}, Python {platform.python_version()})"
    )


def _version(*distributions: str) -> str:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"
