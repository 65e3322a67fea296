"""How much a command says: ``-q``, ``--quiet`` and ``-v``, ``--verbose``.

Nothing here knows flags, so the library may ask too: outside a command nothing is quiet or verbose.
"""

_quiet = _verbose = False


def set_verbosity(*, quiet: bool = False, verbose: bool = False) -> None:
    """Set what the command line asked for. :func:`rts_tf.cli.command.run_command` calls this."""
    global _quiet, _verbose
    _quiet, _verbose = quiet, verbose


def is_quiet() -> bool:
    """Whether only results, warnings and errors are to be printed."""
    return _quiet


def is_verbose() -> bool:
    """Whether log lines for debugging are to be printed, those of TensorFlow among them."""
    return _verbose


def inform(line: str = "") -> None:
    """Print a line that is worth knowing and no result; do nothing in a quiet command."""
    if not _quiet:
        print(line)
