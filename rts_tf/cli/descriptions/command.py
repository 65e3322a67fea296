"""What a help screen, the checks of a command line, and shell completion know about a command.

Descriptions import nothing but this module, so that ``rts --help`` is printed at once.
"""

from typing import NamedTuple


class Shown(NamedTuple):
    """A flag on the help screen.

    Attributes:
        name: Without dashes.
        value: What stands for its value, as PATH in ``--output=PATH``; empty: by the flag's type.
        text: One line about it; empty: the first sentence of the flag's help.
    """

    name: str
    value: str = ""
    text: str = ""


class Group(NamedTuple):
    """Flags under one heading.

    Attributes:
        title: The heading.
        shown: Those that ``--help`` shows.
        more: The names of those that only ``--helpfull`` shows.
    """

    title: str
    shown: tuple[Shown, ...] = ()
    more: tuple[str, ...] = ()


class Needed(NamedTuple):
    """A flag that must be given, or one of several.

    Attributes:
        names: The flags.
        text: What to do if none is given.
    """

    names: tuple[str, ...]
    text: str


class Command(NamedTuple):
    """A command: ``rts NAME`` and ``python -m MODULE``.

    Attributes:
        name: The subcommand of ``rts``.
        module: What follows ``python -m``; empty if there is no such form.
        entry: The module whose function ``run`` is the command, and whose FLAGS are its flags.
        summary: One line for the screen of ``rts``.
        purpose: What it does, in a few lines of at most 80 characters.
        usage: What follows the name of the program.
        examples: Pairs of a comment and what follows the name of the program.
        groups: The flags. Those of no group are shown by ``--helpfull`` under the last heading.
        arguments: The least and the largest number of arguments that are no flags; None: any.
        missing: What to do if there are too few arguments, or none at all.
        needed: The flags that must be given.
    """

    name: str
    module: str
    entry: str
    summary: str
    purpose: str = ""
    usage: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    groups: tuple[Group, ...] = ()
    arguments: tuple[int, int | None] = (0, 0)
    missing: str = ""
    needed: tuple[Needed, ...] = ()
