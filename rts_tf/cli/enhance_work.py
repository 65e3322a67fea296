"""What all forms of ``rts enhance`` share: the work on files, and the lines about it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from rich.console import Console

from rts_tf.cli.command import print_error, print_note
from rts_tf.cli.engine import in_beam
from rts_tf.cli.enhance_flags import FLAGS, wishes
from rts_tf.cli.outcomes import Outcomes
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.verbosity import inform
from rts_tf.enhance import AUTO, FAST
from rts_tf.enhance.checks import check_files, check_network, check_page, check_preset
from rts_tf.errors import ConfigError, printable

if TYPE_CHECKING:
    from rts_tf.enhance.jobs import Job, Plan
    from rts_tf.enhance.weights import Weights
    from rts_tf.report.comparison import Comparison


def check_flags(inputs: list[str]) -> None:
    """Raise ConfigError if an input or a flag cannot work."""
    check_files(inputs, FLAGS.output)
    check_network(FLAGS.model, FLAGS.strength, FLAGS.tile)
    check_preset(FLAGS.encoder_preset, FLAGS.codec)
    check_page("compare", FLAGS.compare)
    check_page("preview", FLAGS.preview)
    if in_beam(FLAGS) and FLAGS.preview:
        raise ConfigError("`preview`: is made in this process; leave out `engine`.")


def enhance_all_files(
    images: Plan, videos: Plan, comparison: Comparison | None, outcomes: Outcomes
) -> tuple[list[str], list[str]]:
    """Enhance the images, then the videos: the errors and the warnings."""
    if in_beam(FLAGS):
        return _enhance_in_beam(images, videos, outcomes)
    from rts_tf.enhance.images import first_read

    with first_read(images.jobs, int(FLAGS.scale)) as reading:
        return _enhance_with(loaded_weights(), images, videos, comparison, reading, outcomes)


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
        from rts_tf.enhance.looks import megapixels_of
        from rts_tf.enhance.video import enhance_videos

        work[VIDEOS] = sum(map(megapixels_of, videos.jobs))
    errors: list[str] = []
    warnings: list[str] = []
    counts: list[tuple[Plan, int, str]] = []
    outcomes.model = lambda: weights.latest
    progress = RunProgress(work, Console(stderr=True, highlight=False))
    with progress.running():
        if images.jobs:
            what = images.jobs, weights.for_image, progress, sizes, comparison
            failed, found = enhance_all(
                *what, int(FLAGS.scale), reading=reading, on_job=outcomes.begin
            )
            errors, warnings = errors + failed, warnings + found
            counts.append((images, len(failed), "images"))
        if videos.jobs:
            coding = FLAGS.codec, FLAGS.crf, FLAGS.encoder_preset
            settings = Settings(FLAGS.strength, FLAGS.chroma, *coding, wishes(), FLAGS.deinterlace)
            what_next = videos.jobs, weights.for_video, settings, progress
            failed, found = enhance_videos(*what_next, on_job=outcomes.begin)
            errors, warnings = errors + failed, warnings + found
            counts.append((videos, len(failed), "videos"))
    outcomes.end()
    _print_summary(counts, weights.chosen())
    return errors, warnings


def _enhance_in_beam(images: Plan, videos: Plan, outcomes: Outcomes) -> tuple[list[str], list[str]]:
    """The same as :func:`enhance_all_files` in Beam. The files themselves are compared later."""
    from rts_tf.cli.enhance_in_beam import enhance_in_beam
    from rts_tf.enhance.choice import chosen_line

    of_each, warnings, choices = enhance_in_beam([*images.jobs, *videos.jobs], outcomes)
    failed = [sum(map(bool, of_each[: len(images.jobs)])), 0]
    failed[1] = sum(map(bool, of_each)) - failed[0]
    plans = zip((images, videos), failed, ("images", "videos"))
    _print_summary([count for count in plans if count[0].jobs], chosen_line(choices))
    return [error for errors in of_each for error in errors], warnings


def _print_summary(counts: Iterable[tuple[Plan, int, str]], chosen: str) -> None:
    """Print how many files were enhanced, and by what. Call it after the bar is gone."""
    for count in counts:
        _print_count(*count)
    if chosen:
        inform(f"weights: {chosen}; --model overrides this")


def loaded_weights() -> Weights:
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.device_line import DeviceLine
    from rts_tf.enhance.weights import Weights

    tile = None if FLAGS.tile == AUTO else int(FLAGS.tile)
    settings = FLAGS.model, int(FLAGS.scale), FLAGS.strength, tile
    return Weights(*settings, chroma=FLAGS.chroma, on_model=DeviceLine().model)


def _print_count(plan: Plan, failed: int, kind: str) -> None:
    count = len(plan.jobs)
    inform(f"enhanced {count - failed} of {count} {kind}: {printable(plan.place())}")


def comparison_page(anything_done: bool) -> Comparison | None:
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


def write_comparison(comparison: Comparison, done: list[Job]) -> list[str]:
    """Write the page, with the images that were there already: the error, if there is one."""
    from rts_tf.enhance.images import compare_done

    compare_done(done, comparison)
    try:
        written = comparison.write()
    except OSError as error:
        return [f"`compare`={FLAGS.compare}: cannot be written ({error.strerror or error})"]
    inform(f"compare: {printable(FLAGS.compare)}" if written else "compare: nothing to show")
    return []


def print_lines(warnings: Iterable[str], errors: list[str]) -> int:
    """Print what there is to say at the end: the exit code."""
    for warning in warnings:
        print_note(warning)
    for error in errors:
        print_error(error)
    return 1 if errors else 0
