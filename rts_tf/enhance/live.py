"""Enhance frames on their way through a pipe, e.g. from a decoder to a player.

Three threads work side by side: one reads, one enhances, one writes. Few frames wait between them,
so memory is constant, and a frame is behind by little more than what the network takes for it.
"""

from __future__ import annotations

import collections
import contextlib
import importlib.util
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from rts_tf.enhance.handover import GivenUp, Handover
from rts_tf.enhance.stream import Stream
from rts_tf.errors import ConfigError, RtsError, VideoError
from rts_tf.video.y4m import StreamFrame, read_frames, write_all, write_frame

if TYPE_CHECKING:  # they import TensorFlow and PyAV
    from rts_tf.enhance.frame_enhancers import FrameEnhancer, Model
    from rts_tf.video.info import VideoInfo

WAITING = 2  # frames that wait for the network, and as many for the writer
_TIMED = 10_000  # frames, the last ones, whose latency is known


class Report(NamedTuple):
    """What became of a stream.

    Attributes:
        frames: How many were written.
        seconds: From the first frame that was read to the last one that was written.
        latency: Seconds from when a frame was read to when it was written, the median.
        error: Why there are not more frames, if the source did not end by itself.
    """

    frames: int
    seconds: float
    latency: float
    error: RtsError | None = None

    def __str__(self) -> str:
        speed = self.frames / max(self.seconds, 1e-9)
        return (
            f"enhanced {self.frames} frames, {speed:.1f} frames/s, median latency"
            f" {1000 * self.latency:.0f} ms"
        )


def network_for(
    stream: Stream, model: Model, strength: float = 1.0, chroma: bool = False
) -> FrameEnhancer:
    """Return what enhances frames of ``stream`` with ``model``.

    Raises:
        RtsError: ``chroma`` is asked for, and the frames are nv12. Or ``model`` works on RGB, and
            PyAV is not there.
    """
    from rts_tf.enhance.frame_enhancers import LumaFrames, frame_enhancer
    from rts_tf.luma.enhancer import LumaEnhancer

    kind = stream.format
    if isinstance(model, LumaEnhancer):
        return LumaFrames(model, kind.bits, kind.full_range, strength)
    if chroma and kind.pixels == "nv12":
        raise ConfigError("`chroma`: the chroma of nv12 is not supported; pipe yuv420p")
    if importlib.util.find_spec("av") is None:
        raise RtsError("to enhance streams with this `model`, pip install 'rts_tf[video]'")
    return frame_enhancer(model, _info_of(stream), strength, chroma)


def _info_of(stream: Stream) -> VideoInfo:
    """What a stream says about its video. Players choose the matrix by the height."""
    from rts_tf.video.info import UNSPECIFIED, VideoInfo

    kind = stream.format
    pixels = "yuv420p" if kind.pixels == "nv12" else kind.pixels
    return VideoInfo(
        path=stream.name,
        stream_index=0,
        width=kind.width,
        height=kind.height,
        source_format=kind.pixels,
        format=pixels,
        full_range=kind.full_range,
        matrix=UNSPECIFIED,
        primaries=UNSPECIFIED,
        transfer=UNSPECIFIED,
        aspect=Fraction(0),
        display_matrix=None,
        hdr=None,
        time_base=Fraction(0),
        length=0,
        rate=Fraction(0),
        estimate=0,
    )


def enhance_stream(
    stream: Stream, network: FrameEnhancer, check: Callable[[], None] = lambda: None
) -> Report:
    """Enhance all frames of a stream.

    Args:
        check: Is called after each frame, and while there is none. It may raise Interrupted.

    Returns:
        What was done. Its error is that the source is damaged, that nobody reads the target any
        more, or what ``check`` raised. Only whole frames are written in all of these cases.

    Raises:
        OSError: The target cannot be written.
    """
    from rts_tf.enhance.frame_enhancers import through

    errors: list[RtsError] = []
    inbox, writer = Handover(WAITING), _Writer(stream)
    frames = _timed(_until_error(read_frames(stream.source, stream.format, stream.name), errors))
    # A daemon, since nothing ends a read from a pipe that is silent.
    threading.Thread(target=inbox.fill, args=(frames,), daemon=True).start()
    try:
        for (line, read_at), planes in through(inbox.taken(check), network):
            writer.put(StreamFrame(line, planes), read_at)
            check()
    except GivenUp:
        pass
    except RtsError as error:
        errors.append(error)
    finally:
        inbox.give_up()
    return writer.end(errors)


def _until_error(frames: Iterable[StreamFrame], errors: list[RtsError]) -> Iterator[StreamFrame]:
    """Yield ``frames`` up to an error, which is kept: all that were read are enhanced."""
    try:
        yield from frames
    except VideoError as error:
        errors.append(error)


def _timed(frames: Iterable[StreamFrame]) -> Iterator[tuple]:
    for line, planes in frames:
        yield (line, time.monotonic()), planes


class _Writer:
    """Writes frames in a thread of its own, and takes their times."""

    def __init__(self, stream: Stream):
        self._stream, self._handover = stream, Handover(WAITING)
        self._latencies: collections.deque[float] = collections.deque(maxlen=_TIMED)
        self._count, self._first, self._last = 0, 0.0, 0.0
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def put(self, frame: StreamFrame, read_at: float) -> None:
        """Hand over a frame. Raises GivenUp if the last one could not be written."""
        self._handover.put((frame, read_at))

    def end(self, errors: list[RtsError]) -> Report:
        """Wait until all frames are written. Raises the OSError that kept one from it."""
        with contextlib.suppress(GivenUp):
            self._handover.put(None)
        self._thread.join()
        if isinstance(self._error, BrokenPipeError):
            # All other threads end for this reason.
            errors = [RtsError(f"nobody reads the output any more, after {self._count} frames")]
        elif self._error:
            raise self._error
        latency = statistics.median(self._latencies) if self._latencies else 0.0
        return Report(self._count, self._last - self._first, latency, (*errors, None)[0])

    def _write(self) -> None:
        try:
            write_all(self._stream.target, self._stream.format.header)
            for frame, read_at in self._handover:
                self._first = self._first or read_at
                write_frame(self._stream.target, frame)
                self._last = time.monotonic()
                self._latencies.append(self._last - read_at)
                self._count += 1
        except OSError as error:
            self._error = error
        finally:
            self._handover.give_up()
