"""Joins segments to a video, with the other streams of the source."""

import contextlib
import heapq
import itertools
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import av
import numpy as np
from av.packet import Packet
from av.stream import Stream

from rts_tf.storage import sync
from rts_tf.video.container import open_input, open_output
from rts_tf.video.encoders import Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.muxers import COVER, kind_of
from rts_tf.video.others import Others
from rts_tf.video.reader import VideoReader
from rts_tf.video.rehearsal import Keeping, add_streams
from rts_tf.video.segments import DIFFERS, packets_of, times_of
from rts_tf.video.suffixes import container_of
from rts_tf.video.survey import Survey, seconds
from rts_tf.video.wishes import COPY


def join(
    reader: VideoReader,
    info: VideoInfo,
    segments: Sequence[pathlib.Path],
    target: pathlib.Path,
    coding: Coding,
    keeping: Keeping,
) -> list[str]:
    """Write ``target``: the segments one after the other, and the other streams of the source.

    Args:
        reader: The source.
        info: Its video, in the format in which the segments are encoded.
        segments: In the order in which they are shown.
        target: The video to write.
        coding: How the segments were encoded.
        keeping: How ``target`` is written.

    Returns:
        Lines about damaged packets of the other streams.

    Raises:
        OSError: ``target`` cannot be written, or its frames are not those of the segments. Then
            ``target`` is not whole.
    """
    times = [times_of(segment, info) for segment in segments]
    shown = sorted(itertools.chain(*times))
    source = reader.at_start()
    number = sum(
        keeping.ways.get(stream.index) == COPY and kind_of(stream) != COVER
        for stream in source.streams.video
        if stream.index < info.stream_index
    )
    with open_output(target, container_of(target), keeping.options) as output:
        streams = add_streams(reader, output, info, coding, keeping)
        output.start_encoding()
        packets = itertools.chain.from_iterable(packets_of(path, info) for path in segments)
        enhanced = _timed(packets, times, info, reader.survey())
        others = Others(reader, streams.others)
        for packet in heapq.merge(
            _with_stream(enhanced, streams.video), others.packets(), key=seconds
        ):
            others.mux(packet, output)
        others.end(output)
    _check(target, number, info, shown)
    sync(target)
    return others.warnings()


def _with_stream(packets: Iterable[Packet], stream: Stream) -> Iterator[Packet]:
    for packet in packets:
        packet.stream = stream
        yield packet


def _timed(
    packets: Iterable[Packet], times: Sequence[Sequence[int]], info: VideoInfo, survey: Survey
) -> Iterator[Packet]:
    """Give packets their durations, and decoding times that increase over all segments.

    A packet is decoded when the frame ``delay`` frames earlier is shown. MP4 stores only these
    times, and takes each duration from the next one. Therefore the last packet lasts as long as the
    frame that is shown last, and the ``lead`` of the first packets is what the last ones lack. The
    length of the video is right then.

    Args:
        packets: Of all segments.
        times: The times of their frames, segment by segment, in the order of the packets.
        info: The video.
        survey: Its survey.
    """
    shown = sorted(itertools.chain(*times))
    delay = max(
        (i - rank for its in times for i, rank in enumerate(np.argsort(np.argsort(its)).tolist())),
        default=0,
    )
    last = len(shown) - 1
    lead = shown[last] - shown[last - delay]
    durations = _durations(shown, info, survey)
    for i, packet in enumerate(packets):
        packet.dts = shown[i - delay] if i >= delay else shown[0] - lead * (delay - i) // delay
        assert packet.pts is not None  # ``packets_of`` sets it
        packet.duration = durations[shown[last] if i == last else packet.pts]
        yield packet


def _durations(shown: Sequence[int], info: VideoInfo, survey: Survey) -> dict[int, int]:
    """The duration of each frame by its time; ``shown`` are the times in order."""
    length = shown[-1] - shown[0]
    usual = max(1, length // max(1, len(shown) - 1))
    durations = {time: after - time for time, after in itertools.pairwise(shown)}
    durations |= survey.durations
    rest = info.length - length  # a file may say the length that it had before it was cut
    if 0 <= rest < 3 * usual:
        durations[shown[-1]] = max(1, rest)
    else:
        durations.setdefault(shown[-1], usual)
    return durations


def _check(path: pathlib.Path, number: int, info: VideoInfo, shown: Sequence[int]) -> None:
    """Read what was written: every frame must be there once, at its time.

    A container may shift all times alike.

    Args:
        path: The video that was written.
        number: Which of its video streams was enhanced.
        info: The source.
        shown: The times of the frames in order.

    Raises:
        OSError: A frame is missing, or is at another time.
    """
    with contextlib.suppress(av.error.FFmpegError, IndexError), open_input(path) as container:
        videos = [stream for stream in container.streams.video if kind_of(stream) != COVER]
        stream = videos[number]
        found = sorted(packet.pts for packet in container.demux(stream) if packet.size)
        tick = max(stream.time_base, info.time_base)
        moved = [
            abs((a - found[0]) * stream.time_base - (b - shown[0]) * info.time_base)
            for a, b in zip(found, shown)
        ]
        if len(found) == len(shown) and max(moved) <= tick:
            return
    raise OSError(None, DIFFERS)
