"""Reads the options of Beam that a user gave, and adds what one machine needs."""

import contextlib
import importlib.util
import io
import logging
import shlex
from typing import NamedTuple

from rts_tf.errors import ConfigError
from rts_tf.metrics.resources import cores

# A runner with processes on this machine. Beam's own choice would be one thread, or a program that
# it downloads.
ONE_MACHINE = "DirectRunner"
_PROCESSES = "multi_processing"


class Options(NamedTuple):
    """The options of a job.

    Attributes:
        flags: For Beam's PipelineOptions.
        workers: The number of worker processes on this machine; 0 if the workers are elsewhere.
        folder: Where results are handed over, as the user named it; empty: a temporary folder.
    """

    flags: tuple[str, ...]
    workers: int
    folder: str


def check_installed() -> None:
    """Raise ConfigError if Apache Beam is not installed. This imports nothing."""
    if importlib.util.find_spec("apache_beam") is None:
        raise ConfigError("`engine`=beam: needs Apache Beam: pip install 'rts_tf[beam]'")


def parsed(beam_args: str) -> Options:
    """Return the options that ``beam_args`` names, as a shell would split it.

    Raises:
        ConfigError: Beam is not installed, or refuses the options.
    """
    check_installed()
    flags = _words(beam_args)
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
        return Options(tuple(flags), 0, folder)
    _refuse_unknown(flags, PipelineOptions)
    direct = options.view_as(DirectOptions)
    given = {word.partition("=")[0] for word in flags}
    count = direct.direct_num_workers or cores()
    if "--direct_num_workers" not in given:
        count = cores()
        flags.append(f"--direct_num_workers={count}")
    if "--direct_running_mode" not in given:
        flags.append(f"--direct_running_mode={_PROCESSES}")
    elif direct.direct_running_mode != _PROCESSES:
        count = 1  # one process, this one
    if "--runner" not in given:
        flags.append(f"--runner={ONE_MACHINE}")
    return Options(tuple(flags), count, folder)


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
        with contextlib.redirect_stderr(said), _silent():
            kind(flags).get_all_options()
    except SystemExit:  # of argparse
        reason = (said.getvalue().strip().splitlines() or ["error: refused"])[-1]
        raise ConfigError(f"`beam_args`: {reason.partition('error: ')[2] or reason}") from None
    except ValueError as error:
        raise ConfigError(f"`beam_args`: {error}") from None
    return flags


def _refuse_unknown(flags: list[str], kind: type) -> None:
    """Raise ConfigError for options that Beam does not know. Runners elsewhere have more of them."""
    with _silent():
        known = kind(flags).get_all_options()
        every = kind(flags).get_all_options(retain_unknown_options=True)
    if unknown := sorted(every.keys() - known.keys()):
        raise ConfigError(f"`beam_args`: Beam knows no --{unknown[0]}.")


@contextlib.contextmanager
def _silent():
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
