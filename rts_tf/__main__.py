"""The command ``rts``, also as ``python -m rts_tf``: one name for all commands of the package."""

import sys

from rts_tf.cli.program import program_name
from rts_tf.cli.subcommands import main


def run() -> None:
    """Entry point of the console script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # The encoding of the terminal may lack a character of what was typed.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main(program_name(), sys.argv[1:]))


if __name__ == "__main__":
    run()
