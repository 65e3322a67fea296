"""Completion scripts by shell: a function that makes each out of the table of subcommands."""

from collections.abc import Callable, Sequence

from rts_tf.cli.shells import bash, fish, zsh
from rts_tf.cli.shells.table import Completed

SHELLS: dict[str, Callable[[Sequence[Completed]], str]] = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
}
