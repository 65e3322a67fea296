"""``rts``: finds the subcommand and starts it. Its module is imported only then."""

import importlib
import sys
from collections.abc import Sequence

from rts_tf.cli.descriptions import COMMANDS
from rts_tf.cli.printing import print_screen

WRONG_USE = 2  # exit code
_PURPOSE = """\
Make images and video sharper with small super-resolution networks that were
trained on targets they improved themselves."""
_EXAMPLES = (
    ("an image, with the weights in the package", "enhance photo.jpg"),
    ("a network of your own", "train --preset=standard --data=photos"),
    ("what it does to images", "evaluate --model=rts_run --images=photos"),
)


def main(program: str, words: Sequence[str]) -> int:
    """Run a subcommand, or print the screen of ``rts``; return the exit code.

    A subcommand ends the process itself.

    Args:
        program: How the user called it: "rts", or "python -m rts_tf".
        words: What follows on the command line.
    """
    first = words[0] if words else ""
    known = {command.name: command for command in COMMANDS}
    if first in known:
        # What the subcommand takes for its own name, as argparse does
        sys.argv = [f"{program} {first}", *words[1:]]
        importlib.import_module(known[first].entry).run()
        return 0
    if first in ("-h", "--help", "--helpfull"):
        print_screen(screen(program))
        return 0
    if first == "--version":
        from rts_tf.cli.versions import version_line

        print(version_line())
        return 0
    if not first:
        print(screen(program), file=sys.stderr)
    else:
        print(_mistake(program, first, list(known)), file=sys.stderr)
    return WRONG_USE


def screen(program: str) -> str:
    """The screen of ``rts --help``."""
    lines = [_PURPOSE, "", f"usage: {program} COMMAND [arguments] [flags]", "", "Commands:"]
    lines += [f"  {command.name:<14}{command.summary}" for command in COMMANDS]
    lines += ["", "Examples:"]
    for comment, arguments in _EXAMPLES:
        lines += [f"  # {comment}", f"  {program} {arguments}"]
    lines += ["", f"{program} COMMAND --help shows the flags of a command,"]
    return "\n".join([*lines, f"{program} --version what is installed."])


def _mistake(program: str, word: str, known: list[str]) -> str:
    """What is wrong with a first word that is no subcommand."""
    import difflib  # takes 10 ms, which the screen has no use for

    from rts_tf.errors import printable

    usage = f"usage: {program} COMMAND [arguments] [flags]\nSee {program} --help"
    if word.startswith("-"):
        return f"{printable(f'error: {word}: name a command before its flags')}\n{usage}"
    near = difflib.get_close_matches(word, known, 1)
    meant = f"; did you mean {program} {near[0]}?" if near else f": {', '.join(known)}"
    return f"{printable(f'error: {word!r} is none of the commands{meant}')}\n{usage}"
