"""Takes a few frames out of a video without decoding all of it, to look at them or to measure."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from rts_tf.errors import VideoError
from rts_tf.video.container import errors_name, open_input
from rts_tf.video.info import video_stream

# The most frames that are decoded to get from a key frame to a time
_FARTHEST = 1000


class Still(NamedTuple):
    """A frame as it is seen.

    Attributes:
        seconds: Its time from the start of the video.
        pixels: uint8 [H, W, 3], upright.
    """

    seconds: float
    pixels: np.ndarray


def spread(path: str, places: int, count: int) -> list[list[av.VideoFrame]]:
    """Decode ``count`` frames at each of ``places`` times, which are spread over a video.

    Returns:
        Fewer places or frames where the video is short or cannot be entered there.

    Raises:
        VideoError: The video cannot be read.
    """
    with _opened(path) as (container, stream):
        length = _length(container, stream)
        times = [length * (i + 0.5) / places for i in range(places)] if length else [0.0]
        found = [_frames_at(container, stream, time, count) for time in times]
    distinct = {frames[0].pts: frames for frames in found if frames}
    return list(distinct.values())


def stills(path: str, count: int) -> list[Still]:
    """Up to ``count`` frames that are spread over a video. Raises VideoError as :func:`spread`."""
    with _opened(path) as (container, stream):
        length = _length(container, stream)
        times = [length * (i + 0.5) / count for i in range(count)] if length else [0.0]
        found = _stills_at(container, stream, times)
    return list({still.seconds: still for still in found if still}.values())


def stills_at(path: str, times: Sequence[float]) -> list[Still | None]:
    """The frame of a video at each of ``times`` in seconds, or None where there is none.

    Raises:
        VideoError: The video cannot be read.
    """
    with _opened(path) as (container, stream):
        return _stills_at(container, stream, times)


def clock_of(seconds: float) -> str:
    """A time such that the order of texts is that of times, e.g. 0:01:02.500."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:06.3f}"


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    with errors_name(path), open_input(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        if not stream.time_base:
            raise VideoError(f"{path}: its frames have no times")
        yield container, stream


def _length(container: InputContainer, stream: VideoStream) -> float:
    """Seconds; 0 if it is not known."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _stills_at(
    container: InputContainer, stream: VideoStream, times: Sequence[float]
) -> list[Still | None]:
    found: list[Still | None] = []
    start, unit = stream.start_time or 0, float(stream.time_base or 1)
    for time in times:
        frames = _frames_at(container, stream, time, 1)
        if not frames:
            found.append(None)
            continue
        pixels = frames[0].to_ndarray(format="rgb24")
        turned = np.rot90(pixels, round(frames[0].rotation / 90))
        seconds = ((frames[0].pts or 0) - start) * unit
        found.append(Still(seconds, np.ascontiguousarray(turned)))
    return found


def _frames_at(
    container: InputContainer, stream: VideoStream, seconds: float, count: int
) -> list[av.VideoFrame]:
    """The first ``count`` frames from ``seconds`` on, less half a frame; fewer at the end."""
    unit = float(stream.time_base or 1)
    half = 0.5 / float(stream.average_rate or stream.guessed_rate or 25)
    wanted = (stream.start_time or 0) + max(0.0, seconds - half) / unit
    found: list[av.VideoFrame] = []
    try:
        container.seek(int(wanted), stream=stream)
        for frame in itertools.islice(container.decode(stream), _FARTHEST):
            if (frame.pts is None or frame.pts >= wanted) and not frame.is_corrupt:
                found.append(frame)
            if len(found) == count:
                break
    except (av.error.FFmpegError, OSError):
        pass  # what was found before that serves
    return found
