"""The packets of the streams beside the video, in the order and at the times of one file."""

from collections.abc import Iterator

import av
from av.container import OutputContainer
from av.packet import Packet

from rts_tf.video.damage import Damage, is_of_the_disk, to_the_end
from rts_tf.video.reader import VideoReader
from rts_tf.video.streams import Copying, Outlet
from rts_tf.video.timeline import BROADCAST


class Others:
    """Reads the other streams of a source and writes them; a damaged packet is left out."""

    def __init__(self, reader: VideoReader, outlets: dict[int, Outlet]):
        """Prepare.

        Args:
            reader: The source, at its start.
            outlets: What takes the packets, by the numbers of their streams.
        """
        self._reader, self._outlets = reader, outlets
        self._refused = Damage()
        for outlet in outlets.values():
            if isinstance(outlet, Copying):
                outlet.check = _may_be_damaged(reader)
        self._ends: dict[int, int] = {}  # the last times of decoding, by streams that are written

    def packets(self) -> Iterator[Packet]:
        """The packets that are to be written.

        Raises:
            av.error.FFmpegError: The source can no longer be read.
        """
        source = self._reader.container
        streams = [source.streams[index] for index in self._outlets]
        if not streams:
            return
        demuxed = to_the_end(lambda: source.demux(streams), ())
        for packet in self._reader.survey().timeline.mended(demuxed):
            if packet.size:
                yield from self._outlets[packet.stream_index].packets(packet)
        for outlet in self._outlets.values():
            yield from outlet.rest()

    def mux(self, packet: Packet, output: OutputContainer) -> None:
        """Write a packet, of the video too, unless the container calls it damaged.

        Raises:
            OSError: The file cannot be written.
        """
        stream = packet.stream
        if any(outlet.stream is stream for outlet in self._outlets.values()):
            self._set_in_order(packet)
        self._refused.pass_by(packet)
        try:
            output.mux(packet)
        except av.error.FFmpegError as error:
            # An error may be about a packet that waited. The frames are checked at the end.
            if is_of_the_disk(error):
                raise
            self._refused.note()

    def _set_in_order(self, packet: Packet) -> None:
        """Let a packet be decoded after the one before, as each container demands."""
        unit, index = packet.stream.time_base, packet.stream.index
        ticks, last = packet.dts if packet.dts is not None else packet.pts, self._ends.get(index)
        time = None if ticks is None else round(ticks * packet.time_base / unit)
        if ticks is None or time is None or (last is not None and time <= last):
            time = 0 if last is None else last + 1
            shown = time if packet.pts is None else round(packet.pts * packet.time_base / unit)
            packet.duration = round((packet.duration or 0) * packet.time_base / unit)
            packet.time_base, packet.dts, packet.pts = unit, time, max(time, shown)
        else:
            packet.dts = ticks
            packet.pts = ticks if packet.pts is None else max(ticks, packet.pts)
        self._ends[index] = time

    def end(self, output: OutputContainer) -> None:
        """Write the packets that wait, and the end of the file, as :meth:`mux` does."""
        try:
            output.close()
        except av.error.FFmpegError as error:
            if is_of_the_disk(error):
                raise
            self._refused.note()

    def warnings(self) -> list[str]:
        """Lines about damaged packets."""
        lines, damaged = [], self._reader.survey().damage
        for index, outlet in self._outlets.items():
            what = f"its {self._reader.container.streams[index].type} stream {index} is damaged"
            marked, bad = damaged.get(index, Damage()), outlet.damage
            if bad:
                more = marked if marked.count > bad.count else bad
                lines.append(f"{what} {more.where()}; {bad.count} left out")
            elif marked:
                lines.append(f"{what} {marked.where()}; all were kept")
        if self._refused:
            where = self._refused.where()
            lines.append(f"its other streams are damaged {where}; {self._refused.count} left out")
        return lines


def _may_be_damaged(reader: VideoReader) -> bool:
    """Whether packets of sound are to be looked at, which takes a thousandth of their length."""
    survey = reader.survey()
    return bool(
        BROADCAST.intersection(reader.container.format.name.split(","))
        or reader.damage
        or survey.notes
        or any(survey.damage.values())
    )
