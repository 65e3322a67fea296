"""Defines the flags of a command for the fields of its settings (:mod:`rts_tf.settings`)."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags

_DEFINE: dict[type, Callable] = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


class _ChoiceParser(flags.ArgumentParser):
    """Knows the values of a setting, for help and completion.

    The settings check them, since ``network`` may also be a module:function.
    """

    def __init__(self, enum_values: tuple[str, ...]):
        self.enum_values = enum_values


def define_flag(
    field: dataclasses.Field,
    default: Any,
    defaults: Mapping[str, Any],
    command_flags: flags.FlagValues,
) -> None:
    """Define the flag of one setting.

    Args:
        field: A field of a class of :class:`rts_tf.settings.Settings`.
        default: The value without the flag; None: the setting has a value of its own.
        defaults: That value by the name of the preset, for the help.
        command_flags: The flags of the command.
    """
    # What stands in backticks is another setting.
    text = re.sub(r"`(\w+)`", r"--\1", field.metadata["help"])
    choices = field.metadata["choices"]
    if choices and type(field.default) is str:
        parser = _ChoiceParser(choices)
        flag = flags.Flag(parser, flags.ArgumentSerializer(), field.name, default, text)
        flags.DEFINE_flag(flag, command_flags)
    else:
        text += f" One of {', '.join(map(str, choices))}." if choices else ""
        _DEFINE[type(field.default)](field.name, default, text, flag_values=command_flags)
    if defaults:
        command_flags[field.name].default_as_str = _listed(defaults)


def _listed(defaults: Mapping[str, Any]) -> str:
    """The value of the first preset, then those of presets that differ: "260; standard: 3000"."""
    (_, first), *others = defaults.items()
    return "; ".join([str(first), *(f"{name}: {v}" for name, v in others if v != first)])
