"""Measures speed and memory against the limits of the machine and against other programs.

Each module is a command, e.g. ``python -m benchmarks.training``; docs/benchmarks.md lists them.
"""

import contextlib

# The interpreter of a peer inherits the environment, and may lack the packages that this needs.
with contextlib.suppress(ModuleNotFoundError):
    from rts_tf.cli.startup import set_environment

    set_environment()  # as the commands do, before a benchmark imports TensorFlow
