"""Surveys a video without decoding it: is the file whole, what identifies it, how many frames."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from rts_tf import limits
from rts_tf.errors import VideoError
from rts_tf.video.damage import Damage, clock, duration_of, is_content
from rts_tf.video.ffmpeg_text import count_of_streams
from rts_tf.video.timeline import BROADCAST, Clock, Timeline

# Containers that record their length. For others FFmpeg estimates it.
_RECORD_THEIR_LENGTH = {"matroska", "mov", "avi", "asf"}
# How much may be missing before a video counts as cut short: seconds, and a share of its length
MISSING_SECONDS, _MISSING_SHARE = 0.5, 0.01
_NEAR = 2  # packets from a joint of two recordings, which are called damaged there
# How many packets of each stream are kept for a rehearsal: enough for some frames of any codec
_FEWEST, _SECONDS, _MOST = 8, 0.25, 400


class Survey(NamedTuple):
    """What all packets of a video show.

    Attributes:
        digest: The hash of everything that is to be decoded, with its times.
        packets: The number of packets, about one for each frame.
        durations: The durations of packets by their times, both in the time base of the video.
        timeline: The clocks of the file. The digest is of the times as they are in the file, the
            durations are by times on one clock.
        samples: The first packets of every other stream, by its number.
        damage: What the file calls damaged, by the numbers of the streams.
        notes: Lines about what is missing.
    """

    digest: str
    packets: int
    durations: dict[int, int]
    timeline: Timeline = Timeline()
    samples: dict[int, list[Packet]] = {}
    damage: dict[int, Damage] = {}
    notes: tuple[str, ...] = ()


class Surveyor:
    """Collects a :class:`Survey` from the packets that pass by while a file is read."""

    def __init__(self, container: InputContainer, index: int):
        """Survey the stream with the number ``index`` of ``container``."""
        self._container, self._index = container, index
        self._unit = container.streams[index].time_base or Fraction(1)
        self._digest = hashlib.sha256()
        self._packets = self._left_out = 0
        self._end = 0.0  # seconds, of all streams
        self._steady = {stream.index for stream in container.streams if _is_steady(stream)}
        self._clock = Clock(index, container.format.name.split(","))
        self._durations: list[dict[int, int]] = [{}]  # of each part of the timeline
        self._damage: dict[int, Damage] = {}
        # The last packets of each stream: part, whether damaged, and time
        self._near: dict[int, deque[tuple[int, bool, float]]] = {}
        self._joint: dict[int, int] = {}  # how many packets ago a stream came to a joint
        self._samples: dict[int, list[Packet]] = {
            stream.index: [] for stream in container.streams if stream.index != index
        }
        self.first: tuple | None = None  # see ``identity``

    def watch(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Yield ``packets``, all of the file, and take note of them.

        Raises:
            VideoError: There are more than the limit.
        """
        for number, packet in enumerate(packets):
            if limits.PACKETS.exceeded_by(number):
                raise VideoError(f"{self._container.name}: {limits.PACKETS.reason}")
            if is_content(packet):
                self._note(packet)
            yield packet

    def _note(self, packet: Packet) -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        duration = duration_of(packet)
        part = self._clock.note(packet, packet.stream_index in self._steady)
        self._note_damage(packet, part)
        if packet.stream_index == self._index:
            if self.first is None:
                self.first = identity(packet)
            self._digest.update(packet)
            self._digest.update(f"{packet.pts} {packet.dts}".encode())
            if packet.is_discard:  # by a cut that the file only notes
                self._left_out += 1
                return
            self._packets += 1
            if time is not None and duration:
                while part >= len(self._durations):
                    self._durations.append({})
                self._durations[part][time] = duration
        else:
            self._note_other(packet)
        if time is not None:
            self._end = max(self._end, float((time + duration) * packet.time_base))

    def _note_other(self, packet: Packet) -> None:
        samples = self._samples[packet.stream_index]
        wanted = len(samples) < _FEWEST or (
            len(samples) < _MOST and seconds(packet) - seconds(samples[0]) < _SECONDS
        )
        if wanted and packet.size and not packet.is_corrupt:
            samples.append(packet)

    def _note_damage(self, packet: Packet, part: int) -> None:
        """Take note of what the file calls damaged, unless it is at a joint of two recordings."""
        index = packet.stream_index
        damage = self._damage.setdefault(index, Damage())
        near = self._near.setdefault(index, deque(maxlen=_NEAR))
        if near and near[-1][0] != part:
            near.clear()
            self._joint[index] = 0
        if len(near) == _NEAR and near[0][1]:
            damage.note(near[0][2])
        after = self._joint[index] = self._joint.get(index, _NEAR) + 1
        damage.pass_by(packet, self._clock.moved(part))
        near.append((part, packet.is_corrupt and after > _NEAR, damage.now))

    def result(self) -> Survey:
        """Return the survey, once all packets have passed."""
        for index, near in self._near.items():
            for _, marked, time in near:
                if marked:
                    self._damage[index].note(time)
        timeline, durations = self._clock.timeline(), {}
        for part, its in enumerate(self._durations):
            moved = 0
            if part:
                moved = round(timeline.offsets[part] / self._unit)
            durations.update({time + moved: duration for time, duration in its.items()})
        return Survey(
            self._digest.hexdigest(),
            self._packets,
            durations,
            timeline,
            self._samples,
            self._damage,
            tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        formats = set(self._container.format.name.split(","))
        start = (self._container.start_time or 0) / av.time_base
        records = bool(formats & _RECORD_THEIR_LENGTH)
        length = (self._container.duration or 0) / av.time_base if records else 0
        expected = self._container.streams[self._index].frames
        missing = length - (self._end - start)
        if missing > MISSING_SECONDS + _MISSING_SHARE * length:
            yield f"is cut short, at {clock(self._end - start)} of {clock(length)}"
        elif "mov" in formats and self._packets + self._left_out < 0.99 * expected:
            yield f"is cut short: {self._packets + self._left_out} of {expected} frames are there"
        known = len(self._container.streams)
        if formats & BROADCAST and (late := count_of_streams(self._container) - known) > 0:
            yield f"{late} of its streams begin late in the file and were left out"


def seconds(packet: Packet) -> float:
    """The time at which a packet is decoded; minus infinity if it is unknown."""
    time = packet.dts if packet.dts is not None else packet.pts
    return float(time * packet.time_base) if time is not None else float("-inf")


def _is_steady(stream: Stream) -> bool:
    cover = stream.disposition & av.stream.Disposition.attached_pic
    return stream.type == "audio" or (stream.type == "video" and not cover)


def identity(packet: Packet) -> tuple:
    """What tells a packet from the others of its file."""
    return packet.pts, packet.dts, packet.size, packet.pos
