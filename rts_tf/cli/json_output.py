"""The flag --json: lines of JSON that scripts read (docs/scripts.md)."""

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from absl import flags

from rts_tf.cli.command import in_flags
from rts_tf.errors import Interrupted, RtsError


def define_json_flag(command_flags: flags.FlagValues) -> None:
    """Define --json among the flags of a command."""
    text = (
        "Print a line of JSON for each item and one for the whole on standard output, and all else"
        " on standard error."
    )
    flags.DEFINE_boolean("json", False, text, flag_values=command_flags)


class Report:
    """What a command tells scripts. It does nothing where --json was not given."""

    def __init__(self, command: str, stream: TextIO | None):
        """``stream``: Where the lines go; None for none."""
        self._command, self._stream, self._began = command, stream, time.monotonic()
        self._items = self._errors = 0
        self._summary: dict[str, Any] = {}

    def item(self, name: str | os.PathLike, figures: Mapping[str, Any]) -> None:
        """Print the line of an item, e.g. a file or a stage. One with an ``error`` has failed."""
        self._items += "error" not in figures
        self._errors += "error" in figures
        self._print({"item": os.fspath(name), **figures})

    def error(self, message: str, items: Iterable[str] = ()) -> None:
        """Print the line of an error.

        Args:
            message: The error. It begins with the name of an item and a colon, if it is of one.
            items: The names of the items.
        """
        self._errors += 1
        item = next((name for name in items if message.startswith(f"{name}: ")), None)
        self._print({"item": item, "error": in_flags(message)})

    def add(self, **figures: Any) -> None:
        """Add figures to the summary."""
        self._summary |= figures

    def end(self) -> None:
        """Print the summary."""
        seconds = round(time.monotonic() - self._began, 3)
        counts = {"items": self._items, "errors": self._errors, "seconds": seconds}
        self._print({"summary": {"command": self._command, **counts, **self._summary}})

    def _print(self, value: dict[str, Any]) -> None:
        if self._stream:
            # Without ensure_ascii=False, so that any encoding of the terminal can hold the line.
            print(json.dumps(_finite(value), allow_nan=False), file=self._stream, flush=True)


@contextlib.contextmanager
def reported(command: str, wanted: bool) -> Iterator[Report]:
    """Print JSON for scripts in the body, and what the body prints itself on standard error.

    An error of the body becomes a line too, and is raised. The summary is printed in any case.

    Args:
        command: The name of the command, e.g. "train".
        wanted: Whether --json was given; without it nothing is done.
    """
    if not wanted:
        yield Report(command, None)
        return
    report = Report(command, sys.stdout)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            yield report
        except (Interrupted, KeyboardInterrupt):
            report.error("stopped by the user")
            raise
        except (RtsError, OSError) as error:
            report.error(str(error))
            raise
        finally:
            report.end()


def _finite(value: Any) -> Any:
    """``value`` as JSON has it: no nan, no infinity, and the types of Python."""
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if hasattr(value, "item"):  # a number of NumPy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value
