"""The flags of every command: help, version, and how much it says.

They take the place of absl's own ``--help`` and ``-v``. absl keeps ``--verbosity``.
"""

from collections.abc import Callable

from absl import flags

from rts_tf.cli.printing import print_screen
from rts_tf.cli.versions import version_line


class _Prints(flags.BooleanFlag):
    """A flag that prints a text and ends the command with exit code 0."""

    def __init__(self, name: str, text: Callable[[], str], short_name: str | None = None):
        super().__init__(name, False, "", short_name=short_name, allow_override=True)
        self._text = text

    def parse(self, argument: str | bool) -> None:
        if self._parse(argument):
            print_screen(self._text())
            raise SystemExit(0)


def define_common_flags(short_help: Callable[[], str], full_help: Callable[[], str]) -> None:
    """Define the flags in ``absl.flags.FLAGS``, over those of absl with the same names.

    Args:
        short_help: Returns what ``--help`` prints.
        full_help: Returns what ``--helpfull`` prints.
    """
    for flag in (
        _Prints("help", short_help, "h"),
        _Prints("helpshort", short_help, "?"),  # the names that absl has for the same
        _Prints("helpfull", full_help),
        _Prints("version", version_line),
    ):
        flags.DEFINE_flag(flag)
    for name, short_name in (("quiet", "q"), ("verbose", "v")):
        flags.DEFINE_boolean(name, False, "", short_name=short_name, allow_override=True)
