"""The command that prints a completion script: ``rts completion bash|zsh|fish``.

The scripts hold tables of all flags and values, so that a shell completes without Python.
"""

import importlib

from absl import flags

from rts_tf import pretrained
from rts_tf.cli.command import print_error, run_command
from rts_tf.cli.command_line import WRONG_USE
from rts_tf.cli.descriptions import COMMANDS
from rts_tf.cli.descriptions.command import Command
from rts_tf.cli.descriptions.completion import COMPLETION
from rts_tf.cli.help_screen import choices, first_sentence, names
from rts_tf.cli.printing import print_screen
from rts_tf.cli.shells import SHELLS
from rts_tf.cli.shells.table import Completed, Option

FLAGS = flags.FlagValues()
# Flags that take the name of weights, a run or a file
_MODELS = ("model", "teacher", "init")
_COMMON = (
    Option("help", "h", "Show the flags that matter most"),
    Option("helpfull", "", "Show all flags"),
    Option("version", "", "Show the versions"),
    Option("quiet", "q", "No progress and no informational lines"),
    Option("verbose", "v", "Log lines for debugging"),
)


def table() -> tuple[Completed, ...]:
    """All subcommands with their flags. This imports their modules, but not TensorFlow."""
    return tuple(map(_completed, COMMANDS))


def _completed(command: Command) -> Completed:
    # A program with a parser of its own has no such FLAGS.
    own = getattr(importlib.import_module(command.entry), "FLAGS", flags.FlagValues())
    texts = {shown.name: shown.text for group in command.groups for shown in group.shown}
    options = [option for name in names(own) for option in _options(own[name], texts.get(name))]
    words = tuple(SHELLS) if command is COMPLETION else ()
    takes_arguments = command.arguments[1] != 0
    return Completed(command.name, command.summary, (*options, *_COMMON), takes_arguments, words)


def _options(flag: flags.Flag, text: str | None) -> list[Option]:
    text = (text or first_sentence(flag)).removesuffix(".")
    if flag.boolean:
        return [Option(name, "", text) for name in (flag.name, f"no{flag.name}")]
    values = choices(flag)
    if flag.name in _MODELS:
        chosen = ("auto", *pretrained.ALIASES) if flag.name == "model" else ()
        values = (*chosen, *pretrained.names())
    files = flag.name in _MODELS or (not values and flag.parser.flag_type() == "string")
    short = "o" if flag.name == "output" else ""
    return [Option(flag.name, short, text, True, tuple(filter(None, values)), files)]


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and the shell); return the exit code."""
    shell = arguments[1]
    if shell not in SHELLS:
        print_error(f"{shell}: choose one of {', '.join(SHELLS)}.")
        return WRONG_USE
    print_screen(SHELLS[shell](table()))
    return 0


def run() -> None:
    """Entry point of the subcommand."""
    run_command(main, FLAGS, COMPLETION)
