"""Runs a command with many command lines, each in a fork of one process that has imported it.

A process of its own for each would import the same modules again and again.
"""

import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
from typing import NamedTuple

from tests.support.paths import ROOT

# How a command is called: rts NAME, python -m MODULE, or the script that pip makes for it
FORMS = ("rts", "module", "script")
# Modules that take long to import
HEAVY = ("absl", "keras", "numpy", "rich", "tensorflow")


class Done(NamedTuple):
    """What a command line did: its exit code, what it printed, and which of HEAVY it imported."""

    code: int
    out: str
    err: str
    imported: list[str]


def run_all(entry: str, lines: list[tuple[str, list[str]]]) -> list[Done]:
    """Run command lines of the module ``entry``, whose function ``run`` is the command.

    Args:
        entry: e.g. "rts_tf.viqet".
        lines: For each a form, and the words that follow. In the form "rts" the first word is the
            name of the subcommand, and ``entry`` need not be imported by ``rts`` itself.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.command_lines", entry],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        timeout=200,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return [Done(*row) for row in json.loads(done.stdout)]


def _forked(entry: str, form: str, words: list[str]) -> list:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            json.dump(_run(entry, form, words), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text)


def _run(entry: str, form: str, words: list[str]) -> tuple[int, str, str, list[str]]:
    module = importlib.import_module("rts_tf.__main__" if form == "rts" else entry)
    if form == "module":
        sys.modules["__main__"] = module  # as after python -m
    program = {"rts": "/bin/rts", "module": module.__file__, "script": "/bin/rts-script"}[form]
    sys.argv = [program, *words]
    out, err = io.StringIO(), io.StringIO()
    code = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            module.run()
        except SystemExit as ended:
            code = ended.code
    imported = [name for name in HEAVY if name in sys.modules]
    return code or 0, out.getvalue(), err.getvalue(), imported


def main() -> None:
    """Run the command lines on standard input; print what they did."""
    entry = sys.argv[1]
    lines = json.load(sys.stdin)
    if any(form != "rts" or words for form, words in lines) and entry != "rts_tf.__main__":
        importlib.import_module(entry)
    print(json.dumps([_forked(entry, form, words) for form, words in lines]))


if __name__ == "__main__":
    main()
