"""What ``rts`` says about ``rts settop``, which parses its own command line."""

from rts_tf.cli.descriptions.command import Command

SETTOP = Command(
    name="settop",
    module="rts_tf.settop",
    entry="rts_tf.settop.command",
    summary="Run an exported TFLite file, as on a device",
    arguments=(2, 2),
)
