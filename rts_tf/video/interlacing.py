"""Interlaced frames: finds them before any work, and makes whole frames of them.

A frame counts as interlaced if its decoder says so. Most files cannot hold such a frame, as their
codec or their parameter sets show, so they are not decoded for that.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

import av
from av.bitstream import BitStreamFilterContext
from av.filter import Graph
from av.packet import Packet
from av.video.stream import VideoStream

from rts_tf.video.ffmpeg_text import headers_of
from rts_tf.video.filters import filter_graph, pulled

_WHOLE_FRAMES_ONLY = {
    *("av1", "vp8", "vp9", "theora", "gif", "apng", "png", "webp", "jpeg2000", "bmp"),
    *("flv1", "h261", "h263", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2"),
}
_WITH_PARAMETER_SETS = ("h264", "hevc")
# In each of their parameter sets one of these fields is there, with the other value
_WHOLE = ("frame_mbs_only_flag", "general_progressive_source_flag")
_FIELDS = ("pic_struct_present_flag", "field_seq_flag", "frame_field_info_present_flag")
_SEPARATE = "field_seq_flag"  # fields are coded, decoded and timed as if they were frames
_PRORES_KIND = 20  # the byte of a packet of ProRes with the kind of the frame

T = TypeVar("T")


class FieldWatch:
    """Finds out from the packets of a video whether it may have interlaced frames."""

    def __init__(self, stream: VideoStream):
        """Watch the packets of ``stream``."""
        self._codec = stream.codec_context.codec.canonical_name
        self._index = stream.index
        self._sets: set[bytes] = set()
        self._filter: BitStreamFilterContext | None = None
        self._unclear = self._codec not in (*_WHOLE_FRAMES_ONLY, *_WITH_PARAMETER_SETS, "prores")
        if self._codec in _WITH_PARAMETER_SETS:
            name = f"{self._codec}_mp4toannexb,extract_extradata"
            self._filter = BitStreamFilterContext(name, stream)

    def watch(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Yield ``packets``, all of the file, and take note of those of the stream."""
        for packet in packets:
            if packet.stream_index == self._index and packet.size:
                if self._filter is not None and packet.is_keyframe:
                    self._note_parameter_sets(packet, self._filter)
                elif self._codec == "prores" and packet.size > _PRORES_KIND:
                    self._unclear |= bool(memoryview(packet)[_PRORES_KIND] & 0b1100)
            yield packet

    def _note_parameter_sets(self, packet: Packet, extract: BitStreamFilterContext) -> None:
        try:
            again = Packet(packet)  # type: ignore[arg-type]  # the filter takes over what it gets
            for found in extract.filter(again):
                self._sets.add(bytes(found.get_sidedata("new_extradata")))
        except av.error.FFmpegError:
            self._unclear = True

    def may_be_interlaced(self) -> bool:
        """Whether a frame may be interlaced, once all packets have passed."""
        if self._unclear or self._filter is None:
            return self._unclear
        return not self._sets or not all(map(self._only_whole_frames, self._sets))

    def has_separate_fields(self) -> bool:
        """Whether what is decoded are fields, not frames, once all packets have passed."""
        return any((_SEPARATE, "1") in self._values(each) for each in self._sets)

    def _only_whole_frames(self, parameter_sets: bytes) -> bool:
        values = self._values(parameter_sets)
        whole = {value for name, value in values if name in _WHOLE}
        return whole == {"1"} and not any(name in _FIELDS and int(v) for name, v in values)

    def _values(self, parameter_sets: bytes) -> list[tuple[str, str]]:
        """The names and the values of all fields; none if they are damaged."""
        try:
            lines = headers_of(self._codec, parameter_sets).splitlines()
        except av.error.FFmpegError:
            return []
        return [(words[1], words[-1]) for line in lines if len(words := line.split()) > 3]


class Deinterlacer:
    """Makes whole frames with FFmpeg's filter bwdif: one for each frame, at its time.

    Attributes:
        interlaced: How many of the frames were interlaced.
        frames: How many there were.
    """

    def __init__(self, every: bool = False):
        """Prepare.

        Args:
            every: Whether frames that are not marked as interlaced are taken for such too.
        """
        self._deint = "all" if every else "interlaced"
        self.interlaced = self.frames = 0

    def through(
        self, frames: Iterable[tuple[T, av.VideoFrame]]
    ) -> Iterator[tuple[T, av.VideoFrame]]:
        """Yield each frame as a whole one, with what came beside it."""
        waiting: deque[T] = deque()
        graph: Graph | None = None
        for beside, frame in frames:
            graph = graph or self._graph_for(frame)
            frame.pts = self.frames
            self.frames += 1
            self.interlaced += frame.interlaced_frame
            waiting.append(beside)
            graph.push(frame)
            yield from ((waiting.popleft(), whole) for whole in pulled(graph))
        if graph is not None:
            graph.push(None)
            yield from ((waiting.popleft(), whole) for whole in pulled(graph))

    def lines(self) -> list[str]:
        """A line about what was done, once all frames have passed."""
        if not self.interlaced and self._deint == "interlaced":
            return []
        marked = f"{self.interlaced} of {self.frames} frames were marked as interlaced"
        which = "them" if self._deint == "interlaced" else "all"
        return [f"{marked}; bwdif made whole frames of {which}"]

    def _graph_for(self, first: av.VideoFrame) -> Graph:
        return filter_graph(first, ("bwdif", {"mode": "send_frame", "deint": self._deint}))


def interlaced_from(number: int) -> str:
    """The end of a message about a video whose frame ``number``, from 0, is interlaced."""
    since = f" from frame {number} on" if number else ""
    return f"is interlaced{since}; `deinterlace`=auto makes whole frames of it (FFmpeg's bwdif)"


def first_interlaced(frames: Iterable[av.VideoFrame]) -> int | None:
    """The number of the first interlaced frame, from 0; None if all are whole."""
    return next((i for i, frame in zip(itertools.count(), frames) if frame.interlaced_frame), None)
