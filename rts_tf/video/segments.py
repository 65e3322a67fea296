"""Writes and reads segments: files that hold a few encoded frames, to be joined to a video later.

A segment is a NUT file, FFmpeg's own container, which keeps every time exactly. It begins with a
key frame, and nothing is encoded again when segments are joined.
"""

import os
import pathlib
from collections.abc import Iterable, Iterator

import av
from av.packet import Packet
from av.video.stream import VideoStream

from rts_tf.storage import atomic_path
from rts_tf.video.alpha import with_alpha_behind, with_alpha_beside
from rts_tf.video.container import open_input, open_output
from rts_tf.video.encoders import Coding, Packer, add_video
from rts_tf.video.info import VideoInfo
from rts_tf.video.reader import Frame

# The earliest time in seconds at which a video may begin. This much is added to the times of a
# segment so that none of them is negative, since FFmpeg would shift them all.
EARLIEST = -60
DIFFERS = "what was read back is not what was written"


def write_segment(
    path: pathlib.Path,
    info: VideoInfo,
    coding: Coding,
    global_header: bool,
    frames: Iterable[Frame],
) -> None:
    """Encode ``frames`` into a file that is whole or not there.

    Args:
        path: The file.
        info: The video that the frames are of.
        coding: How to encode them.
        global_header: Whether the header of the encoder is stored once in front of the stream, and
            not with every key frame.
        frames: In the order in which they are shown.

    Raises:
        OSError: The file cannot be written, or its frames are not those that were written.
    """
    times: list[int] = []
    with atomic_path(path) as temporary:
        with open_output(temporary, "nut") as container:
            stream = add_video(container, info, coding, global_header)
            for i, packet in enumerate(_encoded(stream, info, frames, times)):
                packet.dts = i  # x265 gives none to the first two; ``join`` makes new ones
                if _alpha_beside_packets(info, stream):
                    packet = with_alpha_behind(packet)
                    packet.stream = stream
                container.mux(packet)
        if sorted(times_of(temporary, info)) != times:
            raise OSError(None, DIFFERS)


def _encoded(
    stream: VideoStream, info: VideoInfo, frames: Iterable[Frame], times: list[int]
) -> Iterator[Packet]:
    """The packets of the encoded ``frames``; their times are appended to ``times``."""
    packed = Packer(info)
    for frame in frames:
        times.append(frame.time)
        yield from stream.encode(packed(frame, _delay(info)))
    yield from stream.encode(None)


def _alpha_beside_packets(info: VideoInfo, stream: VideoStream) -> bool:
    return info.alpha and stream.codec_context.codec.canonical_name == "vp9"


def _delay(info: VideoInfo) -> int:
    return round(-EARLIEST / info.time_base)


def packets_of(path: str | os.PathLike, info: VideoInfo) -> Iterator[Packet]:
    """The packets of a segment, with their times in the video.

    Raises:
        av.error.FFmpegError: The file is not a segment.
    """
    with open_input(path, "nut") as container:
        behind = _alpha_beside_packets(info, container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.size:
                seconds = packet.pts * packet.time_base
                if behind:
                    packet = with_alpha_beside(packet)
                packet.pts = round(seconds / info.time_base) - _delay(info)
                packet.time_base = info.time_base
                yield packet


def times_of(path: str | os.PathLike, info: VideoInfo) -> list[int]:
    """The times of the frames of a segment, in the order in which they are encoded.

    The list is empty if the file is not there, or is not a segment.
    """
    try:
        return [packet.pts for packet in packets_of(path, info) if packet.pts is not None]
    except av.error.FFmpegError:
        return []
