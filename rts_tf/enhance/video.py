"""Enhance a video: decode, enhance and encode side by side, in segments.

All frames come from the decoder in every run. Segments always begin at the same frames, each with
an encoder of its own. So the video of a run that was killed equals that of an unbroken run, frame
by frame, on CPUs with the same instruction set.
"""

import contextlib
import functools
import hashlib
import itertools
import pathlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import av
import tensorflow as tf

from rts_tf.enhance.handover import GivenUp, Handover, read_ahead
from rts_tf.enhance.images import not_written
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.progress import VIDEOS, Progress
from rts_tf.enhance.work_directory import (
    SOURCE_KEY,
    WorkDirectory,
    differences,
    recorded_settings,
)
from rts_tf.enhance.yuv import FRAMES_AT_ONCE, YuvEnhancer
from rts_tf.errors import VideoError
from rts_tf.inference import Enhancer
from rts_tf.video.encoders import ENCODERS, THREADS, Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.join import rehearse
from rts_tf.video.pixel_formats import without_range
from rts_tf.video.reader import Frame, Gap, VideoReader
from rts_tf.video.segments import times_of, write_segment
from rts_tf.video.suffixes import container_of
from rts_tf.video.survey import Survey, clock

SEGMENT = 48  # frames, about two seconds: what a kill costs, and the distance of key frames
DECODED = 6  # frames that wait for the network
ENHANCED = 24  # frames that wait for the encoder, which works in bursts

# Loads the network for a video in a precision: "auto", "float32" or "mixed_bfloat16"
LoadModel = Callable[[VideoInfo, str], Enhancer]


class Settings(NamedTuple):
    """What the user chose.

    Attributes:
        strength: The share of the network's change that is taken.
        chroma: Whether chroma is enhanced too.
        codec: A key of ``rts_tf.video.encoders.ENCODERS``, or "auto".
        crf: The quality; None: the default of the encoder.
    """

    strength: float = 1.0
    chroma: bool = False
    codec: str = "auto"
    crf: int | None = None


def enhance_videos(
    jobs: list[Job], load: LoadModel, settings: Settings, progress: Progress
) -> tuple[list[str], list[str]]:
    """Enhance every video.

    Args:
        load: Loads the network.
        progress: Counts :func:`megapixels_of` each video in the phase ``VIDEOS``.

    Returns:
        The errors of the videos that failed, and warnings about others.

    Raises:
        RtsError: The disk is full.
        Interrupted: The user asked to stop. The segments on disk are whole; the next call goes on
            from there.
    """
    errors: list[str] = []
    warnings: list[str] = []
    for i, job in enumerate(jobs):
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
        coding = _coding(reader.info, job, settings)
        info = reader.info.in_format_of(coding.formats())
        model, survey = load(info, "auto"), reader.survey()
        record = _record(info, survey, coding, settings, model)
        load_in = functools.partial(load, info)
        model, notes = _in_recorded_precision(job, record, model, load_in)
        network = YuvEnhancer(model, info, settings.strength, settings.chroma)
        progress.skip(VIDEOS, (info.estimate - survey.packets) * info.megapixels)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with WorkDirectory(job, record) as work:
            if work.replaced:
                return ["was there already"]
            trial = work.root / f"trial{job.target.suffix}"
            rehearsal = rehearse(reader, info, job.target, trial, coding)
            segments = work.segments(info)
            first = sum(len(times_of(segment, info)) for segment in segments)
            progress.skip(VIDEOS, first * info.megapixels)
            on_frames = _frame_counter(progress, label, first, survey.packets, info)
            gaps: list[Gap] = []
            with contextlib.closing(
                read_ahead(reader.frames(info, first, gaps), DECODED)
            ) as decoded:
                enhanced = _enhanced(decoded, network, on_frames)
                _write(enhanced, len(segments), work, info, coding, rehearsal.global_header)
            work.publish(reader, info, coding)
    return [*notes, *work.warnings, *_warnings(info, gaps), *rehearsal.warnings]


