"""Puts all packets of a file on one clock, also where the clock of the file starts anew.

Joined recordings and DVDs begin at another time in their middle. Players play on there, and so the
frame after such a joint comes right after the one before it. The other streams move with it.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from av.packet import Packet

from rts_tf.video.damage import duration_of, is_content

# FFmpeg's names of the containers for broadcasts and discs. In them a leap of the clock says
# nothing about time, packets get lost, and streams begin at any place.
BROADCAST = {"mpegts", "mpeg"}
_LEAP = 10.0  # seconds forward that are a leap there, and not a gap
# Seconds back that are a new beginning, there and in other containers, where some are careless
_BACK, _FAR_BACK = -0.05, -0.5
_REORDERED = 16  # packets, at most, between a packet and the one that is shown before it
_OVERLAP = Fraction(1, 10)  # seconds that sound may overlap at a joint before the video waits


class Timeline(NamedTuple):
    """The parts of a file with a clock of their own.

    Attributes:
        offsets: For each part what to add to its times, in seconds.
        changes: By stream: the numbers of the packets from which on it is in another part, and the
            numbers of these parts.
        late: By stream and number of a packet: how much later its time is than that of its frame.
        wild: Streams and numbers of packets whose times of showing are nonsense.
    """

    offsets: tuple[Fraction, ...] = (Fraction(0),)
    changes: dict[int, list[tuple[int, int]]] = {}
    late: dict[tuple[int, int], int] = {}
    wild: frozenset[tuple[int, int]] = frozenset()

    @property
    def changes_times(self) -> bool:
        """Whether any packet has another time than in the file."""
        return len(self.offsets) > 1 or bool(self.wild)

    def mended(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Yield ``packets``, those of some streams from the start, with times on one clock."""
        return self._mended(packets) if self.changes_times else iter(packets)

    def _mended(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        numbers: dict[int, int] = {}
        part: dict[int, int] = {}
        left = {stream: list(reversed(changes)) for stream, changes in self.changes.items()}
        for packet in packets:
            stream = packet.stream_index
            if is_content(packet):
                number = numbers[stream] = numbers.get(stream, -1) + 1
                while left.get(stream) and left[stream][-1][0] <= number:
                    part[stream] = left[stream].pop()[1]
                if (stream, number) in self.wild:
                    packet.pts = packet.dts = None
                late = self.late.get((stream, number), 0)
                _move(packet, self.offsets[part.get(stream, 0)], late)
            yield packet


def _is_wild(packet: Packet) -> bool:
    """Whether a packet is to be shown much later than it is decoded, or before: by damage."""
    if packet.pts is None or packet.dts is None:
        return False
    return abs(packet.pts - packet.dts) * packet.time_base > _LEAP


def _move(packet: Packet, offset: Fraction, late: int) -> None:
    ticks = round(offset / packet.time_base) if offset else 0
    if packet.pts is not None:
        packet.pts += ticks - late
    if packet.dts is not None:
        packet.dts += ticks


class _Joint(NamedTuple):
    """Where a stream comes into a part: the part before, and where it ended there."""

    before: int
    end: Fraction


class _Shown:
    """When the packets of a stream in one part are shown, in the times of the part.

    Attributes:
        first: The first time, in seconds.
        last: The number of the packet that is shown last.
        unit: The unit of the times.
    """

    def __init__(self, unit: Fraction):
        """Begin without packets."""
        self.first = Fraction(0)
        self.last = 0
        self.unit = unit
        self._count = self._duration = self._begin = 0
        self._latest = self._before = 0  # ticks: the last time, and the end of all others

    def note(self, number: int, ticks: int, duration: int) -> None:
        """Take note of a packet with its number, the time when it is shown and how long."""
        if not self._count:
            self._begin = self._latest = self._before = ticks
            self.last, self._duration = number, duration
        elif ticks >= self._latest:
            self._before = max(self._before, self._latest + self._length())
            self._latest, self.last, self._duration = ticks, number, duration or self._duration
        else:
            self._before = max(self._before, ticks + (duration or self._length()))
        self._count += 1
        self._begin = min(self._begin, ticks)
        self.first = self._begin * self.unit

    def _length(self) -> int:
        """How long a packet is shown, on average if they do not say it."""
        if self._duration or self._count < 2:
            return self._duration
        return (self._latest - self._begin) // (self._count - 1)

    def end(self) -> Fraction:
        """When the last one ends, in seconds."""
        return (self._latest + self._length()) * self.unit

    def gap(self) -> int:
        """How much later the last one begins than all others end, in the unit."""
        return max(0, self._latest - self._before)

    def close(self) -> None:
        """Show the last one right after the others."""
        self._latest = min(self._latest, self._before)


class Clock:
    """Finds the :class:`Timeline` of a file from its packets."""

    def __init__(self, index: int, formats: Iterable[str]):
        """Prepare.

        Args:
            index: The stream whose frames are to follow each other without a gap.
            formats: FFmpeg's names of the container.
        """
        self._index = index
        self._leaping = bool(BROADCAST.intersection(formats))
        self._starts = [0.0]  # of each part: about what to add to its times, in seconds
        self._now = 0.0
        self._expected: dict[int, float] = {}
        self._last: dict[int, float] = {}  # of each stream: the time of its last packet
        self._step: dict[int, float] = {}  # the shortest between two packets
        self._numbers: dict[int, int] = {}
        self._part: dict[int, int] = {}
        self._changes: dict[int, list[tuple[int, int]]] = {}
        self._shown: dict[int, _Shown] = {}  # of each stream in its part
        self._joints: dict[tuple[int, int], _Joint] = {}  # by part and stream
        self._first: dict[tuple[int, int], _Shown] = {}  # by part and stream
        self._late: dict[tuple[int, int], int] = {}
        self._wild: dict[tuple[int, int], int] = {}  # and its time, in its unit

    def note(self, packet: Packet, steady: bool) -> int:
        """Take note of a packet, and return the part in which it is.

        Args:
            packet: The next of the file.
            steady: Whether its stream has packets all the time, as sound has and subtitles have
                not.
        """
        stream = packet.stream_index
        number = self._numbers[stream] = self._numbers.get(stream, -1) + 1
        part = self._part_of(packet, steady)
        if part != self._part.get(stream, 0):
            self._changes.setdefault(stream, []).append((number, part))
            before, shown = self._part.get(stream, 0), self._shown.pop(stream, None)
            if shown is not None and before < part:
                if stream == self._index:
                    self._close_gap(shown, number)
                self._joints.setdefault((part, stream), _Joint(before, shown.end()))
        self._part[stream] = part
        if steady and self._leaping and _is_wild(packet):
            self._wild[stream, number] = packet.pts or 0
        elif steady and packet.pts is not None:
            shown = self._shown.setdefault(stream, _Shown(packet.time_base))
            shown.note(number, packet.pts, duration_of(packet))
            self._first.setdefault((part, stream), shown)
        return part

    def moved(self, part: int) -> float:
        """About what to add to the times of a part, in seconds."""
        return self._starts[part]

    def _close_gap(self, shown: _Shown, number: int) -> None:
        """Show the last frame of a part right after the others.

        In a program stream, FFmpeg guesses its time from the packet after the joint.

        Args:
            shown: The packets of the part.
            number: That of the first packet of the next part.
        """
        for wild in range(number - _REORDERED, number):
            if (ticks := self._wild.pop((self._index, wild), None)) is not None:
                right = round(shown.end() / shown.unit)
                self._late[self._index, wild] = ticks - right
                return shown.note(wild, right, 0)
        if self._leaping and (gap := shown.gap()):
            self._late[self._index, shown.last] = gap
            shown.close()

    def _part_of(self, packet: Packet, steady: bool) -> int:
        stream = packet.stream_index
        ticks = packet.dts if packet.dts is not None or steady else packet.pts
        if ticks is None:
            return self._part.get(stream, 0)
        time, latest = float(ticks * packet.time_base), len(self._starts) - 1
        if not steady:
            later = {latest, max(0, latest - 1, self._part.get(stream, 0))}
            return min(sorted(later), key=lambda i: self._distance(i, time))
        if stream not in self._expected and not self._expected:
            self._now = time
        expected = self._expected.get(stream, self._now)
        known = (latest, max(0, latest - 1), self._part.get(stream, 0))
        part = min(known, key=lambda i: abs(time + self._starts[i] - expected))
        moved = time + self._starts[part]
        follows = part > self._part.get(stream, 0)
        if self._is_new(moved - expected, _FAR_BACK if follows else _BACK, stream, moved):
            part = len(self._starts)
            self._starts.append(expected - time)
        self._now = time + self._starts[part]
        self._expected[stream] = self._now + self._length_of(packet)
        self._last[stream] = self._now
        return part

    def _length_of(self, packet: Packet) -> float:
        """How many seconds a packet that begins now lasts, at least if it does not say it."""
        stream = packet.stream_index
        if duration := duration_of(packet):
            return float(duration * packet.time_base)
        step = self._now - self._last.get(stream, self._now)
        if step > 0:
            self._step[stream] = min(step, self._step.get(stream, step))
        return self._step.get(stream, 0.0)

    def _distance(self, part: int, time: float) -> float:
        return abs(time + self._starts[part] - self._now)

    def _is_new(self, late: float, back: float, stream: int, time: float) -> bool:
        """Whether a packet has another clock.

        Args:
            late: How many seconds it is late.
            back: How early it may be. Streams do not end together before a joint, so the second
                that comes to it may overlap more.
            stream: Its stream.
            time: Its time.
        """
        begun = stream in self._last
        if begun and late < 0 and time >= self._last[stream]:
            return False  # the one before lasted less than it said
        if self._leaping:
            return late > _LEAP or late < (back if begun else -_LEAP)
        return begun and late < _FAR_BACK

    def timeline(self) -> Timeline:
        """Return the timeline, once all packets have passed."""
        offsets = [Fraction(0)]
        for part in range(1, len(self._starts)):
            others = []
            video: Fraction | None = None
            for (found, stream), joint in self._joints.items():
                if found == part and (part, stream) in self._first:
                    after = offsets[joint.before] + joint.end - self._first[part, stream].first
                    if stream == self._index:
                        video = after
                    else:
                        others.append(after)
            if video is not None:
                offsets.append(max(video, max(others) - _OVERLAP) if others else video)
            else:
                exact = Fraction(self._starts[part]).limit_denominator(90000)
                offsets.append(max(others) if others else exact)
        return Timeline(tuple(offsets), self._changes, self._late, frozenset(self._wild))
