"""Films written: segments of whole groups of pictures, and the film that they and the other streams are joined to.

A segment is a NUT file, FFmpeg's own container, which keeps every time exactly. Nothing is coded again when they are joined.
"""

import contextlib
import heapq
import itertools
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import av
import cv2
import numpy as np

from rts_tf.errors import VideoError
from rts_tf.storage import atomic_path, sync
from rts_tf.video.reader import Film, Frame, Survey, open_file, planes_of
from rts_tf.video.suffixes import OUTPUT_SUFFIXES

# FFmpeg's names of the containers by suffix
CONTAINERS = dict(
    zip(OUTPUT_SUFFIXES, ("mp4", "mp4", "mov", "matroska", "webm", "mpegts"), strict=True)
)
THREADS = 2  # of the encoder. A fixed number: what x264 and x265 write depends on it
TRANSPORT_STREAM_CODECS = (
    "h264",
    "hevc",
)  # FFmpeg puts others into a .ts too, but as data, which it does not know again
AVX_512F = 13  # of cv2.checkHardwareSupport
GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER
EARLIEST = -60  # seconds at which a film may begin: no time in a segment is negative, or FFmpeg would move all of them
DIFFERS = "what was read back is not what was written"


class Encoder(NamedTuple):
    name: str
    crf: int | None  # its default, about visually lossless; None: it has no such thing
    options: dict[str, str]


