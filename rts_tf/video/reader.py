"""Reads a video file: what it holds, whether it is whole, and its frames with their times."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from rts_tf.errors import VideoError
from rts_tf.video.container import errors_name, open_input
from rts_tf.video.damage import Damage, LostAtTheEnd, is_content, to_the_end
from rts_tf.video.info import VideoInfo, video_info, video_stream
from rts_tf.video.pixel_formats import converted, planes_of
from rts_tf.video.survey import MISSING_SECONDS, Survey, Surveyor, identity

# Containers in which the packets after seeking to the start are those of a newly opened file
_SEEK_TO_START = {"matroska", "mov"}
_EARLIEST = -(2**62)  # a time before all others


class Frame(NamedTuple):
    """A decoded frame.

    Attributes:
        time: In the time base of the video, later than that of the frame before.
        planes: uint8 or uint16, [H, W] for Y, then [h, w] for Cb and Cr if there is colour.
    """

    time: int
    planes: tuple[np.ndarray, ...]


class Gap(NamedTuple):
    """A place where frames are missing since the file is damaged.

    Attributes:
        start: Seconds after the first frame.
        length: Seconds.
    """

    start: float
    length: float


class VideoReader:
    """A video file that is open for reading. A context manager.

    The file is opened once: the first pass over it probes the video and surveys all packets, and
    the second decodes the frames. Where seeking to the start does not restore the state of a newly
    opened file, the reader opens it again. Only one pass can be under way at a time.

    Attributes:
        path: The file.
        info: What its header and its first frame say.
        damage: What of the video could not be decoded, once its frames were read.

    Example::

        with VideoReader("video.mp4") as reader:
            print(reader.info.width, reader.info.height, reader.survey().packets)
            for frame in reader.frames():
                print(frame.time * reader.info.time_base, frame.planes[0].mean())
    """

    def __init__(self, path: str | os.PathLike):
        """Open ``path`` and decode its first frame.

        Raises:
            VideoError: Names the file and the reason: it cannot be read, has no video stream, no
                frame that can be decoded, or is interlaced.
        """
        self.path = os.fspath(path)
        self._survey: Survey | None = None
        self.damage = Damage()
        with errors_name(self.path):
            self.container: InputContainer = open_input(self.path)
            try:
                self.info = self._probe()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. ``info`` and the survey stay."""
        self.container.close()

    def _probe(self) -> VideoInfo:
        stream = video_stream(self.container, self.path)
        stream.thread_type = "AUTO"
        self._surveyor = Surveyor(self.container, stream.index)
        self._first_pass = self._surveyor.watch(to_the_end(self.container.demux, [stream]))
        own = (packet for packet in self._first_pass if packet.stream.index == stream.index)
        first: av.VideoFrame | None = None
        with contextlib.suppress(LostAtTheEnd):
            first, _ = next(_decoded(own, Damage()), (None, 0))
        if first is None:
            raise VideoError(f"{self.path}: has no frame that can be decoded")
        return video_info(self.container, stream, first, self.path)

    def survey(self) -> Survey:
        """Read all packets of the file, the first time that this is called.

        Raises:
            VideoError: The file cannot be read to its end.
        """
        if self._survey is None:
            with errors_name(self.path):
                for _ in self._first_pass:
                    pass
                self._survey = self._surveyor.result()
        return self._survey

    def frames(
        self, info: VideoInfo | None = None, first: int = 0, gaps: list[Gap] | None = None
    ) -> Iterator[Frame]:
        """Decode the frames in the order in which they are shown.

        All frames before ``first`` are decoded too, since few formats can be entered at any frame.
        That takes a hundredth of the time that the network took for them.

        Args:
            info: ``self.info``, or the same with another planar format.
            first: The number of the first frame to yield, from 0.
            gaps: Receives the gaps of the whole video. A frame that comes late is a gap only if the
                decoder calls it or the one before it corrupt: else the frame rate is variable.

        Raises:
            VideoError: See ``survey``. Or a frame is of another size or pixel format than the
                first.
        """
        info = info or self.info
        self.survey()
        times = _Times(info, gaps)
        with errors_name(self.path):
            for number, (frame, duration) in enumerate(self._second_pass()):
                _check_kind(frame, number, info)
                time = times.of(frame, duration)
                if number >= first:
                    planar = converted(frame, info.format, info.full_range)
                    yield Frame(time, planes_of(planar))

    def _second_pass(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """All frames, each with the duration of the packet after which it came."""
        self.damage, number = Damage(), 0
        try:
            for found in _decoded(self._video_packets(), self.damage):
                number += 1
                yield found
        except LostAtTheEnd:  # frames that threads had not handed out yet
            again = _decoded(self._packets_again("SLICE"), Damage())
            with contextlib.suppress(LostAtTheEnd):
                yield from itertools.islice(again, number, None)

    def _video_packets(self) -> Iterator[Packet]:
        """The packets of the video stream from the start, as a newly opened file gives them."""
        if _SEEK_TO_START.intersection(self.container.format.name.split(",")):
            with contextlib.suppress(av.error.FFmpegError):
                stream = self.container.streams[self.info.stream_index]
                self.container.seek(_EARLIEST, stream=stream)
                packets: Iterator[Packet] = self._packets_of(stream)
                first = next(packets, None)
                if first is not None and identity(first) == self._surveyor.first:
                    return self.survey().timeline.mended(itertools.chain([first], packets))
        return self._packets_again("AUTO")

    def _packets_again(self, threads: str) -> Iterator[Packet]:
        self._open_again()
        stream = video_stream(self.container, self.path)
        stream.thread_type = threads
        return self.survey().timeline.mended(self._packets_of(stream))

    def _packets_of(self, stream: Stream) -> Iterator[Packet]:
        return to_the_end(lambda: self.container.demux(stream), [stream])

    def at_start(self) -> InputContainer:
        """The open file at its start, to copy the other streams from it.

        Seeking leaves out packets before time 0, such as the first ones of AAC, so a file with
        other streams is opened again. A file without is returned as it stands.

        Raises:
            av.error.FFmpegError: The file can no longer be read.
        """
        if len(self.container.streams) > 1:
            self._open_again()
        return self.container

    def _open_again(self) -> None:
        self.container.close()
        self.container = open_input(self.path)


class _Times:
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


def _check_kind(frame: av.VideoFrame, number: int, info: VideoInfo) -> None:
    """Raise VideoError if a frame is of another kind than the first."""
    kind = frame.width, frame.height, frame.format.name
    if kind != (info.width, info.height, info.source_format):
        raise VideoError(
            f"{info.path}: changes to {kind[0]}x{kind[1]} {kind[2]} at frame {number}; cut it there"
            " and enhance the parts"
        )


def _decoded(packets: Iterable[Packet], damage: Damage) -> Iterator[tuple[av.VideoFrame, int]]:
    """Frames, each with the duration of the packet (0 if unknown) after which it came.

    Raises:
        LostAtTheEnd: Frames at the end were lost with a damaged one.
    """
    begun = False
    for packet in packets:
        damage.pass_by(packet)
        try:
            found = packet.decode()
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
            yield frame, packet.duration or 0
