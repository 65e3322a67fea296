"""The subcommands of ``rts``: a row adds one."""

from rts_tf.cli.descriptions.command import Command
from rts_tf.cli.descriptions.completion import COMPLETION
from rts_tf.cli.descriptions.distill import DISTILL
from rts_tf.cli.descriptions.enhance import ENHANCE
from rts_tf.cli.descriptions.evaluate import EVALUATE
from rts_tf.cli.descriptions.export import EXPORT
from rts_tf.cli.descriptions.serve_client import SERVE_CLIENT
from rts_tf.cli.descriptions.settop import SETTOP
from rts_tf.cli.descriptions.train import TRAIN
from rts_tf.cli.descriptions.viqet import VIQET

# In the order of the screen. A program that parses its own command line, with argparse for example,
# needs no more than a name, the module with its function ``run``, and a summary.
COMMANDS: tuple[Command, ...] = (
    ENHANCE,
    TRAIN,
    EVALUATE,
    VIQET,
    EXPORT,
    DISTILL,
    SETTOP,
    SERVE_CLIENT,
    COMPLETION,
)
