"""The flags --engine and --beam_args of commands that process independent items."""

from absl import flags

from rts_tf.beam import BEAM, ENGINES, LOCAL
from rts_tf.errors import ConfigError


def define_engine_flags(command_flags: flags.FlagValues) -> None:
    """Define --engine and --beam_args among the flags of a command."""
    text = (
        "local: this process; beam: Apache Beam, with a process for each core of this machine, or"
        " on a cluster."
    )
    flags.DEFINE_enum("engine", LOCAL, ENGINES, text, flag_values=command_flags)
    text = (
        "Options for Beam, as in '--direct_num_workers=4', or the runner of a cluster and what it"
        " needs."
    )
    flags.DEFINE_string("beam_args", "", text, flag_values=command_flags)


def in_beam(command_flags: flags.FlagValues) -> bool:
    """Whether the command is to work in Beam.

    Raises:
        ConfigError: Options for Beam were given, and another engine.
    """
    if command_flags.engine != BEAM and command_flags.beam_args:
        raise ConfigError("`beam_args`: are for `engine`=beam; add that, or leave them out.")
    if command_flags.engine == BEAM:
        from rts_tf.beam.options import check_installed

        check_installed()
    return command_flags.engine == BEAM
