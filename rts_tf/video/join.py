"""Joins segments to a video, with all other streams of the source copied as they are."""

import contextlib
import heapq
import itertools
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from rts_tf.errors import VideoError
from rts_tf.storage import sync
from rts_tf.video.container import open_input, open_output
from rts_tf.video.encoders import Coding, add_video
from rts_tf.video.info import VideoInfo
from rts_tf.video.reader import VideoReader
from rts_tf.video.segments import DIFFERS, GLOBAL_HEADER, packets_of, times_of
from rts_tf.video.suffixes import container_of
from rts_tf.video.survey import Survey

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


class Rehearsal(NamedTuple):
    """What writing the header of a video shows.

    Attributes:
        global_header: Whether the container stores the header of the encoder once in front of the
            stream, and not with every key frame.
        warnings: What cannot be kept.
    """

    global_header: bool
    warnings: list[str]


class _Streams(NamedTuple):
    """The streams of the video that is written.

    Attributes:
        video: The enhanced video.
        copies: The others by their numbers in the source.
        warnings: What cannot be kept.
    """

    video: VideoStream
    copies: dict[int, Stream]
    warnings: list[str]


def rehearse(
    reader: VideoReader, info: VideoInfo, target: pathlib.Path, trial: pathlib.Path, coding: Coding
) -> Rehearsal:
    """Find out before the work what the container of ``target`` cannot hold.

    The header of the video is written to ``trial``, which is deleted again.

    Args:
        reader: The source.
        info: Its video, in the format in which it is encoded.
        target: The video to write.
        trial: A file in a directory that can be written to.
        coding: How frames will be encoded.

    Raises:
        VideoError: The container cannot hold a stream. The message names it and what to do.
        OSError: ``trial`` cannot be written.
    """
    try:
        with open_output(trial, container_of(target)) as output:
            streams = _add_streams(reader.container, output, info, coding)
            global_header = bool(streams.video.codec_context.flags & GLOBAL_HEADER)
            output.start_encoding()
    except OSError:
        raise
    except av.error.FFmpegError as error:
        what = f"{info.width}x{info.height} {info.format}"
        raise VideoError(
            f"{target}: {coding.encoder.name} cannot code {what} into it ({error.strerror}); name"
            " another `codec`"
        ) from None
    except ValueError as error:
        raise VideoError(f"{target}: {error}; name another `codec`, or a .mkv as output") from None
    finally:
        trial.unlink(missing_ok=True)
    return Rehearsal(global_header, streams.warnings)


def _add_streams(
    source: InputContainer, output: OutputContainer, info: VideoInfo, coding: Coding
) -> _Streams:
    """Add streams like those of ``source`` to ``output``, in the same order.

    Raises:
        ValueError: The container cannot hold one of them.
    """
    copies: dict[int, Stream] = {}
    warnings: list[str] = []
    video: VideoStream | None = None
    output.metadata.update(_kept(source.metadata))
    for stream in source.streams:
        copied: Stream
        if stream.index == info.stream_index:
            copied = video = add_video(output, info, coding)
        elif stream.type == "data" or (
            stream.type == "attachment" and output.format.name != "matroska"
        ):
            warnings.append(f"stream {stream.index} ({stream.type}) was left out")
            continue
        elif stream.type == "attachment":
            output.add_stream_from_template(stream)
            continue
        else:
            copied = copies[stream.index] = _copy_of(stream, output)
        copied.metadata.update(_kept(stream.metadata))
        copied.disposition = stream.disposition
    if chapters := source.chapters():
        output.set_chapters(chapters)
    assert video is not None  # the stream that was probed
    return _Streams(video, copies, warnings)


def _copy_of(stream: Stream, output: OutputContainer) -> Stream:
    """A stream of ``output`` that takes the packets of ``stream``. Raises ValueError."""
    try:
        return output.add_stream_from_template(stream, opaque=True)
    except (ValueError, AttributeError):
        codec = stream.codec_context.name if stream.codec_context else "of an unknown codec"
        suffix = pathlib.Path(output.name).suffix
        raise ValueError(
            f"{suffix} cannot hold its {stream.type} stream {stream.index} ({codec})"
        ) from None


def _kept(tags: dict[str, str]) -> dict[str, str]:
    return {
        key: value for key, value in tags.items() if key.lower().split("-")[0] not in _OF_THE_SOURCE
    }


def join(
    reader: VideoReader,
    info: VideoInfo,
    segments: Sequence[pathlib.Path],
    target: pathlib.Path,
    coding: Coding,
) -> None:
    """Write ``target``: the segments one after the other, and the other streams of the source.

    Args:
        reader: The source.
        info: Its video, in the format in which the segments are encoded.
        segments: In the order in which they are shown.
        target: The video to write.
        coding: How the segments were encoded.

    Raises:
        OSError: ``target`` cannot be written, or its frames are not those of the segments. Then
            ``target`` is not whole.
    """
    times = [times_of(segment, info) for segment in segments]
    shown = sorted(itertools.chain(*times))
    source = reader.at_start()
    number = sum(stream.index < info.stream_index for stream in source.streams.video)
    with open_output(target, container_of(target)) as output:
        streams = _add_streams(source, output, info, coding)
        output.start_encoding()
        packets = itertools.chain.from_iterable(packets_of(path, info) for path in segments)
        timed = _timed(packets, times, info, reader.survey())
        enhanced = ((packet, streams.video) for packet in timed)
        copied = _copied(source, streams.copies)
        for packet, stream in heapq.merge(enhanced, copied, key=lambda pair: _seconds(pair[0])):
            packet.stream = stream
            output.mux(packet)
    _check(target, number, info, shown)
    sync(target)


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


def _copied(source: InputContainer, copies: dict[int, Stream]) -> Iterator[tuple[Packet, Stream]]:
    """The packets of the other streams, and the streams that take them."""
    streams = [source.streams[index] for index in copies]
    for packet in source.demux(streams) if streams else ():
        if packet.size:
            yield packet, copies[packet.stream_index]


def _seconds(packet: Packet) -> float:
    time = packet.dts if packet.dts is not None else packet.pts
    return float(time * packet.time_base) if time is not None else float("-inf")


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
        stream = container.streams.video[number]
        found = sorted(packet.pts for packet in container.demux(stream) if packet.size)
        tick = max(stream.time_base, info.time_base)
        moved = [
            abs((a - found[0]) * stream.time_base - (b - shown[0]) * info.time_base)
            for a, b in zip(found, shown)
        ]
        if len(found) == len(shown) and max(moved) <= tick:
            return
    raise OSError(None, DIFFERS)
