"""Rehearses the writing of a video before the work: what of its source can be kept, and how.

A few packets of each stream are written as they would be at the end, and read again.
"""

import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from rts_tf.errors import VideoError
from rts_tf.video.container import open_input, open_output
from rts_tf.video.conversion import MOST_CHANNELS
from rts_tf.video.encoders import GLOBAL_HEADER, Coding, add_video
from rts_tf.video.info import VideoInfo
from rts_tf.video.losses import Losses, losses
from rts_tf.video.muxers import (
    ATTACH,
    CHAPTER,
    COVER,
    LEAVE_OUT,
    codec_of,
    kind_of,
    name_of,
)
from rts_tf.video.pixel_formats import planes_of
from rts_tf.video.reader import VideoReader
from rts_tf.video.streams import Outlet, add_stream, give_tags, kept_tags
from rts_tf.video.suffixes import container_of
from rts_tf.video.trials import Trial
from rts_tf.video.wishes import AUTO, COPY, NONE, Wishes

# Of MP4 and MOV: tags of all names, in place of the few that every player knows
_ALL_TAGS = {"movflags": "use_metadata_tags"}


class Keeping(NamedTuple):
    """How a video is written.

    Attributes:
        ways: What becomes of each stream of the source beside the video, by its number; see
            ``rts_tf.video.muxers``.
        options: Of the container.
    """

    ways: dict[int, str]
    options: dict[str, str] = {}


class Rehearsal(NamedTuple):
    """What writing a video shows.

    Attributes:
        global_header: Whether the container stores the header of the encoder once in front of the
            stream, and not with every key frame.
        keeping: How to write it.
        warnings: What cannot be kept as it is.
    """

    global_header: bool
    keeping: Keeping
    warnings: list[str]


class Streams(NamedTuple):
    """The streams of a video that is written.

    Attributes:
        video: The enhanced video.
        others: What takes the packets of the other streams, by their numbers in the source.
    """

    video: VideoStream
    others: dict[int, Outlet]


class _Written(NamedTuple):
    """What was found in a video that was written."""

    global_header: bool
    losses: Losses


def rehearse(
    reader: VideoReader,
    info: VideoInfo,
    target: pathlib.Path,
    trial: pathlib.Path,
    coding: Coding,
    wishes: Wishes,
) -> Rehearsal:
    """Find out before the work what the container of ``target`` cannot hold.

    Args:
        reader: The source.
        info: Its video, in the format in which it is encoded.
        target: The video to write.
        trial: A file in a directory that can be written to. It is deleted again.
        coding: How frames will be encoded.
        wishes: What to do with the other streams.

    Raises:
        VideoError: The container cannot hold the video, or a stream that the user does not want to
            miss. The message names it and what to do.
        OSError: ``trial`` cannot be written.
    """
    tried = Trial(target, trial, reader.survey().samples)
    others = [s for s in reader.container.streams if s.index != info.stream_index]
    try:
        keeping = Keeping({stream.index: tried.way_for(stream, wishes) for stream in others})
        written = _write(reader, info, tried, coding, keeping)
        if written.losses.tags and container_of(target) in ("mp4", "mov"):
            with_all_tags = keeping._replace(options=_ALL_TAGS)
            other = _write(reader, info, tried, coding, with_all_tags)
            if other.losses.amount < written.losses.amount:
                keeping, written = with_all_tags, other
    finally:
        trial.unlink(missing_ok=True)
    lines = list(_lines(reader, keeping, wishes, target.suffix))
    if lost := written.losses.words():
        lines.append(f"its {lost}: left out, since {target.suffix} cannot hold them")
    return Rehearsal(written.global_header, keeping, lines)


