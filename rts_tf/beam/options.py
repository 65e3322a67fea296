"""Reads the options of Beam that a user gave, and adds what one machine needs."""

import contextlib
import importlib.util
import io
import logging
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from rts_tf.errors import ConfigError
from rts_tf.metrics.resources import cores
from rts_tf.quiet import quiet_stderr

# Beam's name for whatever runs on this machine. Beam itself would try to download a program for it,
# so it is rts_tf.beam.pipeline that chooses the runner.
ONE_MACHINE = "DirectRunner"
_PROCESSES = "multi_processing"


class Options(NamedTuple):
    """The options of a job.

    Attributes:
        flags: For Beam's PipelineOptions.
        here: Whether everything runs on this machine.
        workers: The number of worker processes that are started here; 0 for none.
        folder: Where results are handed over, as the user named it; empty: a temporary folder.
        verbose: Whether Beam's log lines are printed.
    """

    flags: tuple[str, ...]
    here: bool
    workers: int
    folder: str
    verbose: bool = False


def check_installed(name: str = "engine") -> None:
    """Raise ConfigError if Apache Beam is not installed. This imports nothing.

    Args:
        name: The argument that asks for it.
    """
    if importlib.util.find_spec("apache_beam") is None:
        raise ConfigError(f"`{name}`=beam: needs Apache Beam: pip install 'rts_tf[beam]'")


def parsed(beam_args: str, verbose: bool = False) -> Options:
    """Return the options that ``beam_args`` names, as a shell would split it.

    Args:
        beam_args: Options of Beam and of its runners.
        verbose: Whether Beam's log lines are to be printed.

    Raises:
        ConfigError: Beam is not installed, or refuses the options.
    """
    check_installed()
    flags = _words(beam_args)
    with quiet():
        from apache_beam.options.pipeline_options import (
            DirectOptions,
            GoogleCloudOptions,
            PipelineOptions,
            StandardOptions,
            WorkerOptions,
        )

    options = PipelineOptions(_accepted(flags, PipelineOptions))
    folder = options.view_as(GoogleCloudOptions).temp_location or ""
    runner = (options.view_as(StandardOptions).runner or ONE_MACHINE).rpartition(".")[2]
    if options.view_as(WorkerOptions).default_sdk_harness_log_level is None:
        flags += ["--default_sdk_harness_log_level=ERROR"]
    if runner != ONE_MACHINE:
        if not folder:
            raise ConfigError(
                f"`beam_args`: --runner={runner} needs --temp_location=FOLDER, a folder that this"
                " machine and all workers see; results are handed over there."
            )
        return Options(tuple(flags), False, 0, folder, verbose)
    _refuse_unknown(flags, PipelineOptions)
    direct = options.view_as(DirectOptions)
    given = {word.partition("=")[0] for word in flags}
    if "--direct_running_mode" in given and direct.direct_running_mode != _PROCESSES:
        return Options(tuple(flags), True, 0, folder, verbose)
    count = direct.direct_num_workers if "--direct_num_workers" in given else 0
    count = count or cores()
    # The last one counts. The mode is that of Beam's own workers, which are not used.
    flags += [f"--direct_num_workers={count}", "--direct_running_mode=in_memory"]
    return Options(tuple(flags), True, count, folder, verbose)


def _words(beam_args: str) -> list[str]:
    try:
        words = shlex.split(beam_args)
    except ValueError as error:
        raise ConfigError(f"`beam_args`={beam_args}: {error}; close the quotation.") from None
    if words and not words[0].startswith("--"):
        raise ConfigError(f"`beam_args`: {words[0]} is no option; options begin with --.")
    return words


def _accepted(flags: list[str], kind: type) -> list[str]:
    """``flags``, if Beam takes their values. Raises ConfigError with Beam's own reason if not."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), quiet():
            kind(flags).get_all_options()
    except SystemExit:  # of argparse
        reason = (said.getvalue().strip().splitlines() or ["error: refused"])[-1]
        raise ConfigError(f"`beam_args`: {reason.partition('error: ')[2] or reason}") from None
    except ValueError as error:
        raise ConfigError(f"`beam_args`: {error}") from None
    return flags


def _refuse_unknown(flags: list[str], kind: type) -> None:
    """Raise ConfigError for options that Beam does not know. Other runners have more of them."""
    with quiet():
        known = kind(flags).get_all_options()
        every = kind(flags).get_all_options(retain_unknown_options=True)
    if unknown := sorted(every.keys() - known.keys()):
        raise ConfigError(f"`beam_args`: Beam knows no --{unknown[0]}.")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what Beam says while it is imported and reads options."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with quiet_stderr():
            yield
    finally:
        logging.disable(before)
