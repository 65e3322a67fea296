"""The command run in this process (``python -m rts_tf.main`` takes seconds to start), and what the tests of bad input share."""

import contextlib
import io
import pathlib
import types

from absl import flags
from absl.testing import flagsaver
from PIL import Image
from skimage import data

from rts_tf import main

TINY = (
    "--network=residual1",
    "--stages=1",
    "--first_steps=1",
    "--patch=32",
    "--batch=1",
    "--precision=float32",
)


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of rts_tf.main with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with flagsaver.flagsaver(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        rest = flags.FLAGS(["rts-train", *arguments])
        code = main.main(rest)
    return code, out.getvalue(), err.getvalue()


def command_of(program: types.ModuleType, *arguments: object) -> tuple[int, str, str]:
    """The same of a command that keeps its flags in FlagValues of its own, ``program.FLAGS``."""
    out, err = io.StringIO(), io.StringIO()
    saved = flagsaver.save_flag_values(program.FLAGS)
    try:
        with (
            flagsaver.flagsaver(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            flags.FLAGS(["command"])
            code = program.main(program.FLAGS(["command", *map(str, arguments)]))
    finally:
        flagsaver.restore_flag_values(saved, program.FLAGS)
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def set_flags(own: flags.FlagValues, **values):
    """The flags of a command that keeps them in FlagValues of its own, as if parsed with these ``values``."""
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
    """The one line with which the command refuses these arguments."""
    code, out, err = command(*arguments)
    assert code == 1, out + err
    assert "Traceback" not in out + err
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert err.startswith("error: ") and len(errors) == 1 and err.count("\n") == 1, err
    return errors[0]


def state(folder: pathlib.Path) -> dict:
    """Every file below ``folder`` with its bytes, but for the lock, which is always there and empty."""
    files = {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
    assert not [path for path in files if ".tmp" in path.name], "a half-written file is left"
    return files


def photo(i: int = 0, height: int = 64, width: int = 64) -> Image.Image:
    return Image.fromarray(data.chelsea()[7 * i : 7 * i + height, 9 * i : 9 * i + width])
