"""Defines the flags of a command for the fields of its settings (:mod:`rts_tf.settings`)."""

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from absl import flags

from rts_tf.cli.command import in_flags

_DEFINE: dict[type, Callable] = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


def define_flag(
    field: dataclasses.Field, default: Any, values: str, command_flags: flags.FlagValues
) -> None:
    """Define the flag of one setting.

    Args:
        field: A field of a class of :class:`rts_tf.settings.Settings`.
        default: The value without the flag.
        values: What the help says about the values that the setting has by itself.
        command_flags: The flags of the command.
    """
    text, choices = in_flags(field.metadata["help"]), field.metadata["choices"]
    if choices:
        text += f" One of: {' '.join(map(str, choices))}."
    define = _DEFINE[type(field.default)]
    define(field.name, default, f"{text} {values}", flag_values=command_flags)
    # Without this --help would not list the flag, since this module defines it, not the command.
    command_flags.register_key_flag_for_module(sys.argv[0], command_flags[field.name])
