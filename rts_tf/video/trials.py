"""Tries what a container takes: a few packets of one stream are written, and read again."""

import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from rts_tf.errors import VideoError
from rts_tf.video.container import open_input, open_output
from rts_tf.video.damage import is_of_the_disk
from rts_tf.video.muxers import ATTACH, LEAVE_OUT, codec_of, ways_of
from rts_tf.video.streams import Outlet, add_stream
from rts_tf.video.suffixes import container_of
from rts_tf.video.wishes import AUDIO_ENCODERS, AUTO, CONVERT, COPY, NONE, Wishes

_OTHER_SUFFIXES = (".mkv", ".mov")  # the containers that take most
_FEW = 8  # packets, of which a stream may be damaged too much to be worth a refusal
_LAYERS = ("mp1", "mp2")  # of MPEG audio, which many containers do not tell from the third


class Trial(NamedTuple):
    """Where to try what.

    Attributes:
        target: The video to write.
        file: A file in a directory that can be written to; its suffix may be changed.
        samples: The first packets of each stream beside the video, by its number.
    """

    target: pathlib.Path
    file: pathlib.Path
    samples: dict[int, list[Packet]]

    def way_for(self, stream: Stream, wishes: Wishes) -> str:
        """What becomes of a stream: the best of ``ways_of`` that works.

        Raises:
            VideoError: None works. The message says what to do.
            OSError: ``file`` cannot be written.
        """
        container = container_of(self.target)
        samples, ways = self.samples[stream.index], ways_of(stream, container, wishes)
        for way in ways if samples else ways[:1]:
            if way == LEAVE_OUT or self._works(stream, way, container):
                return way
        remains = stream.type == "audio" and wishes.audio == AUTO and len(samples) < _FEW
        if remains or not samples:
            return LEAVE_OUT
        raise VideoError(self._refusal(stream, wishes))

    def _works(self, stream: Stream, way: str, container: str) -> bool:
        """Whether what is written of a stream is read as what it is."""
        if way == ATTACH or stream.type == "attachment":
            return True  # in a container alone they are no video, so the table has them
        samples = self.samples[stream.index]
        try:
            with open_output(self.file, container) as output:
                outlet = add_stream(stream, way, output, samples)
                assert outlet is not None
                output.start_encoding()
                sizes = self.write(stream.index, outlet, output)
            if samples and not sizes:
                return way != COPY and not outlet.damage
            with open_input(self.file) as found:
                if way == COPY:
                    same = _kind(found.streams[0]) == _kind(stream)
                else:
                    codec = av.Codec(way, "w").canonical_name
                    same = _kind(found.streams[0]) == (stream.type, codec)
                packets = [packet for packet in found.demux(found.streams[0]) if packet.size]
                in_time = way != COPY or stream.type != "audio" or _last_as_long(samples, packets)
                return same and in_time and _are_there(stream, sizes, packets)
        except (av.error.FFmpegError, ValueError, IndexError) as error:
            if is_of_the_disk(error):
                raise
            return False
        finally:
            self.file.unlink(missing_ok=True)

    def write(self, index: int, outlet: Outlet, output: OutputContainer) -> list[int]:
        """Write the samples of the stream ``index``, without damaged ones: the sizes of packets.

        Raises:
            OSError: The file cannot be written.
        """
        sizes = []
        for packet in self.samples[index]:
            sizes += _muxed(outlet.packets(_copy_of(packet)), output)
        return sizes + _muxed(outlet.rest(), output)

    def _refusal(self, stream: Stream, wishes: Wishes) -> str:
        suffix, container = self.target.suffix, container_of(self.target)
        what = f"{stream.type} stream {stream.index} ({codec_of(stream)})"
        flag = "audio" if stream.type == "audio" else "subtitles"
        remedies = []
        if flag == "audio":
            remedies = [
                f"`audio`={name} converts it"
                for name, encoder in AUDIO_ENCODERS.items()
                if self._works(stream, encoder, container)
            ]
        elif wishes.subtitles != CONVERT and any(
            self._works(stream, way, container)
            for way in ways_of(stream, container, Wishes(subtitles=CONVERT))
        ):
            remedies = [f"`subtitles`={CONVERT} converts it"]
        remedies.append(f"`{flag}`={NONE} leaves it out")
        for other in _OTHER_SUFFIXES:
            if other != suffix.lower() and self._works(stream, COPY, container_of(f"a{other}")):
                remedies.append(f"a {other} as output holds it as it is")
                break
        wish = getattr(wishes, flag)
        asked = f" as `{flag}`={wish} asks" if wish != AUTO else ""
        return f"{self.target}: {suffix} cannot hold its {what}{asked}; {', '.join(remedies)}"


def _copy_of(packet: Packet) -> Packet:
    """A packet with the same contents and times, which can be written."""
    copy = Packet(bytes(packet))
    copy.time_base, copy.duration = packet.time_base, packet.duration
    copy.pts = packet.pts if packet.pts is not None else packet.dts
    copy.dts = packet.dts if packet.dts is not None else packet.pts
    copy.is_keyframe = packet.is_keyframe
    return copy


def _muxed(packets: Iterable[Packet], output: OutputContainer) -> list[int]:
    """Write packets, without damaged ones: the sizes of those that were written."""
    sizes = []
    for packet in packets:
        size = packet.size
        try:
            output.mux(packet)
            sizes.append(size)
        except av.error.FFmpegError as error:
            if is_of_the_disk(error):
                raise
    return sizes


def _kind(stream: Stream) -> tuple[str, str]:
    codec = codec_of(stream)
    return stream.type, "mp3" if codec in _LAYERS else codec


def _last_as_long(samples: Sequence[Packet], found: Sequence[Packet]) -> bool:
    """Whether sound has its times again: MOV takes ADPCM of Flash for one sample a packet.

    Containers may join packets, and cut off the very end.
    """
    after = _length(found) + float((found[-1].duration or 0) * found[-1].time_base if found else 0)
    return after >= _length(samples) / 2


def _length(packets: Sequence[Packet]) -> float:
    """From the beginning of the first to that of the last packet, in seconds."""
    times = [float(p.pts * p.time_base) for p in packets if p.pts is not None]
    return times[-1] - times[0] if times else 0.0


def _are_there(stream: Stream, sizes: Sequence[int], packets: Iterable[Packet]) -> bool:
    """Whether what was written is there. Containers may cut it anew, and cut off its very end."""
    found = [packet.size for packet in packets]
    if stream.type == "audio" and len(sizes) > 1:
        return len(found) >= len(sizes) - 1 or sum(found) >= sum(sizes)
    return bool(found) or not sizes
