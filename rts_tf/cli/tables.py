"""Prints tables on a terminal, and the flag --wide, which shows all of their columns."""

from absl import flags

from rts_tf.cli.command import in_flags


def define_wide_flag(command_flags: flags.FlagValues) -> None:
    """Define --wide among the flags of a command."""
    text = "Show all columns of the tables, which then need more than 80 columns, and whole names."
    flags.DEFINE_boolean("wide", False, text, flag_values=command_flags)


def print_table(table: str) -> None:
    """Print a table of :mod:`rts_tf.report.text_table`, whose legend names --wide."""
    print(in_flags(table), flush=True)
