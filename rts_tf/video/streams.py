"""The streams beside the video: adds them to a container, copied or converted."""

import os
from collections.abc import Iterator, Sequence

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from rts_tf.video.conversion import AudioConversion, SubtitleConversion, layout_of
from rts_tf.video.damage import Damage, duration_of
from rts_tf.video.languages import code_in_mov
from rts_tf.video.muxers import ATTACH, MUXERS, file_of_cover
from rts_tf.video.wishes import COPY

_SOME = 8  # packets
# Tags that say how the source was made or how long its streams are
_OF_THE_SOURCE = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "handler_name",
    "vendor_id",
    "alpha_mode",
    "duration",
    "number_of_frames",
    "number_of_bytes",
    "bps",
    "_statistics_tags",
    "_statistics_writing_app",
    "_statistics_writing_date_utc",
}


class Copying:
    """Copies the packets of a stream.

    Attributes:
        stream: The stream that is written.
        damage: The packets that were left out.
        check: Whether to leave out packets of sound that cannot be decoded, not only those that the
            file calls damaged.
    """

    check = False

    def __init__(self, source: Stream, output: OutputContainer):
        """Add the stream to ``output``."""
        # PyAV asks the muxer for a list of codecs, which is shorter than what the muxer takes. So
        # the stream begins with a codec of the list, and a filter that does nothing copies all
        # parameters without asking.
        with av.open(os.devnull, "w", format="null") as nowhere:
            listed = nowhere.add_stream(MUXERS[output.format.name].audio[0], rate=48000)
            self.stream = output.add_stream_from_template(listed, opaque=True)
            parameters = source
            if source.codec_context is not None:  # the tag of the codec in its old container goes
                parameters = nowhere.add_stream_from_template(source, opaque=True)
            BitStreamFilterContext("null", in_stream=parameters, out_stream=self.stream)
        if isinstance(source, AudioStream) and "channels" in source.layout.name:
            # The source only counts its channels, and some containers ask for their names.
            self.stream.layout = layout_of(source.layout.nb_channels)
        self.stream.time_base = source.time_base
        self.damage = Damage()
        self._good = 0
        self._time: int | None = None  # of the last packet
        self._decoder = source.codec_context if isinstance(source, AudioStream) else None

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """The packet, unless it is damaged sound that cannot be decoded."""
        self.damage.pass_by(packet)
        if self._decoder is not None and (self.check or packet.is_corrupt):
            try:
                self._decoder.decode(packet)
                self._good += 1
            except av.error.FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
                # If most of it cannot be decoded, only the decoder may be to blame.
                if self.damage.count <= self._good + _SOME:
                    self.damage.note()
                    return
        packet.duration = self._duration_of(packet)
        packet.stream = self.stream
        yield packet

    def _duration_of(self, packet: Packet) -> int:
        """The duration of a packet; of sound that says none, since the packet before it.

        MOV cuts off the last packet of sound otherwise.
        """
        time, before = packet.pts, self._time
        self._time = time
        if self._decoder is None or packet.duration or time is None or before is None:
            return duration_of(packet)
        return max(0, time - before)

    def rest(self) -> Iterator[Packet]:
        """Nothing is left at the end."""
        return iter(())


Outlet = Copying | AudioConversion | SubtitleConversion


def add_stream(
    source: Stream, way: str, output: OutputContainer, samples: Sequence[Packet]
) -> Outlet | None:
    """Add a stream to ``output``: what takes its packets, or None if there is nothing to take.

    Args:
        source: The stream that is read.
        way: ``COPY``, ``ATTACH``, or FFmpeg's name of an encoder.
        output: The container to write.
        samples: The first packets of ``source``.

    Raises:
        ValueError: ``output`` cannot hold it.
        av.error.FFmpegError: Its encoder cannot be opened.
    """
    if way == ATTACH:
        name, media_type = file_of_cover(source)
        attached = output.add_attachment(name, media_type, bytes(samples[0]) if samples else b"")
        attached.metadata.update(kept_tags(source.metadata))
        return None
    outlet: Outlet
    if way == COPY:
        outlet = Copying(source, output)
    elif isinstance(source, AudioStream):
        outlet = AudioConversion(source, output, way)
    else:
        assert isinstance(source, SubtitleStream)  # no others are converted
        outlet = SubtitleConversion(source, output, way)
    give_tags(outlet.stream, source, output)
    return None if source.type == "attachment" else outlet


def give_tags(stream: Stream, source: Stream, output: OutputContainer) -> None:
    """Give a stream of ``output`` the tags and the marks of its source."""
    tags = kept_tags(source.metadata)
    if "name" in tags:  # which MP4 writes again as a title only
        tags.setdefault("title", tags.pop("name"))
    if output.format.name == "mov" and "language" in tags:
        tags["language"] = code_in_mov(tags["language"])
    stream.metadata.update(tags)
    stream.disposition = source.disposition


def kept_tags(tags: dict[str, str]) -> dict[str, str]:
    """The tags that are true of a copy too."""
    return {
        key: value for key, value in tags.items() if key.lower().split("-")[0] not in _OF_THE_SOURCE
    }
