"""What the commands share that train in a directory: checks, progress, and a full disk."""

import pathlib
from collections.abc import Callable

from rich.console import Console

from rts_tf.cli.command import in_flags
from rts_tf.cli.progress import RunProgress
from rts_tf.cli.verbosity import is_quiet
from rts_tf.errors import ConfigError, RtsError, first_line
from rts_tf.storage import read_json_or_none
from rts_tf.workers import ALONE, Workers


def check_workdir(workdir: str) -> None:
    """Check the flag of that name.

    Raises:
        ConfigError: The directory has no name.
    """
    if not workdir:
        raise ConfigError("--workdir is empty: name a directory.")


def train_in(
    workdir: pathlib.Path, train: Callable[..., dict], workers: Workers = ALONE
) -> tuple[dict, bool]:
    """Train with progress on the terminal. TensorFlow must be loaded.

    Args:
        train: Takes ``say`` and ``start_progress``, as
            :func:`rts_tf.training.recurrence.train` does, and returns a summary.
        workers: The workers of the training, of which only the chief shows the progress.

    Returns:
        The summary, and whether it was there before: the training was over already.

    Raises:
        RtsError: As ``train``, or no memory or disk is left.
    """
    import tensorflow as tf

    from rts_tf.training.cluster import losses_named

    console = Console(highlight=False, quiet=is_quiet())
    before = read_json_or_none(workdir / "summary.json")
    try:
        with losses_named(workers):
            summary = train(
                say=lambda line: console.print(in_flags(line), markup=False, soft_wrap=True),
                start_progress=lambda work: RunProgress(work, console, workers.is_chief).running(),
            )
    except tf.errors.ResourceExhaustedError as error:  # RtsError if it was foreseen
        raise RtsError(
            f"{workdir}: no memory or disk is left ({first_line(error)}). What was done is"
            " kept; make room and run the command again, or start a run with a lower --batch or"
            " --patch in another --workdir."
        ) from None
    return summary, summary == before