# With AVX-512, x264's macroblock tree of 8 bits depends on what lies in memory, unless a row has a multiple of 8 macroblocks:
# no two runs would give the same film. Without these instructions it does not, and all others give the same as each other
REPEATABLE = {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(AVX_512F) else {}

ENCODERS = {
    "h264": Encoder("libx264", 17, {"preset": "medium"} | REPEATABLE),
    "hevc": Encoder(
        "libx265",
        19,
        {"preset": "fast", "x265-params": f"log-level=none:pools={THREADS}:frame-threads=1"},
    ),
    "vp9": Encoder("libvpx-vp9", 24, {"deadline": "good", "cpu-used": "4", "row-mt": "1"}),
    "av1": Encoder("libsvtav1", 25, {"preset": "8", "svtav1-params": f"lp={THREADS}"}),
    "ffv1": Encoder("ffv1", None, {"level": "3", "slices": "4"}),
}


class Coding(NamedTuple):
    """How frames are coded."""

    codec: str  # of ENCODERS
    crf: int | None

    def formats(self) -> tuple[str, ...]:
        """The pixel formats that the encoder takes."""
        return tuple(
            f.name for f in av.codec.Codec(ENCODERS[self.codec].name, "w").video_formats or ()
        )


def add_video(container, film: Film, coding: Coding):
    """A stream in ``container`` with an encoder for ``film``.

    Raises:
        ValueError: the container cannot hold what the encoder makes.
    """
    encoder = ENCODERS[coding.codec]
    if container.format.name == "mpegts" and coding.codec not in TRANSPORT_STREAM_CODECS:
        raise ValueError(f"'mpegts' format does not support '{encoder.name}' codec")
    options = encoder.options | ({} if coding.crf is None else {"crf": str(coding.crf)})
    if (
        coding.codec == "h264" and film.bits > 8
    ):  # with the macroblock tree, one run in thirty would give other frames
        options["mbtree"] = "0"
    stream = container.add_stream(
        encoder.name, rate=film.rate, options=options, width=film.width, height=film.height
    )
    context = stream.codec_context
    context.pix_fmt, context.time_base, context.thread_count = film.format, film.time_base, THREADS
    context.color_range, context.colorspace = 2 if film.full_range else 1, film.matrix
    context.color_primaries, context.color_trc = film.primaries, film.transfer
    if film.aspect:
        context.sample_aspect_ratio = film.aspect
    if coding.codec == "hevc" and container.format.name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # without it Apple's players show nothing
    stream.time_base = film.time_base
    stream.set_display_matrix(film.display_matrix)
    return stream


def write_segment(
    path: pathlib.Path, film: Film, coding: Coding, global_header: bool, frames: Iterable[Frame]
) -> None:
    """Code ``frames`` into a file that is whole or not there.

    Raises:
        OSError: the disk is full, or the like.
    """
    given = []
    with atomic_path(path) as temporary:
        with open_file(temporary, "w", format="nut") as container:
            stream = add_video(container, film, coding)
            if not global_header:
                stream.codec_context.flags &= ~GLOBAL_HEADER
            packets = _encoded(stream, film, _noted(frames, given))
            for i, packet in enumerate(packets):
                packet.dts = i  # x265 gives none to the first two; ``join`` makes new ones
                container.mux(packet)
        if sorted(times_of(temporary, film)) != given:
            raise OSError(None, DIFFERS)


def _noted(frames: Iterable[Frame], times: list[int]) -> Iterator[Frame]:
    for frame in frames:
        times.append(frame.time)
        yield frame


def _encoded(stream, film: Film, frames: Iterable[Frame]) -> Iterator["av.Packet"]:
    for frame in frames:
        yield from stream.encode(_packed(frame, film))
    yield from stream.encode(None)


def _packed(frame: Frame, film: Film) -> "av.VideoFrame":
    packed = av.VideoFrame(film.width, film.height, film.format)
    packed.pts, packed.time_base = frame.time + _lead(film), film.time_base
    packed.color_range, packed.colorspace = 2 if film.full_range else 1, film.matrix
    for into, plane in zip(planes_of(packed), frame.planes, strict=True):
        np.copyto(into, plane)
    return packed


def _lead(film: Film) -> int:
    return round(-EARLIEST / film.time_base)


def packets_of(path: str | os.PathLike, film: Film) -> Iterator["av.Packet"]:
    """The packets of a segment, at their times in the film."""
    with open_file(path) as container:
        for packet in container.demux(video=0):
            if packet.size:
                packet.pts = round(packet.pts * packet.time_base / film.time_base) - _lead(film)
                packet.time_base = film.time_base
                yield packet


def times_of(path: str | os.PathLike, film: Film) -> list[int]:
    """The times of a segment's frames, in the order in which they are coded; none if the file is not a segment."""
    try:
        return [packet.pts for packet in packets_of(path, film)]
    except av.error.FFmpegError:
        return []


def container_of(path: str | os.PathLike) -> str:
    """FFmpeg's name of the container that the suffix of ``path``, one of ``OUTPUT_SUFFIXES``, stands for."""
    return CONTAINERS[pathlib.Path(path).suffix.lower()]


class Outline(NamedTuple):
    """What a trial of the film to write shows."""

    global_header: bool  # whether the encoder's header lies in front of the stream, or with every group of pictures
    remarks: list[str]  # what cannot be kept


def rehearse(film: Film, target: pathlib.Path, trial: pathlib.Path, coding: Coding) -> Outline:
    """Write the header of ``target`` into ``trial``, so that what the container cannot hold shows before the work.

    Raises:
        VideoError: names the stream, and what to do.
        OSError: the disk is full, or the like.
    """
    with open_file(film.path) as source:
        try:
            with open_file(trial, "w", format=container_of(target)) as output:
                video, _, remarks = _streams(source, output, film, coding)
                global_header = bool(video.codec_context.flags & GLOBAL_HEADER)
                output.start_encoding()
        except OSError:
            raise
        except av.error.FFmpegError as error:
            what = f"{ENCODERS[coding.codec].name} cannot code {film.width}x{film.height} {film.format} into it"
            raise VideoError(f"{target}: {what} ({error.strerror}); name another --codec") from None
        except ValueError as error:
            raise VideoError(
                f"{target}: {error}; name another --codec, or a .mkv as output"
            ) from None
        finally:
            trial.unlink(missing_ok=True)
    return Outline(global_header, remarks)


def _streams(source, output, film: Film, coding: Coding) -> tuple:
    """The streams of ``output`` in the order of those of ``source``: the video, the others by index, and remarks."""
    copies, remarks, video = {}, [], None
    output.metadata.update(_kept(source.metadata))
    for stream in source.streams:
        if stream.index == film.index:
            copied = video = add_video(output, film, coding)
        elif stream.type == "data" or (
            stream.type == "attachment" and output.format.name != "matroska"
        ):
            remarks.append(f"stream {stream.index} ({stream.type}) was left out")
            continue
        elif stream.type == "attachment":
            output.add_stream_from_template(stream)
            continue
        else:
            try:
                copied = copies[stream.index] = output.add_stream_from_template(stream, opaque=True)
            except (ValueError, AttributeError):
                codec = stream.codec_context.name if stream.codec_context else "of an unknown codec"
                kind = f"{stream.type} stream {stream.index} ({codec})"
                raise ValueError(
                    f"{pathlib.Path(output.name).suffix} cannot hold its {kind}"
                ) from None
        copied.metadata.update(_kept(stream.metadata))
        copied.disposition = stream.disposition
    if chapters := source.chapters():
        output.set_chapters(chapters)
    return video, copies, remarks


def _kept(tags: dict[str, str]) -> dict[str, str]:
    return {
        key: value for key, value in tags.items() if key.lower().split("-")[0] not in _OF_THE_FILE
    }


# Tags that say how the old file was made or how long its streams are
_OF_THE_FILE = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "handler_name",
    "vendor_id",
    "duration",
    "number_of_frames",
    "number_of_bytes",
    "bps",
    "_statistics_tags",
    "_statistics_writing_app",
    "_statistics_writing_date_utc",
}


