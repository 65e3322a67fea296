"""What a completion script knows about the subcommands of ``rts``."""

from typing import NamedTuple


class Option(NamedTuple):
    """A flag.

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
    """A subcommand.

    Attributes:
        name: What follows ``rts``.
        text: One line about it.
        options: Its flags.
        takes_arguments: Whether there are arguments that are no flags.
        words: What these may be; empty: files.
    """

    name: str
    text: str
    options: tuple[Option, ...]
    takes_arguments: bool
    words: tuple[str, ...] = ()
