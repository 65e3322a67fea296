"""Reads damaged files as far as players do, and says what is wrong with them."""

import errno
from collections.abc import Callable, Iterable, Iterator

import av
from av.packet import Packet
from av.stream import Stream

_MOST_ERRORS = 1000  # after so many, a file has no more packets
_LONGEST = 2**31 - 1  # ticks that a packet may last in MP4 and MOV, which refuse it otherwise


class LostAtTheEnd(Exception):
    """A decoder gave up with frames in it, after the last packet."""


class Damage:
    """What is damaged in a stream: how often, and where first."""

    def __init__(self) -> None:
        """Begin without any damage."""
        self._start: float | None = None
        self._first = 0.0
        self._now = 0.0
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._count)

    def pass_by(self, packet: Packet, moved: float = 0.0) -> None:
        """Take note of the time of a packet, to which ``moved`` is to be added, in seconds."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is not None:
            self._now = float(ticks * packet.time_base) + moved
            if self._start is None:
                self._start = self._now

    @property
    def now(self) -> float:
        """The time of the last packet that passed by, in seconds."""
        return self._now

    def note(self, time: float | None = None) -> None:
        """Take note that the last packet that passed by is damaged, or an earlier one."""
        if not self._count:
            found = self._now if time is None else time
            self._first = max(0.0, found - (self._start or 0.0))
        self._count += 1

    @property
    def count(self) -> int:
        """How many packets are damaged."""
        return self._count

    def where(self) -> str:
        """Where the damage is: "at 0:01.2", or "in 3 packets, the first at 0:01.2"."""
        at = f"at {clock(self._first)}"
        return at if self._count == 1 else f"in {self._count} packets, the first {at}"


def to_the_end(
    demux: Callable[[], Iterable[Packet]], streams: Iterable[Stream]
) -> Iterator[Packet]:
    """Yield the packets of a file, those after damage too.

    Args:
        demux: Reads on in the file, up to its end or to damage.
        streams: Whose end is made known by empty packets in any case.

    Raises:
        av.error.FFmpegError: The file cannot be read.
    """
    ended = set()
    for _ in range(_MOST_ERRORS):
        try:
            for packet in demux():
                if not is_content(packet):
                    ended.add(packet.stream.index)
                yield packet
            break
        except av.error.InvalidDataError:
            pass
        except IndexError:  # PyAV ends so if a stream began in the middle of the file
            break
    for stream in streams:
        if stream.index not in ended:
            last = Packet()
            last.stream = stream
            yield last


def decoded(
    packets: Iterable[Packet], damage: Damage, decode: Callable[[Packet], list[av.VideoFrame]]
) -> Iterator[tuple[av.VideoFrame, int]]:
    """Yield frames, each with the duration of the packet (0 if unknown) after which it came.

    Args:
        packets: Of one stream.
        damage: Takes note of what cannot be decoded.
        decode: The decoder.

    Raises:
        LostAtTheEnd: Frames at the end were lost with a damaged one.
    """
    begun = False
    for packet in packets:
        damage.pass_by(packet)
        try:
            found = decode(packet)
        except av.error.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            damage.note()
            if not is_content(packet):
                raise LostAtTheEnd from None
            continue
        if begun and any(frame.is_corrupt for frame in found):
            damage.note()
        begun = begun or any(not frame.is_corrupt for frame in found)
        for frame in found:
            yield frame, duration_of(packet)


def is_content(packet: Packet) -> bool:
    """Whether a packet is one of the file, and not the sign of its end."""
    return bool(packet.size) or packet.dts is not None


def duration_of(packet: Packet) -> int:
    """How long a packet lasts, in its ticks; 0 if that is unknown or nonsense.

    FFmpeg's Ogg reader subtracts without a sign, so the last packet may last for a day.
    """
    duration = packet.duration or 0
    return duration if 0 < duration <= _LONGEST else 0


def is_of_the_disk(error: Exception) -> bool:
    """Whether an error of FFmpeg while it writes is about the file, and not about a packet.

    Some containers return -1 for packets that they do not take, which is also the number of EPERM.
    """
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno != errno.EPERM
    )


def clock(seconds: float) -> str:
    """A time in a video for messages, e.g. 1:02:03.4."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
