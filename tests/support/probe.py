"""A command that prints what it was called with, for tests of command lines."""

import json

from absl import flags

from rts_tf.cli.command import run_command
from rts_tf.cli.descriptions.command import Command, Needed
from rts_tf.cli.verbosity import inform, is_quiet, is_verbose

FLAGS = flags.FlagValues()
flags.DEFINE_string("output", "", "Where to write.", flag_values=FLAGS)
flags.DEFINE_string("model", "", "What to read.", flag_values=FLAGS)
flags.DEFINE_integer("count", 1, "How many.", flag_values=FLAGS)
flags.DEFINE_boolean("fast", False, "Whether to hurry.", flag_values=FLAGS)
flags.DEFINE_enum("codec", "auto", ("auto", "h264"), "Which.", flag_values=FLAGS)
PROBE = Command(
    "probe",
    "tests.support.probe",
    "tests.support.probe",
    "Probe",
    "Probe.",
    "FILE... --model=MODEL",
    arguments=(1, 2),
    missing="name a file.",
    needed=(Needed(("model", "codec"), "name one."),),
)


def main(arguments: list[str]) -> int:
    """Print the state of the command as JSON."""
    inform("informed")
    values = {name: FLAGS[name].value for name in ("output", "count", "fast")}
    state = {"quiet": is_quiet(), "verbose": is_verbose(), "level": flags.FLAGS.verbosity}
    print(json.dumps({"arguments": arguments[1:], **values, **state}))
    return 0


def run() -> None:
    """Run it."""
    run_command(main, FLAGS, PROBE)
