"""Surveys a video without decoding it: is the file whole, what identifies it, how many frames."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet

from rts_tf.errors import VideoError

# Containers that record their length. For others FFmpeg estimates it.
_RECORD_THEIR_LENGTH = {"matroska", "mov", "avi", "asf"}
# How much may be missing before a video counts as cut short: seconds, and a share of its length
MISSING_SECONDS, _MISSING_SHARE = 0.5, 0.01


class Survey(NamedTuple):
    """What all packets of a video show.

    Attributes:
        digest: The hash of everything that is to be decoded, with its times.
        packets: The number of packets, about one for each frame.
        durations: The durations of packets by their times, both in the time base of the video.
    """

    digest: str
    packets: int
    durations: dict[int, int]


class Surveyor:
    """Collects a :class:`Survey` from the packets that pass by while a file is read."""

    def __init__(self, path: str, index: int):
        """Survey the stream with the number ``index`` of the file ``path``."""
        self._path, self._index = path, index
        self._digest = hashlib.sha256()
        self._durations: dict[int, int] = {}
        self._packets = self._left_out = 0
        self._end = 0.0  # seconds, of all streams
        self._damaged_at: float | None = None
        self.first: tuple | None = None  # see ``identity``

    def watch(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Yield ``packets``, all of the file, and take note of them."""
        for packet in packets:
            if packet.size or packet.dts is not None:  # not the end of a stream
                self._note(packet)
            yield packet

    def _note(self, packet: Packet) -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        duration = packet.duration or 0
        if packet.stream_index == self._index:
            if packet.is_corrupt and self._damaged_at is None:
                self._damaged_at = self._end
            if self.first is None:
                self.first = identity(packet)
            self._digest.update(packet)
            self._digest.update(f"{packet.pts} {packet.dts}".encode())
            if packet.is_discard:  # by a cut that the file only notes
                self._left_out += 1
                return
            self._packets += 1
            if time is not None and duration:
                self._durations[time] = duration
        if time is not None:
            self._end = max(self._end, float((time + duration) * packet.time_base))

    def result(self, container: InputContainer) -> Survey:
        """Return the survey, once all packets of ``container`` have passed.

        Raises:
            VideoError: The file is damaged or cut short.
        """
        if self._damaged_at is not None:
            where = clock(self._damaged_at)
            raise VideoError(f"{self._path}: is damaged at {where} or cut short there")
        formats = set(container.format.name.split(","))
        start = (container.start_time or 0) / av.time_base
        records = bool(formats & _RECORD_THEIR_LENGTH)
        length = (container.duration or 0) / av.time_base if records else 0
        expected = container.streams[self._index].frames
        missing = length - (self._end - start)
        if missing > MISSING_SECONDS + _MISSING_SHARE * length or (
            "mov" in formats and self._packets + self._left_out < 0.99 * expected
        ):
            raise VideoError(
                f"{self._path}: is cut short, at {clock(self._end - start)} of {clock(length)}; to"
                " enhance what is there, copy it into another file first (ffmpeg -i VIDEO -c copy"
                " OTHER)"
            )
        return Survey(self._digest.hexdigest(), self._packets, self._durations)


def identity(packet: Packet) -> tuple:
    """What tells a packet from the others of its file."""
    return packet.pts, packet.dts, packet.size, packet.pos


def clock(seconds: float) -> str:
    """A time in a video for messages, e.g. 1:02:03.4."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
