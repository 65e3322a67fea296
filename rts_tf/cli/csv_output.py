"""The flag --csv of the commands that measure images."""

import os
import pathlib
from collections.abc import Callable

from rts_tf.errors import ConfigError
from rts_tf.images.read import IMAGE_SUFFIXES


def check_csv(path: str) -> None:
    """Raise ConfigError before the work rather than after it."""
    if not path:
        return
    if pathlib.Path(path).suffix.lower() in IMAGE_SUFFIXES:  # as in --csv photo.jpg more.jpg
        raise ConfigError(f"--csv={path}: would overwrite a picture; name a .csv file.")
    if os.path.isdir(path):
        raise ConfigError(f"--csv={path}: is a folder; name a file.")
    if not os.path.isdir(parent := os.path.dirname(path) or "."):
        raise ConfigError(f"--csv={path}: there is no folder {parent}.")


def not_written(path: str) -> Callable[[OSError], str]:
    """What to say if the ``--csv`` file, or the table where none was asked for, cannot be written."""
    what = f"--csv={path}" if path else "the table"
    return lambda error: f"{what}: cannot be written ({error.strerror or error})."
