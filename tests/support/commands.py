"""Runs commands in the process of the test, since a new process takes seconds to start.

The module also has what tests of bad input share.
"""

import contextlib
import io
import pathlib
import re
import types
from collections.abc import Callable, Iterator

from absl import flags
from absl.testing import flagsaver
from PIL import Image
from skimage import data

from rts_tf import main

# The flags of a training that takes a second
TINY = (
    "--network=residual1",
    "--stages=1",
    "--first_steps=1",
    "--patch=32",
    "--batch=1",
    "--precision=float32",
)

_DEVICE_LINE = re.compile(r"^device: .*\n", re.MULTILINE)


def command(*arguments: str, device_line: bool = False) -> tuple[int, str, str]:
    """Run rts_tf.main; return its exit code, standard output and standard error.

    The line that says what computes is left out of standard error, unless ``device_line``.
    """
    return command_of(main, *arguments, device_line=device_line)


def command_of(
    program: types.ModuleType, *arguments: object, device_line: bool = False
) -> tuple[int, str, str]:
    """Run a command with flags of its own, ``program.FLAGS``; return the same as ``command``."""
    saved = flagsaver.save_flag_values(program.FLAGS)
    words = ["command", *map(str, arguments)]
    try:
        with flagsaver.flagsaver():
            flags.FLAGS(["command"])
            return _captured(lambda: program.main(program.FLAGS(words)), device_line)
    finally:
        flagsaver.restore_flag_values(saved, program.FLAGS)


def _captured(run: Callable[[], int], device_line: bool) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run()
    said = err.getvalue()
    return code, out.getvalue(), said if device_line else _DEVICE_LINE.sub("", said)


@contextlib.contextmanager
def set_flags(own: flags.FlagValues, **values: object) -> Iterator[None]:
    """Set the flags ``own`` of a command, as if they had been parsed with these ``values``."""
    before = {name: own[name].value for name in own}
    own.mark_as_parsed()
    try:
        for name, value in values.items():
            own[name].value = value
        yield
    finally:
        for name, value in before.items():
            own[name].value = value


def refused(*arguments: str) -> str:
    """Return the one line with which rts_tf.main refuses these arguments."""
    code, out, err = command(*arguments)
    assert code == 1, out + err
    assert "Traceback" not in out + err
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert err.startswith("error: ") and len(errors) == 1 and err.count("\n") == 1, err
    return errors[0]


def state(folder: pathlib.Path) -> dict[pathlib.Path, bytes]:
    """Return every file below ``folder`` with its bytes, without locks, which are empty."""
    files = {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
    assert not [path for path in files if ".tmp" in path.name], "a half-written file is left"
    return files


def photo(i: int = 0, height: int = 64, width: int = 64) -> Image.Image:
    """Return crop ``i`` of the sample image of a cat."""
    return Image.fromarray(data.chelsea()[7 * i : 7 * i + height, 9 * i : 9 * i + width])
