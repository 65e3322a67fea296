"""How the user called this command, so that messages can show commands in the same form."""

import os
import sys

from rts_tf.cli.descriptions.command import Command


def program_name() -> str:
    """Return e.g. "rts enhance", "python -m rts_tf.enhance" or "rts-enhance".

    ``rts`` puts the first of these into ``sys.argv[0]``; in the second form that is a path.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and sys.argv[0] == getattr(main, "__file__", None):
        return f"python -m {spec.name.removesuffix('.__main__')}"
    return os.path.basename(sys.argv[0]).removesuffix(".exe")


def in_same_form(command: Command) -> str:
    """Return how the user would call another command in the form of this one."""
    name = program_name()
    if name.startswith(("rts ", "rts-")):
        return f"{name[:4]}{command.name}"
    if name.startswith("python -m rts_tf "):
        return f"python -m rts_tf {command.name}"
    return f"python -m {command.module}"
