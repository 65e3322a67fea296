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
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from rich.console import Console

from rts_tf.cli.command import exit_code_of, print_error, print_note, run_command
from rts_tf.cli.descriptions.enhance import ENHANCE
from rts_tf.cli.enhance_flags import FLAGS, ONLY_FOR_FILES, wishes
from rts_tf.cli.interrupts import Interrupts
from rts_tf.cli.json_output import Report, reported
from rts_tf.cli.outcomes import Outcomes
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.verbosity import inform, is_quiet
from rts_tf.enhance import AUTO, FAST, live
from rts_tf.enhance.checks import check_files, check_network, check_page, check_preset
from rts_tf.enhance.patterns import expanded
from rts_tf.enhance.stream import PIPE, find_image, is_stream, opened
from rts_tf.errors import ConfigError, printable
from rts_tf.video.y4m import raw_format

if TYPE_CHECKING:
    from rts_tf.enhance.jobs import Job, Plan
    from rts_tf.enhance.weights import Weights
    from rts_tf.report.comparison import Comparison


def main(arguments: list[str]) -> int:
    inputs = arguments[1:]
    if PIPE in inputs and not FLAGS.output:
        FLAGS["output"].value = PIPE
    if is_stream(inputs, FLAGS.output, bool(FLAGS.raw_size)):
        return exit_code_of(
            lambda: _with_report(_enhance_live, inputs),
            stopped="stopped; what was written is whole.",
            explain=_explain_of_a_stream,
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


def _enhance_live(inputs: list[str], report: Report) -> int:
    """Enhance a stream, or an image on a pipe. Only what is made goes to standard output."""
    if FLAGS.preview:
        raise ConfigError("`preview`: does not apply to a pipe; name files.")
    if not FLAGS.output:
        raise ConfigError(f"`raw_size`={FLAGS.raw_size}: name an `output` too, or - for a pipe.")
    _check_flags(inputs)
    if os.path.isfile(FLAGS.output) and not FLAGS.overwrite:
        print_note(f"already there: {FLAGS.output} (`overwrite` makes it again)")
        return 0
    raw = raw_format(FLAGS.raw_size, FLAGS.raw_format) if FLAGS.raw_size else None
    image, start = (False, b"") if raw else find_image(inputs, FLAGS.output)
    if image:
        return _enhance_piped(inputs[0], start, report)
    _check_flags_of_a_stream()
    with opened(inputs, FLAGS.output, raw, start) as stream:
        model = _weights().for_stream(stream.format.bits)
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

    comparison, outcomes = _comparison(anything_done=False), Outcomes()
    with piped_image(path, FLAGS.output, start) as image:
        nothing = Plan([], [], [], output=FLAGS.output)
        errors, warnings = _enhance_all(
            nothing._replace(jobs=[image.job]), nothing, comparison, outcomes
        )
        if comparison:
            errors = errors + _write_comparison(comparison, [])
        outcomes.write(report, [], warnings, errors, image.line)
        return _print_lines(map(image.line, warnings), list(map(image.line, errors)))


def _explain_of_a_stream(error: OSError) -> str:
    what = error.filename or f"`output`={FLAGS.output}"
    return f"{os.fsdecode(what)}: cannot be read or written ({error.strerror or error})"


def _enhance(inputs: list[str], report: Report) -> int:
    given = expanded(inputs)
    _check_flags(given.inputs)
    from rts_tf.enhance.jobs import plan
    from rts_tf.enhance.targets import listed

    everything = plan(given.inputs, given.output(FLAGS.output), FLAGS.overwrite, given.others)
    if FLAGS.preview:
        return _preview(everything)
    images, videos = everything.only(videos=False), _videos(everything)
    comparison = _comparison(anything_done=bool(everything.done))
    errors = images.errors
    warnings: list[str] = []
    outcomes = Outcomes()
    if images.jobs or videos.jobs:
        failed, warnings = _enhance_all(images, videos, comparison, outcomes)
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

            compare_videos(made, comparison)
        errors = errors + _write_comparison(comparison, images.done)
    for line in everything.passed_over:
        inform(printable(line))
    warnings = [*everything.notes, *warnings]
    outcomes.write(report, everything.done, warnings, errors)
    return _print_lines(warnings, errors)


def _preview(everything: Plan) -> int:
    """Write the page of --preview, and nothing else."""
    from rts_tf.report.preview_page import check_replaceable, write_preview

    check_replaceable(FLAGS.preview)
    load_tensorflow()
    from rts_tf.cli.progress import RunProgress
    from rts_tf.enhance import preview

    wish = preview.Wish(FLAGS.model, int(FLAGS.scale), FLAGS.strength, FLAGS.chroma)
    jobs = [*everything.jobs, *everything.done]
    if not (crops := preview.crops_of(jobs, wish)):
        raise ConfigError("`preview`: none of the inputs can be read; without it, each says why.")
    networks = len(preview.models_for(wish))
    progress = RunProgress({preview.PREVIEW: networks}, Console(stderr=True, highlight=False))
    with progress.running():
        sections = preview.sections_of(crops, wish, preview.megapixels_of(jobs), progress)
    write_preview(FLAGS.preview, sections, preview.summary_of(jobs, wish))
    print(f"preview: {printable(FLAGS.preview)}")
    return _print_lines([], everything.errors)


def _print_lines(warnings: Iterable[str], errors: list[str]) -> int:
    """Print what there is to say at the end: the exit code."""
    for warning in warnings:
        print_note(warning)
    for error in errors:
        print_error(error)
    return 1 if errors else 0


def _enhance_all(
    images: Plan, videos: Plan, comparison: Comparison | None, outcomes: Outcomes
) -> tuple[list[str], list[str]]:
    """Enhance the images, then the videos: the errors and the warnings."""
    from rts_tf.enhance.images import first_read

    with first_read(images.jobs, int(FLAGS.scale)) as reading:
        return _enhance_with(_weights(), images, videos, comparison, reading, outcomes)


def _enhance_with(
    weights: Weights,
    images: Plan,
    videos: Plan,
    comparison: Comparison | None,
    reading: dict[int, Future],
    outcomes: Outcomes,
) -> tuple[list[str], list[str]]:
    """Enhance the images, the first of which is being read, then the videos."""
    from rts_tf.cli.progress import RunProgress
    from rts_tf.enhance.images import enhance_all, sizes_of
    from rts_tf.enhance.progress import IMAGES, VIDEOS

    sizes = sizes_of(images.jobs)
    work = {IMAGES: sum(sizes) / 1e6}
    if videos.jobs:
        from rts_tf.enhance.coding import Settings
        from rts_tf.enhance.video import enhance_videos, megapixels_of

        work[VIDEOS] = sum(map(megapixels_of, videos.jobs))
    errors: list[str] = []
    warnings: list[str] = []
    counts: list[tuple[Plan, int, str]] = []
    outcomes.model = lambda: weights.latest
    progress = RunProgress(work, Console(stderr=True, highlight=False))
    with progress.running():
        if images.jobs:
            jobs = outcomes.noted(images.jobs)
            what = jobs, weights.for_image, progress, sizes, comparison
            failed, found = enhance_all(*what, int(FLAGS.scale), reading=reading)
            errors, warnings = errors + failed, warnings + found
            counts.append((images, len(failed), "images"))
        if videos.jobs:
            coding = FLAGS.codec, FLAGS.crf, FLAGS.encoder_preset
            settings = Settings(FLAGS.strength, FLAGS.chroma, *coding, wishes(), FLAGS.deinterlace)
            jobs = outcomes.noted(videos.jobs)
            failed, found = enhance_videos(jobs, weights.for_video, settings, progress)
            errors, warnings = errors + failed, warnings + found
            counts.append((videos, len(failed), "videos"))
    outcomes.end()
    for count in counts:  # after the bar is gone
        _print_count(*count)
    if chosen := weights.chosen():
        inform(f"weights: {chosen}; --model overrides this")
    return errors, warnings


def _weights() -> Weights:
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.device_line import DeviceLine
    from rts_tf.enhance.weights import Weights

    tile = None if FLAGS.tile == AUTO else int(FLAGS.tile)
    settings = FLAGS.model, int(FLAGS.scale), FLAGS.strength, tile
    return Weights(*settings, chroma=FLAGS.chroma, on_model=DeviceLine().model)


def _print_count(plan: Plan, failed: int, kind: str) -> None:
    count = len(plan.jobs)
    inform(f"enhanced {count - failed} of {count} {kind}: {printable(plan.place())}")


def _comparison(anything_done: bool) -> Comparison | None:
    """The page of --compare, if it is asked for."""
    if not FLAGS.compare:
        return None
    from rts_tf.report.comparison import Comparison

    name = os.path.basename(os.path.normpath(FLAGS.model))
    by = "the weights that suit each file" if FLAGS.model in (AUTO, FAST) else name
    how = f"Enhanced by {by}, strength {FLAGS.strength:g}."
    if anything_done:
        how += " Files that were there already may have been made with other settings."
    return Comparison(FLAGS.compare, how)


def _write_comparison(comparison: Comparison, done: list[Job]) -> list[str]:
    """Write the page, with the images that were there already: the error, if there is one."""
    from rts_tf.enhance.images import compare_done

    compare_done(done, comparison)
    try:
        written = comparison.write()
    except OSError as error:
        return [f"`compare`={FLAGS.compare}: cannot be written ({error.strerror or error})"]
    inform(f"compare: {printable(FLAGS.compare)}" if written else "compare: nothing to show")
    return []


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
        load_tensorflow()
        from rts_tf.enhance.work_directory import clear

        for job in videos.done:
            clear(job.target)
    return videos


def _check_flags(inputs: list[str]) -> None:
    """Raise ConfigError if an input or a flag cannot work."""
    check_files(inputs, FLAGS.output)
    check_network(FLAGS.model, FLAGS.strength, FLAGS.tile)
    check_preset(FLAGS.encoder_preset, FLAGS.codec)
    check_page("compare", FLAGS.compare)
    check_page("preview", FLAGS.preview)


def _check_flags_of_a_stream() -> None:
    """Raise ConfigError if a flag is given that means nothing for a stream."""
    for name in ONLY_FOR_FILES:
        if FLAGS[name].value != FLAGS[name].default:
            raise ConfigError(
                f"`{name}`={FLAGS[name].value}: does not apply to a stream, which keeps its size"
                " and is not encoded; leave it out."
            )


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, ENHANCE)


if __name__ == "__main__":
    run()
