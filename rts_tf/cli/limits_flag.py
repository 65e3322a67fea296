"""The flag ``--limits``: whether images and videos have the limits of :mod:`rts_tf.limits`."""

from absl import flags

from rts_tf import limits


class _LimitsFlag(flags.EnumFlag):
    """Sets or lifts the limits as soon as it is parsed, so that no reader needs to be given it."""

    def parse(self, argument: str) -> None:
        super().parse(argument)
        if self.value == "off":
            limits.lift()


def define_limits_flag(command_flags: flags.FlagValues) -> None:
    """Define ``--limits`` for a command that reads images or videos."""
    text = "off: read images and videos of any size, length and number of streams (SECURITY.md)."
    flag = _LimitsFlag("limits", "on", text, ("on", "off"))
    flags.DEFINE_flag(flag, flag_values=command_flags)
