"""Enhances a video in spans of segments, each wherever a worker is free, and joins them.

Segments begin at the frames at which they begin in :mod:`rts_tf.enhance.video`, so they, and the
video, are the same to the last bit. A span is a few segments and not one of them, since all frames
before it are decoded too: few formats can be entered at any frame.
"""

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from rts_tf.enhance.coding import Settings
from rts_tf.enhance.targets import Job
from rts_tf.enhance.video import enhanced_frames, write_segments
from rts_tf.enhance.video_plan import SEGMENT, LoadModel, Seen, VideoPlan, plan_video
from rts_tf.enhance.work_directory import (
    SOURCE_KEY,
    Segments,
    WorkDirectory,
    differences,
    settings_of,
)
from rts_tf.errors import VideoError
from rts_tf.networks.precision import instruction_set
from rts_tf.video.reader import VideoReader
from rts_tf.video.rehearsal import Rehearsal, rehearse
from rts_tf.video.segments import times_of

# The most spans of a video. Frames before a span are decoded again for it. Decoding takes a
# hundredth of the time of a network, so all spans together take up to a sixth longer.
MOST = 32


class Span(NamedTuple):
    """Segments that follow each other.

    Attributes:
        first: The number of the first segment.
        stop: That of the first one behind the span; None: all up to the end of the video.
        precision: In which the network computes.
        rehearsal: What writing the video showed.
        notes: Lines about what is not continued as it began.
    """

    first: int
    stop: int | None
    precision: str
    rehearsal: Rehearsal
    notes: list[str]


class Made(NamedTuple):
    """What a span was made of; JSON types.

    Attributes:
        frames: How many frames the video has up to the end of the span.
        megapixels: Of the frames that were enhanced.
        machine: The instruction set of the CPU.
        lines: Of the last span: lines about the frames of the video.
        beside: Of the last span: lines about what is beside them.
    """

    frames: int
    megapixels: float
    machine: str
    lines: list[str]
    beside: list[str]


def divide(job: Job, load: LoadModel, settings: Settings) -> list[Span]:
    """Prepare the hidden directory of a video, which somebody has locked, and divide the work.

    Raises:
        VideoError: The video cannot be read, or its container cannot hold what is to be kept.
        OSError: The directory cannot be written.
    """
    with VideoReader(job.source) as reader:
        plan = plan_video(reader, job, load, settings)
        with WorkDirectory(job, plan.record, locked=True) as work:
            trial = work.root / f"trial{job.target.suffix}"
            wishes = settings.wishes
            rehearsal = rehearse(reader, plan.info, job.target, trial, plan.coding, wishes)
    count = max(1, -(-plan.survey.packets // SEGMENT))
    length = -(-count // MOST)
    firsts = range(0, count, length)
    stops = [*firsts[1:], None]  # a packet may hold more than a frame: the last span is open
    common = plan.model.precision, rehearsal, [*plan.notes, *work.warnings]
    return [Span(first, stop, *common) for first, stop in zip(firsts, stops)]


def make(job: Job, load: LoadModel, settings: Settings, span: Span) -> Made:
    """Make the segments of a span, or those of them that are not there yet.

    The last span is always decoded, since only that shows what the video has lost.

    Raises:
        VideoError: The video cannot be read, or this machine would make other segments.
        OSError: A segment cannot be written.
    """
    with VideoReader(job.source) as reader:
        plan = plan_video(reader, job, load, settings, span.precision)
        _check_same(job, plan)
        work = Segments(job)
        there = work.segments(plan.info, span.first)
        if span.stop is not None:
            there = there[: span.stop - span.first]
        first = span.first * SEGMENT + sum(len(times_of(path, plan.info)) for path in there)
        left = None if span.stop is None else span.stop * SEGMENT - first
        seen, done = Seen(plan), 0

        def on_frames(count: int) -> None:
            nonlocal done
            done += count

        if left != 0:
            enhanced = enhanced_frames(reader, plan, first, seen, on_frames, left)
            with contextlib.closing(enhanced):
                number = span.first + len(there)
                write_segments(enhanced, number, work, plan, span.rehearsal.global_header)
    lines, beside = seen.lines(reader) if span.stop is None else ([], [])
    return Made(first + done, done * plan.info.megapixels, instruction_set(), lines, beside)


def finish(
    job: Job, load: LoadModel, settings: Settings, span: Span, made: Sequence[Made]
) -> list[str]:
    """Join the segments to the video, and return warnings.

    Args:
        span: Any of the spans.
        made: What became of all of them, in order.

    Raises:
        VideoError: The video cannot be read, or a segment is not there.
        OSError: The video cannot be written.
    """
    with VideoReader(job.source) as reader:
        plan = plan_video(reader, job, load, settings, span.precision)
        _check_same(job, plan)
        with WorkDirectory(job, plan.record, locked=True) as work:
            there = work.segments(plan.info)
            if sum(len(times_of(path, plan.info)) for path in there) != made[-1].frames:
                raise VideoError(
                    f"{job.source}: its segment {len(there)} is missing or damaged; run the"
                    " command again"
                )
            keeping = span.rehearsal.keeping
            damaged = work.publish(reader, plan.info, plan.coding, keeping)
    mixed: list[str] = []
    if len(machines := sorted({each.machine for each in made})) > 1:
        mixed.append(
            f"its frames were enhanced on CPUs with different instructions ({', '.join(machines)}):"
            " they may differ by rounding"
        )
    lines = [*span.notes, *mixed, *plan.survey.notes, *made[-1].lines]
    return [*lines, *plan.lost, *made[-1].beside, *span.rehearsal.warnings, *damaged]


def _check_same(job: Job, plan: VideoPlan) -> None:
    """Raise VideoError if this machine would not make what the video began with."""
    if differing := differences(settings_of(job.target), plan.record):
        names = sorted("source" if key == SOURCE_KEY else key for key in differing)
        raise VideoError(
            f"{job.source}: a worker differs from the one that began it ({', '.join(names)}); give"
            " all workers the same versions, and leave the source alone"
        )