def _write(
    reader: VideoReader, info: VideoInfo, trial: Trial, coding: Coding, keeping: Keeping
) -> _Written:
    """Write one frame and a few packets of each other stream, and read them again."""
    target = trial.target
    try:
        with open_output(trial.file, container_of(target), keeping.options) as output:
            streams = add_streams(reader, output, info, coding, keeping)
            global_header = bool(streams.video.codec_context.flags & GLOBAL_HEADER)
            output.start_encoding()
            for packet in (*streams.video.encode(_blank(info)), *streams.video.encode(None)):
                packet.dts = packet.pts  # x265 may give none
                output.mux(packet)
            for index, outlet in streams.others.items():
                trial.write(index, outlet, output)
    except OSError:
        raise
    except av.error.FFmpegError as error:
        what = f"{info.width}x{info.height} {info.format}"
        raise VideoError(
            f"{target}: {coding.encoder.name} cannot code {what} into it ({error.strerror}); name"
            " another `codec`"
        ) from None
    except ValueError as error:
        other = ", or a .mkv as output" if target.suffix.lower() != ".mkv" else ""
        raise VideoError(f"{target}: {error}; name another `codec`{other}") from None
    kept = [
        stream for stream in reader.container.streams if keeping.ways.get(stream.index) != LEAVE_OUT
    ]
    with open_input(trial.file) as written:
        turned = info.display_matrix is not None and not _is_turned(written)
        return _Written(global_header, losses(reader.container, kept, written, turned))


def add_streams(
    reader: VideoReader, output: OutputContainer, info: VideoInfo, coding: Coding, keeping: Keeping
) -> Streams:
    """Add streams like those of the source to ``output``, in the same order, and all tags.

    Raises:
        ValueError: The container cannot hold one of them.
        av.error.FFmpegError: An encoder cannot be opened.
    """
    source = reader.container
    others: dict[int, Outlet] = {}
    video: VideoStream | None = None
    output.metadata.update(kept_tags(source.metadata))
    for stream in source.streams:
        if stream.index == info.stream_index:
            video = add_video(output, info, coding)
            give_tags(video, stream, output)
        elif (way := keeping.ways[stream.index]) != LEAVE_OUT:
            samples = reader.survey().samples[stream.index]
            if outlet := add_stream(stream, way, output, samples):
                others[stream.index] = outlet
    if chapters := source.chapters():
        output.set_chapters(chapters)
    assert video is not None  # the stream that was probed
    return Streams(video, others)


def _blank(info: VideoInfo) -> av.VideoFrame:
    frame = av.VideoFrame(info.width, info.height, info.coded_format)
    frame.pts, frame.time_base = 0, info.time_base
    for plane in planes_of(frame):
        plane[...] = 0
    return frame


def _is_turned(written: InputContainer) -> bool:
    """Whether a video that was written tells players to turn it."""
    frame = next(written.decode(written.streams.video[0]), None)
    side_data: Any = frame.side_data if frame else ()  # PyAV's types take its items for strings
    return any(data.type.name == "DISPLAYMATRIX" for data in side_data)


def _lines(reader: VideoReader, keeping: Keeping, wishes: Wishes, suffix: str) -> Iterator[str]:
    """Lines about the streams that are not kept as they are, unless the user asked for that."""
    source, samples = reader.container, reader.survey().samples
    asked = {"audio": wishes.audio, "subtitle": wishes.subtitles}
    for stream in source.streams:
        way, kind = keeping.ways.get(stream.index, COPY), kind_of(stream)
        what = f"{kind} stream {stream.index} ({codec_of(stream)})"
        if kind in ("attachment", COVER):
            what = f"{kind} {stream.metadata.get('filename', stream.index)}"
        if way == LEAVE_OUT and asked.get(kind) != NONE and not _is_kept_as_tag(stream, source):
            reason = f"{suffix} cannot hold it"
            if kind in ("audio", "subtitle") and not samples[stream.index]:
                reason = "it is empty"
            elif kind == "audio":
                reason = "it is damaged"
            yield f"its {what} was left out, since {reason}"
        elif way not in (COPY, ATTACH, LEAVE_OUT) and asked[kind] == AUTO:
            made = f"{name_of(way)}{_fewer_channels(stream, way)}"
            yield f"its {what} became {made}, since {suffix} cannot hold it as it is"


def _fewer_channels(stream: Stream, way: str) -> str:
    if not isinstance(stream, AudioStream) or way.startswith("pcm_"):
        return ""
    count = stream.layout.nb_channels
    return f" of {MOST_CHANNELS} of its {count} channels" if count > MOST_CHANNELS else ""


def _is_kept_as_tag(stream: Stream, source: InputContainer) -> bool:
    """Whether a stream repeats what is kept otherwise: chapters, and the time code of the start."""
    if kind_of(stream) == CHAPTER and source.chapters():
        return True
    timecode = stream.metadata.get("timecode")
    return (
        stream.type == "data"
        and timecode is not None
        and timecode in (other.metadata.get("timecode") for other in source.streams.video)
    )