def _coding(info: VideoInfo, job: Job, settings: Settings) -> Coding:
    codec = settings.codec
    if codec == "auto":
        # Hardware decodes ten bits of HEVC, but not of H.264.
        deep = info.bits > 8
        codec = "vp9" if container_of(job.target) == "webm" else "hevc" if deep else "h264"
    if settings.crf is not None and ENCODERS[codec].crf is None:
        raise VideoError(f"{job.target}: {codec} has no `crf`")
    return Coding(codec, ENCODERS[codec].crf if settings.crf is None else settings.crf)


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


def _warnings(info: VideoInfo, gaps: list[Gap]) -> list[str]:
    """Lines about what of a video could not be kept."""
    warnings = []
    if without_range(info.source_format) != info.format:
        warnings.append(f"pixel format {info.source_format} became {info.format}")
    if info.hdr:
        warnings.append(
            "its metadata about the brightness of the display (HDR metadata) was left out"
        )
    if gaps:
        length = f"{sum(gap.length for gap in gaps):.1f} s"
        first = f"at {clock(gaps[0].start)}"
        what = f"a gap of {length} {first}"
        if len(gaps) > 1:
            what = f"{len(gaps)} gaps of {length} in all, the first {first}"
        warnings.append(f"{what}, where frames could not be decoded")
    return warnings


def _record(
    info: VideoInfo, survey: Survey, coding: Coding, settings: Settings, model: Enhancer
) -> dict[str, Any]:
    """What decides about the frames and their encoding.

    The keys are those of earlier versions, whose half-made videos are continued.
    """
    names = " ".join(type(layer).__name__ for layer in model.network.layers)
    weights = hashlib.sha256(names.encode())
    for array in model.network.get_weights():
        weights.update(array.tobytes())
    return {
        SOURCE_KEY: survey.digest,
        "format": info.format,
        "network": weights.hexdigest(),
        "precision": _compute_dtypes(model),
        "border": "repeated",
        "strength": settings.strength,
        "chroma": settings.chroma,
        "codec": [coding.codec, coding.crf, *sorted(ENCODERS[coding.codec].options.items())],
        "frames_in_a_segment": SEGMENT,
        "encoder_threads": THREADS,
        "tensorflow": tf.__version__,
        "ffmpeg": sorted(av.library_versions.items()),
    }


def _compute_dtypes(model: Enhancer) -> list[str]:
    return sorted({str(layer.compute_dtype) for layer in model.network.layers})


def _in_recorded_precision(
    job: Job, record: dict[str, Any], model: Enhancer, load: Callable[[str], Enhancer]
) -> tuple[Enhancer, list[str]]:
    """The network in the precision that a half-made video began with, and a warning about that.

    If that is the only difference, ``record`` gets that precision too. Else ``model`` is returned.
    """
    recorded = recorded_settings(job.target)
    if recorded is None or differences(recorded, record) != {"precision"}:
        return model, []
    precision = "mixed_bfloat16" if "bfloat16" in recorded.get("precision", ()) else "float32"
    other = load(precision)
    if _compute_dtypes(other) != recorded.get("precision"):
        return model, []
    record["precision"] = recorded["precision"]
    return other, [f"it began in {precision} and was continued in it"]


def _enhanced(
    decoded: Iterable[Frame], network: YuvEnhancer, on_frames: Callable[[int], None]
) -> Iterator[Frame]:
    """The frames through the network, in groups of one size: a last single frame is repeated."""
    decoded = iter(decoded)
    while group := list(itertools.islice(decoded, FRAMES_AT_ONCE)):
        filled = group + group[-1:] * (FRAMES_AT_ONCE - len(group))
        better = network([frame.planes for frame in filled])
        for frame, planes in zip(group, better):
            yield Frame(frame.time, planes)
        on_frames(len(group))


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
