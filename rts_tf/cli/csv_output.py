"""The flag --csv of the commands that measure images."""

import csv
import io
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence

from absl import flags

from rts_tf.errors import ConfigError
from rts_tf.images.formats import IMAGE_SUFFIXES
from rts_tf.storage import write_text


def define_csv_flag(command_flags: flags.FlagValues) -> None:
    """Define --csv among the flags of a command."""
    text = "File to write all metrics to, with all their digits."
    flags.DEFINE_string("csv", "", text, flag_values=command_flags)


def check_csv(path: str) -> None:
    """Check the value of --csv, before the work rather than after it.

    Raises:
        ConfigError: The file cannot be written, or the path is probably a mistake.
    """
    if not path:
        return
    if pathlib.Path(path).suffix.lower() in IMAGE_SUFFIXES:  # as in --csv photo.jpg more.jpg
        raise ConfigError(f"--csv={path}: would overwrite an image; name a .csv file.")
    if os.path.isdir(path):
        raise ConfigError(f"--csv={path}: is a folder; name a file.")
    if not os.path.isdir(parent := os.path.dirname(path) or "."):
        raise ConfigError(f"--csv={path}: there is no folder {parent}.")


def write_csv(path: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the file that --csv names; do nothing if ``path`` is empty.

    Raises:
        OSError: The file cannot be written.
    """
    if path:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        write_text(path, text.getvalue())


def explain_csv_error(path: str) -> Callable[[OSError], str]:
    """Return a function that says of an OSError that the file or, without one, the table failed."""
    what = f"--csv={path}" if path else "the table"
    return lambda error: f"{what}: cannot be written ({error.strerror or error})."
