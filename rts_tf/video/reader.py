"""Reads a video file: what it holds, whether it is whole, and its frames with their times."""

import contextlib
import itertools
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rts_tf.errors import VideoError
from rts_tf.video.alpha import decoder_with_alpha
from rts_tf.video.container import errors_name, open_input
from rts_tf.video.info import VideoInfo, video_info, video_stream
from rts_tf.video.interlacing import Deinterlacer, FieldWatch, interlaced_from
from rts_tf.video.pixel_formats import converted, planes_of
from rts_tf.video.side_data import SideData
from rts_tf.video.survey import MISSING_SECONDS, Survey, Surveyor, identity

# Containers in which the packets after seeking to the start are those of a newly opened file
_SEEK_TO_START = {"matroska", "mov"}
_EARLIEST = -(2**62)  # a time before all others


class Frame(NamedTuple):
    """A decoded frame.

    Attributes:
        time: In the time base of the video, later than that of the frame before.
        planes: uint8 or uint16, [H, W] for Y, then [h, w] for Cb and Cr if there is colour.
        alpha: The same for alpha if ``VideoInfo.alpha``, else None.
        source: The frame itself if it has side data that its encoder takes, else None.
    """

    time: int
    planes: tuple[np.ndarray, ...]
    alpha: np.ndarray | None = None
    source: av.VideoFrame | None = None


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

    Example::

        with VideoReader("video.mp4") as reader:
            print(reader.info.width, reader.info.height, reader.survey().packets)
            for frame in reader.frames():
                print(frame.time * reader.info.time_base, frame.planes[0].mean())
    """

    def __init__(self, path: str | os.PathLike):
        """Open ``path`` and decode its first frame.

        Raises:
            VideoError: Names the file and the reason: it cannot be read, has no video stream, or no
                frame that can be decoded.
        """
        self.path = os.fspath(path)
        self._survey: Survey | None = None
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
        self._surveyor = Surveyor(self.path, stream.index)
        self._fields = FieldWatch(stream)
        watched = self._surveyor.watch(self.container.demux())
        self._first_pass = self._fields.watch(watched)
        own = (packet for packet in self._first_pass if packet.stream.index == stream.index)
        first, _ = next(self._decoded(own, stream), (None, 0))
        if first is None:
            raise VideoError(f"{self.path}: has no frame that can be decoded")
        return video_info(self.container, stream, first, self.path)

    def survey(self) -> Survey:
        """Read all packets of the file, the first time that this is called.

        Raises:
            VideoError: The file is damaged or cut short, or cannot be read to its end.
        """
        if self._survey is None:
            with errors_name(self.path):
                for _ in self._first_pass:
                    pass
                self._survey = self._surveyor.result(self.container)
        return self._survey

    def fields(self) -> FieldWatch:
        """What the packets say about interlacing. Raises VideoError, see :meth:`survey`."""
        self.survey()
        return self._fields

    def as_decoded(self) -> Generator[av.VideoFrame, None, None]:
        """All frames as they come from the decoder, to look at them before any work.

        Raises:
            VideoError: See :meth:`survey`. Or a frame cannot be decoded.
        """
        self.survey()
        with errors_name(self.path):
            for frame, _ in self._second_pass():
                yield frame

    def frames(
        self,
        info: VideoInfo | None = None,
        first: int = 0,
        gaps: list[Gap] | None = None,
        whole: Deinterlacer | None = None,
        side_data: SideData | None = None,
    ) -> Iterator[Frame]:
        """Decode the frames in the order in which they are shown.

        All frames before ``first`` are decoded too, since few formats can be entered at any frame.
        That takes a hundredth of the time that the network took for them.

        Args:
            info: ``self.info``, or the same with another planar format.
            first: The number of the first frame to yield, from 0.
            gaps: Receives the gaps of the whole video. A frame that comes late is a gap only if the
                decoder calls it or the one before it corrupt: else the frame rate is variable.
            whole: Makes whole frames of interlaced ones.
            side_data: Says which frames to keep for their side data, and counts those of the whole
                video.

        Raises:
            VideoError: See ``survey``. Or a frame cannot be decoded, is of another size or pixel
                format than the first, or is interlaced and there is no ``whole``.
        """
        info = info or self.info
        side_data = side_data or SideData()
        self.survey()
        with errors_name(self.path):
            timed = self._timed(info, gaps, whole is None)
            found = whole.through(timed) if whole else timed
            for number, (time, frame) in enumerate(found):
                kept = side_data.kept_of(frame)
                if number >= first:
                    planar = converted(frame, info.coded_format, info.full_range)
                    planes = planes_of(planar)
                    alpha = planes[-1] if info.alpha else None
                    planes = planes[:-1] if info.alpha else planes
                    yield Frame(time, planes, alpha, planar if kept else None)

    def _timed(
        self, info: VideoInfo, gaps: list[Gap] | None, only_whole: bool
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """All frames, of one kind, with their times."""
        times = _Times(info, gaps)
        for number, (frame, duration) in enumerate(self._second_pass()):
            _check_kind(frame, number, info)
            if only_whole and frame.interlaced_frame:
                raise VideoError(f"{info.path}: {interlaced_from(number)}")
            yield times.of(frame, duration), frame

    def _second_pass(self) -> Iterator[tuple[av.VideoFrame, int]]:
        packets = self._video_packets()
        return self._decoded(packets, video_stream(self.container, self.path))

    def _decoded(
        self, packets: Iterable[Packet], stream: VideoStream
    ) -> Iterator[tuple[av.VideoFrame, int]]:
        decoder = decoder_with_alpha(stream)
        return _decoded(packets, self.path, decoder.decode if decoder else Packet.decode)

    def _video_packets(self) -> Iterator[Packet]:
        """The packets of the video stream from the start, as a newly opened file gives them."""
        if _SEEK_TO_START.intersection(self.container.format.name.split(",")):
            with contextlib.suppress(av.error.FFmpegError):
                stream = self.container.streams[self.info.stream_index]
                self.container.seek(_EARLIEST, stream=stream)
                packets: Iterator[Packet] = self.container.demux(stream)
                first = next(packets, None)
                if first is not None and identity(first) == self._surveyor.first:
                    return itertools.chain([first], packets)
        self._open_again()
        again = video_stream(self.container, self.path)
        again.thread_type = "AUTO"
        return self.container.demux(again)

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

    def of(self, frame: av.VideoFrame, duration: int) -> int:
        """The time of the next frame, whose packet has ``duration``, or 0 if that is unknown."""
        info, time = self._info, frame.pts
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


def _check_kind(frame: av.VideoFrame, number: int, info: VideoInfo) -> None:
    """Raise VideoError if a frame is of another kind than the first."""
    kind = frame.width, frame.height, frame.format.name
    if kind != (info.width, info.height, info.source_format):
        raise VideoError(
            f"{info.path}: changes to {kind[0]}x{kind[1]} {kind[2]} at frame {number}; cut it there"
            " and enhance the parts"
        )


def _decoded(
    packets: Iterable[Packet], path: str, decode: Callable[[Packet], list[av.VideoFrame]]
) -> Iterator[tuple[av.VideoFrame, int]]:
    """Frames, each with the duration of the packet (0 if unknown) after which it came."""
    number = 0
    for packet in packets:
        try:
            found = decode(packet)
        except av.error.InvalidDataError as error:
            if number == 0:  # a recording may begin in the middle of a group of frames
                continue
            raise VideoError(
                f"{path}: is damaged after frame {number} ({error.strerror}); repair it first"
            ) from None
        for frame in found:
            number += 1
            yield frame, packet.duration or 0
