"""The flags --engine and --beam_args of commands that process independent items."""

from absl import flags

from rts_tf.beam import BEAM, ENGINES, LOCAL
from rts_tf.errors import ConfigError


def define_engine_flags(
    command_flags: flags.FlagValues, name: str = "engine", what: str = ""
) -> None:
    """Define --engine and --beam_args among the flags of a command.

    Args:
        command_flags: The flags of the command.
        name: Another name for the first of them.
        what: What its help says first.
    """
    text = (
        f"{what}local: this process; beam: Apache Beam, with a process for each core of this"
        " machine, or on a cluster."
    )
    flags.DEFINE_enum(
        name,
        LOCAL,
        ENGINES,
        text[0].upper() + text[1:] if what else text,
        flag_values=command_flags,
    )
    text = (
        "Options for Beam, as in '--direct_num_workers=4', or the runner of a cluster and what it"
        " needs."
    )
    flags.DEFINE_string("beam_args", "", text, flag_values=command_flags)


def in_beam(command_flags: flags.FlagValues, name: str = "engine") -> bool:
    """Whether the command is to work in Beam, as the flag ``name`` says.

    Raises:
        ConfigError: Options for Beam were given, and another engine.
    """
    wanted = command_flags[name].value == BEAM
    if command_flags.beam_args and not wanted:
        raise ConfigError(f"`beam_args`: are for `{name}`=beam; add that, or leave them out.")
    if wanted:
        from rts_tf.beam.options import check_installed

        check_installed(name)
    return wanted
