"""Reads a video file: what it holds, whether it is whole, and its frames with their times."""

import contextlib
import itertools
import os
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from rts_tf.errors import VideoError
from rts_tf.video.alpha import decoder_with_alpha
from rts_tf.video.container import close_input, errors_name, open_input
from rts_tf.video.damage import Damage, LostAtTheEnd, decoded, to_the_end
from rts_tf.video.ffmpeg_text import chroma_location
from rts_tf.video.info import VideoInfo, video_info, video_stream
from rts_tf.video.interlacing import Deinterlacer, FieldWatch, interlaced_from
from rts_tf.video.pixel_formats import converted, planes_of
from rts_tf.video.side_data import SideData
from rts_tf.video.survey import Survey, Surveyor, identity
from rts_tf.video.times import Gap, Times

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
            VideoError: Names the file and the reason: it cannot be read, has no video stream, or no
                frame that can be decoded.
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
        close_input(self.container)

    def _probe(self) -> VideoInfo:
        stream = video_stream(self.container, self.path)
        chroma = chroma_location(self.container, stream.index)
        stream.thread_type = "AUTO"
        self._surveyor = Surveyor(self.container, stream.index)
        self._fields = FieldWatch(stream)
        watched = self._surveyor.watch(to_the_end(self.container.demux, [stream]))
        self._first_pass = self._fields.watch(watched)
        own = (packet for packet in self._first_pass if packet.stream.index == stream.index)
        first: av.VideoFrame | None = None
        with contextlib.suppress(LostAtTheEnd):
            first, _ = next(self._decoded(own, Damage()), (None, 0))
        if first is None:
            raise VideoError(f"{self.path}: has no frame that can be decoded")
        return video_info(self.container, stream, first, self.path, chroma)

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
            VideoError: See ``survey``. Or a frame is of another size or pixel format than the
                first, or is interlaced and there is no ``whole``.
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
        times = Times(info, gaps)
        for number, (frame, duration) in enumerate(self._second_pass()):
            _check_kind(frame, number, info)
            if only_whole and frame.interlaced_frame:
                raise VideoError(f"{info.path}: {interlaced_from(number)}")
            yield times.of(frame, duration), frame

    def _second_pass(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """All frames, each with the duration of the packet after which it came."""
        self.damage, number = Damage(), 0
        try:
            for found in self._decoded(self._video_packets(), self.damage):
                number += 1
                yield found
        except LostAtTheEnd:  # frames that threads had not handed out yet
            again = self._decoded(self._packets_again("SLICE"), Damage())
            with contextlib.suppress(LostAtTheEnd):
                yield from itertools.islice(again, number, None)

    def _decoded(
        self, packets: Iterable[Packet], damage: Damage
    ) -> Iterator[tuple[av.VideoFrame, int]]:
        decoder = decoder_with_alpha(video_stream(self.container, self.path))
        return decoded(packets, damage, decoder.decode if decoder else Packet.decode)

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
        close_input(self.container)
        self.container = open_input(self.path)


def _check_kind(frame: av.VideoFrame, number: int, info: VideoInfo) -> None:
    """Raise VideoError if a frame is of another kind than the first."""
    kind = frame.width, frame.height, frame.format.name
    if kind != (info.width, info.height, info.source_format):
        raise VideoError(
            f"{info.path}: changes to {kind[0]}x{kind[1]} {kind[2]} at frame {number}; cut it there"
            " and enhance the parts"
        )