def join(
    film: Film,
    found: Survey,
    segments: Sequence[pathlib.Path],
    target: pathlib.Path,
    coding: Coding,
) -> None:
    """Write ``target``: the segments one after the other, with the other streams of ``film`` as they are.

    Raises:
        OSError: the disk is full, or the like; ``target`` is not whole then.
    """
    times = [times_of(segment, film) for segment in segments]
    shown = sorted(itertools.chain(*times))
    with open_file(film.path) as source:
        place = sum(stream.index < film.index for stream in source.streams.video)
        with open_file(target, "w", format=container_of(target)) as output:
            video, copies, _ = _streams(source, output, film, coding)
            output.start_encoding()
            packets = itertools.chain.from_iterable(
                packets_of(segment, film) for segment in segments
            )
            enhanced = ((packet, video) for packet in _timed(packets, times, shown, film, found))
            for packet, stream in heapq.merge(
                enhanced, _copied(source, copies), key=lambda pair: _seconds(pair[0])
            ):
                packet.stream = stream
                output.mux(packet)
    _check(target, place, film, shown)
    sync(target)


def _timed(
    packets, times: Sequence[Sequence[int]], shown: Sequence[int], film: Film, found: Survey
) -> Iterator:
    """The packets with the times at which they are to be decoded, in one row over all segments, and their durations.

    A packet is decoded when the one shown ``delay`` places before it is shown. MP4 holds these times alone, and how long each
    is from the next: so the last packet lasts as long as the frame that is shown last, and the ``lead`` of the first ones is
    what the last ones have too little. Then the length of the film is right.
    """
    delay = max(
        (i - rank for its in times for i, rank in enumerate(np.argsort(np.argsort(its)).tolist())),
        default=0,
    )
    last = len(shown) - 1
    lead = shown[last] - shown[last - delay]
    lasting = {time: after - time for time, after in itertools.pairwise(shown)} | found.durations
    usual = max(1, (shown[last] - shown[0]) // max(1, last))
    rest = film.length - (
        shown[last] - shown[0]
    )  # files of cut films may say the length before the cut
    lasting[shown[last]] = (
        max(1, rest) if 0 <= rest < 3 * usual else lasting.get(shown[last], usual)
    )
    for i, packet in enumerate(packets):
        packet.dts = shown[i - delay] if i >= delay else shown[0] - lead * (delay - i) // delay
        packet.duration = lasting[shown[last] if i == last else packet.pts]
        yield packet


def _copied(source, copies: dict) -> Iterator[tuple]:
    """The packets of the other streams, and where they go."""
    streams = [source.streams[index] for index in copies]
    for packet in source.demux(streams) if streams else ():
        if packet.size:
            yield packet, copies[packet.stream_index]


def _seconds(packet: "av.Packet") -> float:
    time = packet.dts if packet.dts is not None else packet.pts
    return float(time * packet.time_base) if time is not None else float("-inf")


def _check(path: pathlib.Path, place: int, film: Film, shown: Sequence[int]) -> None:
    """Read what was written: every frame must be there once, at its time. A container may shift all times alike."""
    with contextlib.suppress(av.error.FFmpegError, IndexError), open_file(path) as container:
        stream = container.streams.video[place]
        found = sorted(packet.pts for packet in container.demux(stream) if packet.size)
        tick = max(stream.time_base, film.time_base)
        moved = [
            abs((a - found[0]) * stream.time_base - (b - shown[0]) * film.time_base)
            for a, b in zip(found, shown)
        ]
        if len(found) == len(shown) and max(moved) <= tick:
            return
    raise OSError(None, DIFFERS)
