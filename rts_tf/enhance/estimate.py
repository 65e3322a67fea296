"""Estimates, before a video is enhanced, how long that takes and how large the result is.

The middle of a few frames, spread over the video, is enhanced and encoded. That takes seconds, and
says more than any rule: networks, machines and videos differ by orders of magnitude.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import time
from typing import NamedTuple

import av
import numpy as np

from rts_tf.enhance.amounts import HOW_TO_STOP, about, size
from rts_tf.enhance.frame_enhancers import FrameEnhancer, through
from rts_tf.enhance.targets import Job
from rts_tf.errors import RtsError, VideoError
from rts_tf.metrics.resources import cores
from rts_tf.video.container import open_input
from rts_tf.video.encoders import THREADS, Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.pixel_formats import converted, planes_of
from rts_tf.video.reader import Frame
from rts_tf.video.segments import packets_of, write_segment
from rts_tf.video.stills import spread

LEAST = 50.0  # megapixels. Less is done in the time that an estimate of it would be worth
PLACES, FRAMES = 3, 8  # where the video is tried, and how many frames there
CROP = 640, 384  # the most columns and rows of a frame that are tried; multiples of 64
# The disk is refused if it has less than this share of what the estimate says
_EVIDENT = 0.5


class Estimate(NamedTuple):
    """What a video takes.

    Attributes:
        seconds: For a megapixel of its frames.
        first_bytes: Of a key frame.
        other_bytes: Of any other frame, on average.
    """

    seconds: float
    first_bytes: float
    other_bytes: float

    def bytes_of(self, frames: int, segment: int) -> float:
        """The size of ``frames``, in segments that begin with a key frame."""
        return frames * (self.first_bytes + (segment - 1) * self.other_bytes) / segment


def announce(
    job: Job,
    info: VideoInfo,
    coding: Coding,
    network: FrameEnhancer,
    folder: pathlib.Path,
    *,
    done: int,
    frames: int,
    segment: int,
) -> str:
    """Return the line about what enhancing a video will take; empty where it is little.

    Args:
        job: The video, whose target is on the disk that is looked at.
        info: The video in the format in which it is encoded.
        coding: How it is encoded.
        network: Enhances its frames.
        folder: Where segments are, and where a trial is written.
        done: The number of frames that segments hold already.
        frames: The number of all frames.
        segment: The number of frames in a segment.

    Raises:
        RtsError: The disk evidently cannot hold the result. What was done is kept.
    """
    left = max(0, frames - done)
    if left * info.megapixels < LEAST:
        return ""
    try:
        found = _tried(job.source, info, coding, network, folder / "trial.nut")
    except (VideoError, OSError):  # what is wrong shows, with its reason, when the work is done
        return ""
    if found is None:
        return ""
    written = sum(path.stat().st_size for path in folder.glob("*.nut"))
    to_write = found.bytes_of(left, segment)
    result = written + to_write + _other_bytes(job.source, info)
    need = to_write + result  # the segments are there until the video is whole
    free = shutil.disk_usage(folder).free
    if free < _EVIDENT * need:
        raise RtsError(
            f"{job.target}: needs about {size(need)} of its disk until it is whole, and"
            f" {size(free)} are free; make room, or name an `output` on another disk."
        )
    scarce = f", of the {size(free)} that are free" if free < need else ""
    return (
        f"{job.source}: about {about(left * info.megapixels * found.seconds)}, and about"
        f" {size(result)} (twice that until it is whole{scarce}); {HOW_TO_STOP}"
    )


def _tried(
    source: str, info: VideoInfo, coding: Coding, network: FrameEnhancer, trial: pathlib.Path
) -> Estimate | None:
    """Enhance and encode some frames. None if there are none."""
    width, height = (min(*pair) for pair in zip(CROP, (info.width, info.height)))
    cut = info._replace(width=width, height=height)
    to_whole = info.megapixels / cut.megapixels
    firsts, others, seconds, count = [], [], [], 0
    for place in spread(source, PLACES, FRAMES):
        frames = [_middle(number, frame, info, cut) for number, frame in enumerate(place)]
        if not count:  # what happens only once is not to be counted
            list(through([(frame, frame.planes) for frame in frames[:1]], network))
        begin = time.perf_counter()
        pairs = through([(frame, frame.planes) for frame in frames], network)
        better = [frame._replace(planes=planes) for frame, planes in pairs]
        middle = time.perf_counter()
        try:
            write_segment(trial, cut, coding, False, better)
            seconds.append((middle - begin, time.perf_counter() - middle))
            first, *rest = (packet.size for packet in packets_of(trial, cut))
        finally:
            trial.unlink(missing_ok=True)
        firsts.append(first)
        others += rest
        count += len(frames)
    if not count:
        return None
    network_time, encoder_time = np.sum(seconds, axis=0) / (count * cut.megapixels)
    # They work side by side. The encoder takes some of the cores from the network.
    together = max(encoder_time, network_time + encoder_time * min(1, THREADS / cores()))
    mean = float(np.mean(others or firsts))
    return Estimate(float(together), float(np.mean(firsts)) * to_whole, mean * to_whole)


def _middle(number: int, frame: av.VideoFrame, info: VideoInfo, cut: VideoInfo) -> Frame:
    """The middle of a decoded frame, as the frame ``number`` of the video ``cut``."""
    planes = planes_of(converted(frame, info.coded_format, info.full_range))
    parts = []
    for plane in planes:
        down, across = round(info.height / plane.shape[0]), round(info.width / plane.shape[1])
        top = (info.height - cut.height) // 2 // down
        left = (info.width - cut.width) // 2 // across
        rows, columns = -(-cut.height // down), -(-cut.width // across)
        parts.append(plane[top : top + rows, left : left + columns].copy())
    alpha = parts.pop() if info.alpha else None
    step = max(1, round(1 / (info.rate * info.time_base)))
    return Frame(number * step, tuple(parts), alpha)


def _other_bytes(source: str, info: VideoInfo) -> float:
    """About the size of everything beside the video."""
    with contextlib.suppress(Exception), open_input(source) as container:
        rates = [
            stream.codec_context.bit_rate or 0
            for stream in container.streams
            if stream.index != info.stream_index and stream.codec_context
        ]
        length = float(info.estimate / info.rate)
        return min(sum(rates) / 8 * length, os.path.getsize(source))
    return 0.0
