"""Enhance a video: decode, enhance and encode side by side, in segments.

All frames come from the decoder in every run. Segments always begin at the same frames, each with
an encoder of its own. So the video of a run that was killed equals that of an unbroken run, frame
by frame, on CPUs with the same instruction set.
"""

import contextlib
import itertools
import pathlib
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import av
import tensorflow as tf

from rts_tf.enhance.coding import Settings
from rts_tf.enhance.estimate import announce
from rts_tf.enhance.frame_enhancers import through
from rts_tf.enhance.handover import GivenUp, Handover, read_ahead
from rts_tf.enhance.images import not_written
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.progress import VIDEOS, Progress
from rts_tf.enhance.video_plan import SEGMENT, LoadModel, Seen, VideoPlan, plan_video
from rts_tf.enhance.work_directory import Segments, WorkDirectory
from rts_tf.errors import VideoError
from rts_tf.video.info import VideoInfo
from rts_tf.video.reader import Frame, VideoReader
from rts_tf.video.rehearsal import rehearse
from rts_tf.video.segments import times_of, write_segment

DECODED = 6  # frames that wait for the network
ENHANCED = 24  # frames that wait for the encoder, which works in bursts

# What a video may fail with
FAILURES: tuple[type[Exception], ...] = (
    *(VideoError, MemoryError, tf.errors.ResourceExhaustedError),
    *(OSError, av.error.FFmpegError),
)


def enhance_videos(
    jobs: list[Job],
    load: LoadModel,
    settings: Settings,
    progress: Progress,
    on_job: Callable[[Job], None] = lambda job: None,
) -> tuple[list[str], list[str]]:
    """Enhance every video.

    Args:
        load: Loads the network.
        progress: Counts :func:`megapixels_of` each video in the phase ``VIDEOS``.
        on_job: Is called when the work on a video begins.

    Returns:
        The errors of the videos that failed, and warnings about others.

    Raises:
        RtsError: The disk is full, or evidently too small for a video.
        Interrupted: The user asked to stop. The segments on disk are whole; the next call goes on
            from there.
    """
    errors: list[str] = []
    warnings: list[str] = []
    for i, job in enumerate(jobs):
        on_job(job)
        try:
            found = enhance_video(job, load, settings, progress, f"video {i + 1}/{len(jobs)}")
            warnings += [f"{job.source}: {warning}" for warning in found]
        except FAILURES as error:
            errors.append(failure_line(job, error))
    return errors, warnings


def failure_line(job: Job, error: Any) -> str:
    """The line about a video that failed with one of ``FAILURES``.

    Raises:
        RtsError: The disk is full.
    """
    if isinstance(error, VideoError):
        return str(error)
    if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
        return f"{job.source}: there is not enough memory for it; name a smaller `tile`"
    return not_written(job, error)


def enhance_video(
    job: Job, load: LoadModel, settings: Settings, progress: Progress, label: str
) -> list[str]:
    """Enhance one video, or what is left of it, and return warnings.

    A video that is half made is continued in the precision that it began with.

    Raises:
        VideoError: The video cannot be read, or its container cannot hold what is to be kept.
        RtsError: As :func:`enhance_videos`.
    """
    with VideoReader(job.source) as reader:
        plan = plan_video(reader, job, load, settings)
        info, survey, coding, network = plan.info, plan.survey, plan.coding, plan.network
        progress.skip(VIDEOS, (info.estimate - survey.packets) * info.megapixels)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with WorkDirectory(job, plan.record) as work:
            if work.replaced:
                return ["was there already"]
            trial = work.root / f"trial{job.target.suffix}"
            rehearsal = rehearse(reader, info, job.target, trial, coding, settings.wishes)
            segments = work.segments(info)
            first = sum(len(times_of(segment, info)) for segment in segments)
            progress.skip(VIDEOS, first * info.megapixels)
            line = announce(
                *(job, info, coding, network, work.root),
                done=first,
                frames=survey.packets,
                segment=SEGMENT,
            )
            if line:
                progress.say(line)
            on_frames = _frame_counter(progress, label, first, survey.packets, info)
            seen = Seen(plan)
            enhanced = enhanced_frames(reader, plan, first, seen, on_frames)
            with contextlib.closing(enhanced):
                write_segments(enhanced, len(segments), work, plan, rehearsal.global_header)
            damaged = work.publish(reader, info, coding, rehearsal.keeping)
    frames, beside = seen.lines(reader)
    lines = [*plan.notes, *work.warnings, *survey.notes, *frames, *plan.lost, *beside]
    return [*lines, *rehearsal.warnings, *damaged]


def enhanced_frames(
    reader: VideoReader,
    plan: VideoPlan,
    first: int,
    seen: Seen,
    on_frames: Callable[[int], None] = lambda count: None,
    count: int | None = None,
) -> Generator[Frame, None, None]:
    """Yield enhanced frames from the frame ``first`` on, which is the first of a segment.

    Args:
        reader: The source.
        plan: How it is enhanced.
        seen: Learns what is seen on the way.
        on_frames: Is called with each number of frames that is done.
        count: The most frames; None: to the end of the video.
    """
    frames = reader.frames(plan.info, first, seen.gaps, plan.whole, seen.side_data)
    some = frames if count is None else itertools.islice(frames, count)
    with contextlib.closing(read_ahead(some, DECODED)) as decoded:
        pairs = ((frame, frame.planes) for frame in decoded)
        for frame, planes in through(pairs, plan.network, on_frames):
            yield frame._replace(planes=planes)


def _frame_counter(
    progress: Progress, label: str, first: int, total: int, info: VideoInfo
) -> Callable[[int], None]:
    """Make the function to call with each number of frames that is done."""
    done = first

    def on_frames(count: int) -> None:
        nonlocal done
        done += count
        text = f"{label}, frame {done} of {max(done, total)}"
        progress.advance(VIDEOS, count * info.megapixels, text, count, "frames")

    return on_frames


def write_segments(
    enhanced: Iterable[Frame], number: int, work: Segments, plan: VideoPlan, global_header: bool
) -> None:
    """Encode the frames into the segments from ``number`` on, in a thread of its own.

    Raises:
        OSError: A segment cannot be written.
    """
    frames_left = iter(enhanced)
    with ThreadPoolExecutor(1) as encoder:
        # All are kept: a segment may fail after the last frame of the next one was handed over.
        writing: list[Future] = []
        while (frame := next(frames_left, None)) is not None:
            handover = Handover(ENHANCED)
            path = work.segment(number)

            def write(path: pathlib.Path = path, handover: Handover = handover) -> None:
                try:
                    write_segment(path, plan.info, plan.coding, global_header, handover)
                finally:
                    handover.give_up()

            future = encoder.submit(write)
            try:
                for count in range(1, SEGMENT + 1):
                    handover.put(frame)
                    _raise_failures(writing)
                    if count == SEGMENT or (frame := next(frames_left, None)) is None:
                        break
                handover.put(None)
            except GivenUp:
                future.result()
            except BaseException as error:
                with contextlib.suppress(GivenUp):
                    handover.put(error)
                raise
            writing.append(future)
            number += 1
        for future in writing:
            future.result()


def _raise_failures(writing: list[Future]) -> None:
    """Drop what is done from ``writing``, and raise its exception if there is one."""
    while writing and writing[0].done():
        writing.pop(0).result()
