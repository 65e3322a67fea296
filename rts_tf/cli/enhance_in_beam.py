"""``rts enhance --engine=beam``: images, and spans of videos, wherever a worker is free."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from rts_tf.beam.options import parsed
from rts_tf.beam.run import results
from rts_tf.cli.device_line import DeviceLine
from rts_tf.cli.enhance_flags import FLAGS, wishes
from rts_tf.cli.enhance_work_in_beam import EnhanceWork
from rts_tf.cli.outcomes import Outcomes
from rts_tf.cli.progress import RunProgress
from rts_tf.cli.verbosity import is_verbose
from rts_tf.enhance import AUTO
from rts_tf.enhance.choice import Choice
from rts_tf.enhance.images import check_room, sizes_of
from rts_tf.enhance.progress import IMAGES, VIDEOS
from rts_tf.enhance.targets import Job, root_of
from rts_tf.errors import ConfigError
from rts_tf.locks import Lock


def enhance_in_beam(
    jobs: Sequence[Job], outcomes: Outcomes
) -> tuple[list[list[str]], list[str], list[Choice]]:
    """Enhance files in Beam.

    Args:
        jobs: The files.
        outcomes: Learns what became of each.

    Returns:
        The errors of each file, the warnings, and the weights that were chosen.

    Raises:
        RtsError: The job could not go on. What was done is kept.
    """
    _check_apart(jobs)
    options = parsed(FLAGS.beam_args, is_verbose())
    check_room([job for job in jobs if not job.video])
    work = _amounts(jobs)
    totals = {
        phase: sum(amount for job, amount in zip(jobs, work) if job.video == video)
        for phase, video in ((IMAGES, False), (VIDEOS, True))
    }
    progress = RunProgress(totals, Console(stderr=True, highlight=False))
    found: dict[int, Any] = {}
    line = DeviceLine()
    with _locks(jobs) as locks, progress.running():
        videos = any(job.video for job in jobs)
        done = results(_work(), jobs, options, progress.check, in_parts=videos)
        with contextlib.closing(done):
            for number, result, is_part in done:
                for device in result["devices"]:
                    line.say(device)
                job = jobs[number]
                if is_part:
                    _advance(progress, VIDEOS, result["megapixels"], f"{job.name}")
                    continue
                found[number] = result
                figures = {"model": result["model"], "seconds": result["seconds"]}
                outcomes.note(job, figures)
                if result.get("over"):
                    locks.pop(number).remove_directory()
                if not job.video:
                    text = f"image {len(found)}/{len(jobs)}"
                    _advance(progress, IMAGES, work[number], text)
    each = [found[number] for number in range(len(jobs))]
    warnings = [line for result in each for line in result["warnings"]]
    choices = [Choice(*choice) for result in each for choice in result["choices"]]
    return [result["errors"] for result in each], warnings, choices


def _work() -> EnhanceWork:
    """What the workers do, by the flags."""
    coding = FLAGS.codec, FLAGS.crf, FLAGS.encoder_preset
    settings = FLAGS.strength, FLAGS.chroma, *coding, wishes(), FLAGS.deinterlace
    tile = None if FLAGS.tile == AUTO else int(FLAGS.tile)
    weights = FLAGS.model, int(FLAGS.scale), FLAGS.strength, tile
    return EnhanceWork(FLAGS.device, weights, int(FLAGS.scale), settings, FLAGS.chroma)


def _amounts(jobs: Sequence[Job]) -> list[float]:
    """The megapixels of each file, 0 where they are unknown."""
    if any(job.video for job in jobs):
        from rts_tf.enhance.looks import megapixels_of
    sizes = iter(sizes_of([job for job in jobs if not job.video]))
    return [megapixels_of(job) if job.video else next(sizes) / 1e6 for job in jobs]


def _advance(progress: RunProgress, phase: str, megapixels: float, text: str) -> None:
    progress.advance(phase, megapixels, text, megapixels, "megapixels")


def _check_apart(jobs: Sequence[Job]) -> None:
    """Raise ConfigError if a file would be written over its source."""
    for job in jobs:
        if os.path.realpath(job.source) == os.path.realpath(job.target):
            raise ConfigError(
                f"{job.source}: with `engine`=beam nothing is written over its source, since what"
                " a lost worker had done is done again; name another `output`."
            )


@contextlib.contextmanager
def _locks(jobs: Sequence[Job]) -> Iterator[dict[int, Lock]]:
    """Keep other commands out of the hidden directories of videos.

    Yields:
        The locks by the numbers of the videos. Those that are left are closed, and directories that
        hold no segment are removed.

    Raises:
        RtsError: Another command works on one of the videos.
    """
    if any(job.video for job in jobs):
        from rts_tf.enhance.work_directory import locked_directory
    locks: dict[int, Lock] = {}
    try:
        for number, job in enumerate(jobs):
            if job.video:
                root = root_of(job.target)
                root.mkdir(parents=True, exist_ok=True)
                locks[number] = locked_directory(root)
        yield locks
    finally:
        for held in locks.values():
            if not any(held.root.glob("[0-9]*.nut")):
                held.remove_directory()
            held.close()
