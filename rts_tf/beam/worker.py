"""Starts a worker process on this machine.

Beam's own program would print on standard error, and Ctrl-C would end it in the middle of an item.
"""

import contextlib
import logging
import os
import shlex
import signal
import sys


def command_line() -> str:
    """The shell's command that starts a worker, which finds all modules that this process finds."""
    paths = [path or os.getcwd() for path in sys.path]
    body = f"import sys; sys.path[:] = {paths!r}; from rts_tf.beam.worker import main; main()"
    return f"exec {shlex.quote(sys.executable)} -c {shlex.quote(body)}"


def main() -> None:
    """Work for the process that started this one, until it closes the connection."""
    for name in ("SIGINT", "SIGTERM"):  # the process that started this one handles them
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    # What is to be known goes to that process. The rest are stacks of threads when that ends first.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  to the end of the process
    # With a handler there, Beam adds none that prints; it sends its lines to that process.
    logging.getLogger().addHandler(logging.NullHandler())
    from rts_tf.quiet import quiet_stderr

    with quiet_stderr():
        from apache_beam.runners.worker import sdk_worker_main
    with contextlib.suppress(KeyboardInterrupt):
        sdk_worker_main.main(sys.argv)
