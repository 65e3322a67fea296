"""``rts enhance`` on a stream, or on an image on its way through a pipe."""

from __future__ import annotations

import os
import sys

from rts_tf.cli.command import print_note
from rts_tf.cli.enhance_flags import FLAGS, ONLY_FOR_FILES
from rts_tf.cli.enhance_work import (
    check_flags,
    comparison_page,
    enhance_all_files,
    loaded_weights,
    print_lines,
    write_comparison,
)
from rts_tf.cli.interrupts import Interrupts
from rts_tf.cli.json_output import Report
from rts_tf.cli.outcomes import Outcomes
from rts_tf.cli.verbosity import is_quiet
from rts_tf.enhance import live
from rts_tf.enhance.stream import PIPE, find_image, opened
from rts_tf.errors import ConfigError
from rts_tf.video.y4m import raw_format


def enhance_live(inputs: list[str], report: Report) -> int:
    """Enhance a stream, or an image on a pipe. Only what is made goes to standard output."""
    if FLAGS.preview:
        raise ConfigError("`preview`: does not apply to a pipe; name files.")
    if not FLAGS.output:
        raise ConfigError(f"`raw_size`={FLAGS.raw_size}: name an `output` too, or - for a pipe.")
    check_flags(inputs)
    if os.path.isfile(FLAGS.output) and not FLAGS.overwrite:
        print_note(f"already there: {FLAGS.output} (`overwrite` makes it again)")
        return 0
    raw = raw_format(FLAGS.raw_size, FLAGS.raw_format) if FLAGS.raw_size else None
    image, start = (False, b"") if raw else find_image(inputs, FLAGS.output)
    if image:
        return _enhance_piped(inputs[0], start, report)
    _check_flags_of_a_stream()
    with opened(inputs, FLAGS.output, raw, start) as stream:
        model = loaded_weights().for_stream(stream.format.bits)
        network = live.network_for(stream, model, FLAGS.strength, FLAGS.chroma)
        interrupts = Interrupts(lambda: None)
        with interrupts.caught():
            made = live.enhance_stream(stream, network, interrupts.check)
    if not is_quiet():
        print(made, file=sys.stderr)
    if made.error:
        raise made.error
    figures = {"output": FLAGS.output, "frames": made.frames, "seconds": made.seconds}
    report.item(inputs[0] if inputs else PIPE, figures | {"latency_seconds": made.latency})
    return 0


def _enhance_piped(path: str, start: bytes, report: Report) -> int:
    """Enhance an image that comes from a pipe or goes into one."""
    from rts_tf.enhance.jobs import Plan
    from rts_tf.enhance.piped import piped_image

    comparison, outcomes = comparison_page(anything_done=False), Outcomes()
    with piped_image(path, FLAGS.output, start) as image:
        nothing = Plan([], [], [], output=FLAGS.output)
        errors, warnings = enhance_all_files(
            nothing._replace(jobs=[image.job]), nothing, comparison, outcomes
        )
        if comparison:
            errors = errors + write_comparison(comparison, [])
        outcomes.write(report, [], warnings, errors, image.line)
        return print_lines(map(image.line, warnings), list(map(image.line, errors)))


def explain_of_a_stream(error: OSError) -> str:
    what = error.filename or f"`output`={FLAGS.output}"
    return f"{os.fsdecode(what)}: cannot be read or written ({error.strerror or error})"


def _check_flags_of_a_stream() -> None:
    """Raise ConfigError if a flag is given that means nothing for a stream."""
    for name in ONLY_FOR_FILES:
        if FLAGS[name].value != FLAGS[name].default:
            raise ConfigError(
                f"`{name}`={FLAGS[name].value}: does not apply to a stream, which keeps its size"
                " and is not encoded; leave it out."
            )
