"""Gives decoded frames times that increase, and finds gaps where frames are missing."""

from typing import NamedTuple

import av

from rts_tf.video.info import VideoInfo
from rts_tf.video.survey import MISSING_SECONDS


class Gap(NamedTuple):
    """A place where frames are missing since the file is damaged.

    Attributes:
        start: Seconds after the first frame.
        length: Seconds.
    """

    start: float
    length: float


class Times:
    """Gives each decoded frame its time, and finds gaps."""

    def __init__(self, info: VideoInfo, gaps: list[Gap] | None):
        self._info, self._gaps = info, gaps
        self._start = self._last = self._duration = 0
        self._begun = self._damaged = False
        self._stamps = _BestStamps()

    def of(self, frame: av.VideoFrame, duration: int) -> int:
        """The time of the next frame, whose packet has ``duration``, or 0 if that is unknown."""
        info, time = self._info, self._stamps.of(frame)
        usual = self._duration or max(1, round(1 / (info.rate * info.time_base)))
        self._duration = duration or usual
        if self._begun and (time is None or time <= self._last):
            # No file may hold two frames of one time.
            time = self._last + (self._duration if time is None else 1)
        time = time or 0
        if self._begun:
            missing = float((time - self._last - self._duration) * info.time_base)
            corrupt = self._damaged or frame.is_corrupt
            if self._gaps is not None and missing > MISSING_SECONDS and corrupt:
                start = float((self._last - self._start) * info.time_base)
                self._gaps.append(Gap(start, missing))
        else:
            self._start = time
        self._last, self._begun, self._damaged = time, True, frame.is_corrupt
        return time


class _BestStamps:
    """Takes the times of decoding where those of showing go back more often, as FFmpeg does."""

    def __init__(self) -> None:
        self._last: list[int | None] = [None, None]
        self._faults = [0, 0]

    def of(self, frame: av.VideoFrame) -> int | None:
        stamps = frame.pts, frame.dts
        for i, (stamp, other) in enumerate((stamps, stamps[::-1])):
            last = self._last[i]
            self._faults[i] += stamp is not None and last is not None and stamp <= last
            self._last[i] = other if stamp is None else stamp
        pts, dts = stamps
        good = self._faults[0] <= self._faults[1] or dts is None
        return pts if good and pts is not None else dts
