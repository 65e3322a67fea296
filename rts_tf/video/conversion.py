"""Converts sound and subtitles that a container cannot hold as they are."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.subtitles.stream import SubtitleStream

from rts_tf.video.damage import Damage

_BITS_A_CHANNEL = {"aac": 96_000, "libopus": 64_000}  # a second: no difference can be heard
_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")  # of 1 to 8 channels
MOST_CHANNELS = len(_LAYOUTS)
_MICROSECOND = Fraction(1, 1_000_000)


class AudioConversion:
    """Decodes a stream of sound and encodes it again, in step with its times.

    Attributes:
        stream: The stream that is written.
        damage: What could not be decoded. There is silence in its place.
    """

    def __init__(self, source: AudioStream, output: OutputContainer, encoder: str):
        """Add the stream to ``output``.

        Args:
            source: The stream that is read.
            output: The container to write.
            encoder: FFmpeg's name.

        Raises:
            ValueError: The container cannot hold it, or there is no decoder.
        """
        decoder = source.codec_context
        if decoder is None or not decoder.sample_rate or not decoder.layout.nb_channels:
            raise ValueError(f"stream {source.index} cannot be decoded")
        codec = av.Codec(encoder, "w")
        rates, formats = codec.audio_rates, codec.audio_formats or [decoder.format]
        self._rate = decoder.sample_rate
        if rates and self._rate not in rates:
            self._rate = 48000
        coded = encoder in _BITS_A_CHANNEL
        unnamed = "channels" in decoder.layout.name
        usual = layout_of(decoder.layout.nb_channels)
        self._layout = usual if coded or unnamed else decoder.layout.name
        self._format = next((f for f in formats if f.is_planar or f.name == "flt"), formats[0]).name
        stream = output.add_stream(encoder, rate=self._rate, layout=self._layout)
        assert isinstance(stream, AudioStream)
        self.stream = stream
        self.stream.format = self._format
        self.stream.time_base = Fraction(1, self._rate)
        if coded:
            self.stream.bit_rate = stream.layout.nb_channels * _BITS_A_CHANNEL[encoder]
        self.damage = Damage()
        decoder.flush_buffers()  # a trial may have gone to its end
        self._decoder = decoder
        self._time_base = source.time_base
        self._graph: Graph | None = None
        self._kind: tuple | None = None

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """What becomes of a packet.

        Raises:
            av.error.FFmpegError: It cannot be encoded.
        """
        self.damage.pass_by(packet)
        yield from self._encoded(self._decoded(packet))

    def rest(self) -> Iterator[Packet]:
        """What is left at the end."""
        yield from self._encoded(self._decoded(None))
        if self._graph is not None:
            self._graph.push(None)
            yield from self._encoded_of_graph()
        yield from self._with_stream(self.stream.encode(None))

    def _decoded(self, packet: Packet | None) -> list[AudioFrame]:
        try:
            return self._decoder.decode(packet)
        except av.error.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            self.damage.note()
            return []

    def _encoded(self, frames: list[AudioFrame]) -> Iterator[Packet]:
        for frame in frames:
            kind = frame.format.name, frame.layout.name, frame.sample_rate
            if self._graph is None or kind != self._kind:
                if self._graph is not None:
                    self._graph.push(None)
                    yield from self._encoded_of_graph()
                self._graph, self._kind = self._graph_for(frame), kind
            self._graph.push(frame)
            yield from self._encoded_of_graph()

    def _graph_for(self, frame: AudioFrame) -> Graph:
        """Fills gaps with silence, and brings frames into the format of the encoder."""
        graph = Graph()
        source = graph.add_abuffer(
            format=frame.format.name,
            sample_rate=frame.sample_rate,
            layout=frame.layout.name,
            time_base=frame.time_base or self._time_base,
        )
        wanted = f"sample_fmts={self._format}:sample_rates={self._rate}"
        graph.link_nodes(
            source,
            graph.add("aresample", "async=1"),
            graph.add("aformat", f"{wanted}:channel_layouts={self._layout}"),
            graph.add("abuffersink"),
        ).configure()
        return graph

    def _encoded_of_graph(self) -> Iterator[Packet]:
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, AudioFrame)
            yield from self._with_stream(self.stream.encode(frame))

    def _with_stream(self, packets: list[Packet]) -> Iterator[Packet]:
        for packet in packets:
            packet.stream = self.stream
            yield packet


def layout_of(channels: int) -> str:
    """FFmpeg's name of the usual layout of so many channels; more than eight become eight."""
    return _LAYOUTS[min(channels, MOST_CHANNELS) - 1]


class SubtitleConversion:
    """Brings subtitles of text into another format.

    Attributes:
        stream: The stream that is written.
        damage: What could not be decoded, and was left out.
    """

    def __init__(self, source: SubtitleStream, output: OutputContainer, encoder: str):
        """Add the stream to ``output``; see :class:`AudioConversion`."""
        decoder = source.codec_context
        if decoder is None:
            raise ValueError(f"stream {source.index} cannot be decoded")
        decoder.open(strict=False)
        stream = output.add_stream(encoder)
        assert isinstance(stream, SubtitleStream)
        self.stream = stream
        self._encoder: Any = stream.codec_context  # of which PyAV's types know too little
        self._decoder: Any = decoder
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self.stream.time_base = Fraction(1, 1000)
        self.damage = Damage()

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """What becomes of a packet."""
        self.damage.pass_by(packet)
        if packet.pts is None:
            self.damage.note()
            return
        try:
            found = self._decoder.decode2(packet)
        except av.error.FFmpegError:
            self.damage.note()
            return
        if found is None or not len(found):  # the end of the one before
            return
        written = self._encoder.encode_subtitle(found)
        written.stream, written.time_base = self.stream, _MICROSECOND
        written.pts = written.dts = found.pts + 1000 * found.start_display_time
        written.duration = 1000 * (found.end_display_time - found.start_display_time)
        yield written

    def rest(self) -> Iterator[Packet]:
        """Nothing is left at the end."""
        return iter(())
