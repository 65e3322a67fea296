"""Enhance a video: decode, enhance and encode side by side, in segments.

All frames come from the decoder in every run. Segments always begin at the same frames, each with
an encoder of its own. So the video of a run that was killed equals that of an unbroken run, frame
by frame, on CPUs with the same instruction set.
"""

import contextlib
import pathlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import av
import tensorflow as tf

from rts_tf.enhance.coding import Settings, plan_for, with_preset_for
from rts_tf.enhance.estimate import announce
from rts_tf.enhance.frame_enhancers import Model, frame_enhancer, through
from rts_tf.enhance.handover import GivenUp, Handover, read_ahead
from rts_tf.enhance.images import not_written
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.looks import deinterlacer_for, is_transparent
from rts_tf.enhance.progress import VIDEOS, Progress
from rts_tf.enhance.record import in_recorded_precision, record_of
from rts_tf.enhance.work_directory import WorkDirectory
from rts_tf.errors import VideoError
from rts_tf.video.damage import Damage, clock
from rts_tf.video.encoders import Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.pixel_formats import without_alpha, without_range
from rts_tf.video.reader import Frame, VideoReader
from rts_tf.video.rehearsal import rehearse
from rts_tf.video.segments import times_of, write_segment
from rts_tf.video.side_data import SideData
from rts_tf.video.times import Gap

SEGMENT = 48  # frames, about two seconds: what a kill costs, and the distance of key frames
DECODED = 6  # frames that wait for the network
ENHANCED = 24  # frames that wait for the encoder, which works in bursts

# Loads the network for a video in a precision: "auto", "float32" or "mixed_bfloat16"
LoadModel = Callable[[VideoInfo, str], Model]


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
        except VideoError as error:
            errors.append(str(error))
        except (MemoryError, tf.errors.ResourceExhaustedError):
            errors.append(f"{job.source}: there is not enough memory for it; name a smaller `tile`")
        except (OSError, av.error.FFmpegError) as error:
            errors.append(not_written(job, error))
    return errors, warnings


def megapixels_of(job: Job) -> float:
    """About how many megapixels all frames of a video have; 0 where it cannot be read."""
    try:
        with VideoReader(job.source) as reader:
            return reader.info.estimate * reader.info.megapixels
    except VideoError:
        return 0.0


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
        survey = reader.survey()
        whole = deinterlacer_for(reader, settings.deinterlace)
        coding, info, lost = plan_for(reader.info, job, settings, is_transparent(reader))
        model = load(info, "auto")
        coding = with_preset_for(model, coding)
        record = record_of(
            *(info, survey, coding, settings, model),
            frames_in_a_segment=SEGMENT,
            deinterlaced=settings.deinterlace if whole else "",
        )
        model, notes = in_recorded_precision(job, info, record, model, load)
        network = frame_enhancer(model, info, settings.strength, settings.chroma)
        progress.skip(VIDEOS, (info.estimate - survey.packets) * info.megapixels)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with WorkDirectory(job, record) as work:
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
            gaps: list[Gap] = []
            side_data = SideData(coding.codec)
            frames = reader.frames(info, first, gaps, whole, side_data)
            with contextlib.closing(read_ahead(frames, DECODED)) as decoded:
                pairs = ((frame, frame.planes) for frame in decoded)
                better = through(pairs, network, on_frames)
                enhanced = (frame._replace(planes=planes) for frame, planes in better)
                _write(enhanced, len(segments), work, info, coding, rehearsal.global_header)
            damaged = work.publish(reader, info, coding, rehearsal.keeping)
    marked = survey.damage[info.stream_index]
    damage = max(marked, reader.damage, key=lambda damage: damage.count)
    seen = [*lost, *side_data.lines(), *(whole.lines() if whole else ())]
    lines = [*notes, *work.warnings, *survey.notes, *_warnings(info, gaps, damage)]
    return [*lines, *seen, *rehearsal.warnings, *damaged]


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


def _warnings(info: VideoInfo, gaps: list[Gap], damage: Damage) -> list[str]:
    """Lines about what of a video could not be kept."""
    warnings = []
    if without_alpha(without_range(info.source_format)) != info.format:
        warnings.append(f"pixel format {info.source_format} became {info.coded_format}")
    if damage:
        warnings.append(f"its video is damaged {damage.where()}: frames may be missing or wrong")
    if gaps:
        length = f"{sum(gap.length for gap in gaps):.1f} s"
        first = f"at {clock(gaps[0].start)}"
        what = f"a gap of {length} {first}"
        if len(gaps) > 1:
            what = f"{len(gaps)} gaps of {length} in all, the first {first}"
        warnings.append(f"{what}, where frames could not be decoded")
    return warnings


def _write(
    enhanced: Iterable[Frame],
    number: int,
    work: WorkDirectory,
    info: VideoInfo,
    coding: Coding,
    global_header: bool,
) -> None:
    """Encode the frames into the segments from ``number`` on, in a thread of its own."""
    frames_left = iter(enhanced)
    with ThreadPoolExecutor(1) as encoder:
        # All are kept: a segment may fail after the last frame of the next one was handed over.
        writing: list[Future] = []
        while (frame := next(frames_left, None)) is not None:
            handover = Handover(ENHANCED)
            path = work.segment(number)

            def write(path: pathlib.Path = path, handover: Handover = handover) -> None:
                try:
                    write_segment(path, info, coding, global_header, handover)
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
