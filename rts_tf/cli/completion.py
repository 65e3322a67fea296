"""The command that prints a completion script: ``rts completion bash|zsh|fish``.

The scripts hold tables of all flags and values, so that a shell completes without Python.
"""

import importlib
import inspect
from typing import NamedTuple

from absl import flags

from rts_tf import pretrained
from rts_tf.cli.command import exit_code_of, run_command
from rts_tf.cli.descriptions import COMMANDS
from rts_tf.cli.descriptions.completion import COMPLETION
from rts_tf.cli.help_screen import choices, names
from rts_tf.cli.shells import SHELLS
from rts_tf.errors import ConfigError

FLAGS = flags.FlagValues()
# Flags that take the name of weights, a run or a file
_MODELS = ("model", "teacher", "init")
_COMMON = (
    ("help", "h", "show the most important flags"),
    ("helpfull", "", "show all flags"),
    ("version", "", "show the versions"),
    ("quiet", "q", "no progress and no informational lines"),
    ("verbose", "v", "log lines for debugging"),
)


class Option(NamedTuple):
    """A flag as shells complete it.

    Attributes:
        name: Without dashes.
        short: One letter, or "".
        text: A few words about it.
        takes_value: Whether it is followed by one.
        values: The values to offer.
        files: Whether to offer files.
    """

    name: str
    short: str
    text: str
    takes_value: bool = False
    values: tuple[str, ...] = ()
    files: bool = False


class Completed(NamedTuple):
    """A subcommand as shells complete it; ``words`` are what its arguments may be, or files."""

    name: str
    text: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()


def table() -> tuple[Completed, ...]:
    """All subcommands with their flags. Imports their modules, but not TensorFlow."""
    found = []
    for command in COMMANDS:
        own = getattr(importlib.import_module(command.entry), "FLAGS", ())
        options = [option for name in names(own) for option in _options(own[name])] if own else []
        options += [Option(*row) for row in _COMMON]
        words = tuple(SHELLS) if command is COMPLETION else ()
        found.append(Completed(command.name, command.summary, tuple(options), words))
    return tuple(found)


def _options(flag: flags.Flag) -> list[Option]:
    text = inspect.cleandoc(flag.help or "").partition("\n")[0].partition(". ")[0]
    if flag.boolean:
        return [Option(name, "", text) for name in (flag.name, f"no{flag.name}")]
    short = "o" if flag.name == "output" else ""
    values = choices(flag)
    if flag.name in _MODELS:
        named = ("auto", *pretrained.ALIASES) if flag.name == "model" else ()
        values = (*named, *pretrained.names())
    files = flag.name in _MODELS or (not values and flag.parser.flag_type() == "string")
    return [Option(flag.name, short, text, True, tuple(filter(None, values)), files)]


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and the shell); return the exit code."""
    return exit_code_of(lambda: _print(arguments[1]), stopped="stopped.", command_flags=FLAGS)


def _print(shell: str) -> None:
    if shell not in SHELLS:
        raise ConfigError(f"{shell}: choose one of {', '.join(SHELLS)}.")
    print(SHELLS[shell](table()))


def run() -> None:
    """Entry point of the subcommand."""
    run_command(main, FLAGS, COMPLETION)


if __name__ == "__main__":
    run()
