"""Starts and ends a command: parses its flags, and turns errors into one line and an exit code."""

import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable

from absl import app, flags

from rts_tf.cli.command_line import CommandLine
from rts_tf.cli.descriptions.command import Command
from rts_tf.cli.program import program_name
from rts_tf.cli.verbosity import is_verbose
from rts_tf.errors import Interrupted, RtsError, printable

# An argument as messages of the library name it, e.g. `workdir`
_ARGUMENT = re.compile(r"`([a-z][a-z0-9_]*)`")

# The flags of the command that runs. Most commands keep theirs in FlagValues of their own.
_running: flags.FlagValues = flags.FLAGS


def run_command(
    main: Callable[[list[str]], int],
    command_flags: flags.FlagValues,
    command: Command | None = None,
) -> None:
    """Parse the command line, call ``main``, and end the process with its exit code.

    The exit code is 2 if the command line cannot be understood. A ``~`` at the start of a flag or
    argument becomes the home directory, since shells leave the one in ``--output=~/better`` alone.

    Args:
        main: Is called with the name of the program and the arguments that are not flags.
        command_flags: The flags of the command.
        command: What its help says. Without it, ``--help`` prints the docstring of the program and
            all flags, and any number of arguments is passed on.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # The encoding of the terminal may lack a character of a file's name.
            stream.reconfigure(errors="backslashreplace")
    line = CommandLine(program_name(), command or _undescribed(), command_flags)

    def parse(words: list[str]) -> list[str]:
        line.define_flags()  # absl has defined its own help by now
        return line.parse(words)

    try:
        app.run(lambda arguments: main(_expand_home(arguments)), flags_parser=parse)
    except KeyboardInterrupt:  # outside the reach of exit_code_of
        sys.exit(130)


def _undescribed() -> Command:
    """The description of a program of which nothing is known but its docstring."""
    purpose = inspect.cleandoc(getattr(sys.modules["__main__"], "__doc__", None) or "")
    return Command("", "", "", "", purpose, "[flags]", arguments=(0, None))


def _expand_home(arguments: list[str]) -> list[str]:
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        if isinstance(flag.value, str) and flag.value.startswith("~"):
            flag.value = os.path.expanduser(flag.value)
    return [os.path.expanduser(argument) for argument in arguments]


def exit_code_of(
    work: Callable[[], int | None],
    *,
    stopped: str,
    explain: Callable[[OSError], str] = str,
    command_flags: flags.FlagValues = flags.FLAGS,
) -> int:
    """Do the work of a command, and return the exit code; an error becomes one line on stderr.

    Args:
        work: Returns the exit code; None stands for 0.
        stopped: The line to print after Ctrl-C.
        explain: Returns what to print for an OSError.
        command_flags: The flags of the command, for :func:`in_flags`.

    Returns:
        The exit code of ``work``, 130 after Ctrl-C, or 1 after an RtsError or OSError.
    """
    global _running
    before, _running = _running, command_flags
    try:
        return work() or 0
    except (Interrupted, KeyboardInterrupt):
        print(stopped, file=sys.stderr)
        return 130
    except (RtsError, OSError) as error:
        if is_verbose():
            traceback.print_exc()
        print_error(str(error) if isinstance(error, RtsError) else explain(error))
    finally:
        _running = before
    return 1


def print_error(message: str) -> None:
    """Print one error line on stderr, with flags for the arguments that it names."""
    print(printable(f"error: {in_flags(message)}"), file=sys.stderr)


def print_note(message: str) -> None:
    """Print one line on stderr about something worth knowing, with flags for its arguments."""
    print(printable(f"note: {in_flags(message)}"), file=sys.stderr)


def in_flags(text: str) -> str:
    """Return ``text`` with each argument in backticks that is a flag of this command as the flag.

    Messages of the library name arguments: "`stages`=0: must be from 1 to 100". On the command line
    that line reads "--stages=0: must be from 1 to 100".
    """
    known = _running
    return _ARGUMENT.sub(lambda match: f"--{match[1]}" if match[1] in known else match[0], text)
