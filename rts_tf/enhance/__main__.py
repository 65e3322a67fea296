"""Enhance images and videos: ``python -m rts_tf.enhance INPUT...``.

INPUT is an image (PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG XL, HEIC), a video that FFmpeg reads,
a folder, which is searched recursively and whose tree is kept, or a quoted pattern: 'photos/*.jpg'.
Without --output, photo.jpg becomes photo_enhanced.jpg beside it. Files that already exist are kept,
so the same command continues one that was stopped, in the middle of a video too. Everything that
belongs to an image or a video is kept. What its new format cannot hold is converted, or a line at
the end names it.

``python -m rts_tf.enhance -`` enhances an image or YUV4MPEG2 on its way through a pipe.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

from rts_tf.cli.command import exit_code_of, run_command
from rts_tf.cli.descriptions.enhance import ENHANCE
from rts_tf.cli.engine import in_beam
from rts_tf.cli.enhance_flags import FLAGS
from rts_tf.cli.enhance_preview import write_preview_page
from rts_tf.cli.enhance_streams import enhance_live, explain_of_a_stream
from rts_tf.cli.enhance_work import (
    check_flags,
    comparison_page,
    enhance_all_files,
    print_lines,
    write_comparison,
)
from rts_tf.cli.json_output import Report, reported
from rts_tf.cli.outcomes import Outcomes
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.verbosity import inform
from rts_tf.enhance.patterns import expanded
from rts_tf.enhance.stream import PIPE, is_stream
from rts_tf.errors import ConfigError, printable

if TYPE_CHECKING:
    from rts_tf.enhance.jobs import Plan


def main(arguments: list[str]) -> int:
    inputs = arguments[1:]
    if PIPE in inputs and not FLAGS.output:
        FLAGS["output"].value = PIPE
    if is_stream(inputs, FLAGS.output, bool(FLAGS.raw_size)):
        return exit_code_of(
            lambda: _with_report(enhance_live, inputs),
            stopped="stopped; what was written is whole.",
            explain=explain_of_a_stream,
            command_flags=FLAGS,
        )
    return exit_code_of(
        lambda: _with_report(_enhance, inputs),
        stopped="stopped; what was written is whole. The same command continues.",
        command_flags=FLAGS,
    )


def _with_report(enhance: Callable[[list[str], Report], int], inputs: list[str]) -> int:
    if FLAGS.json and FLAGS.output == PIPE:
        raise ConfigError("`json`: standard output is taken by `output`=-; leave one of them out.")
    with reported("enhance", FLAGS.json) as report:
        return enhance(inputs, report)


def _enhance(inputs: list[str], report: Report) -> int:
    given = expanded(inputs)
    check_flags(given.inputs)
    from rts_tf.enhance.jobs import plan
    from rts_tf.enhance.targets import listed

    everything = plan(given.inputs, given.output(FLAGS.output), FLAGS.overwrite, given.others)
    if FLAGS.preview:
        return write_preview_page(everything)
    images, videos = everything.only(videos=False), _videos(everything)
    comparison = comparison_page(anything_done=bool(everything.done))
    errors = images.errors
    warnings: list[str] = []
    outcomes = Outcomes()
    if images.jobs or videos.jobs:
        failed, warnings = enhance_all_files(images, videos, comparison, outcomes)
        errors = errors + failed
    for kind, part in (("images", images), ("videos", videos)):
        if part.done:
            count, total = len(part.done), len(part.done) + len(part.jobs)
            where = "" if FLAGS.output else f", {printable(listed([j.target for j in part.done]))}"
            inform(
                f"already there: {count} of {total} {kind}{where} (--overwrite makes them again)"
            )
    if comparison:
        if (made := [*videos.jobs, *videos.done]) and importlib.util.find_spec("av"):
            from rts_tf.enhance.compared_videos import compare_videos

            warnings = warnings + compare_videos(made, comparison)
        made_elsewhere = images.jobs if in_beam(FLAGS) else []
        errors = errors + write_comparison(comparison, [*made_elsewhere, *images.done])
    for line in everything.passed_over:
        inform(printable(line))
    warnings = [*everything.notes, *warnings]
    outcomes.write(report, everything.done, warnings, errors)
    return print_lines(warnings, errors)


def _videos(everything: Plan) -> Plan:
    """The part of the plan for videos. Without PyAV it has an error instead of jobs."""
    videos = everything.only(videos=True)
    first = [*videos.jobs, *videos.done][:1]
    if first and FLAGS.scale == "2":
        raise ConfigError(
            f"`scale`=2: is for images; {first[0].source} can only be enhanced at its own size."
        )
    if videos.jobs and importlib.util.find_spec("av") is None:
        count = len(videos.jobs)
        what = f"{count} videos" if count > 1 else "is a video"
        videos.errors.append(
            f"{videos.jobs[0].source}: {what}; to enhance videos, pip install 'rts_tf[video]'"
        )
        return videos._replace(jobs=[])
    if videos.done and importlib.util.find_spec("av"):
        load_tensorflow(FLAGS.device)
        from rts_tf.enhance.work_directory import clear

        for job in videos.done:
            clear(job.target)
    return videos


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, ENHANCE)


if __name__ == "__main__":
    run()
