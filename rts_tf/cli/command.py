"""How a command begins and ends: its streams and flags, and what went wrong as one line and an exit code."""

import os
import re
import sys
from collections.abc import Callable

from absl import app, flags

from rts_tf.errors import Interrupted, RtsError, printable


def guarded(work: Callable[[], int | None], stopped: str, disk: Callable[[OSError], str]) -> int:
    """Exit code of ``work``: its own (None is 0), 130 after Ctrl-C, 1 after an error that can be told in a line.

    Args:
        stopped: what to say after Ctrl-C.
        disk: what to say of an OSError.
    """
    try:
        return work() or 0
    except (Interrupted, KeyboardInterrupt):
        print(stopped, file=sys.stderr)
        return 130
    except RtsError as error:
        text = str(error)
    except OSError as error:
        text = disk(error)
    print(printable(f"error: {in_flags(text)}"), file=sys.stderr)
    return 1


def in_flags(text: str) -> str:
    """``text`` of the library, with each argument that it names in backticks as the flag of that name."""
    return re.sub(r"`([a-z_]+)`", r"--\1", text)


def begin(main: Callable[[list[str]], int], own: flags.FlagValues | None = None) -> None:
    """Parse the flags, ``own`` among them, and leave with the exit code of ``main``, which gets the other arguments."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(
            errors="backslashreplace"
        )  # a picture's name may not exist in the terminal's encoding
    if own is not None:
        flags.FLAGS.append_flag_values(own)
        for name in own:
            flags.FLAGS.register_flag_by_module(
                sys.argv[0], own[name]
            )  # or --help would not know them
        own.mark_as_parsed()
    try:
        app.run(lambda arguments: main(_at_home(arguments)))
    except KeyboardInterrupt:  # before main could hear it
        sys.exit(130)


def _at_home(arguments: list[str]) -> list[str]:
    """The ~ of flags and ``arguments`` expanded: shells leave that in --output=~/better alone."""
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        if isinstance(flag.value, str) and flag.value.startswith("~"):
            flag.value = os.path.expanduser(flag.value)
    return [os.path.expanduser(argument) for argument in arguments]
