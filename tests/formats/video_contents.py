"""Reads everything that a video holds with PyAV alone, to compare an input with its output."""

import pathlib
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

COVER = av.stream.Disposition.attached_pic
SAME_LANGUAGE = {"ger": "deu", "fre": "fra", "dut": "nld"}


class Track(NamedTuple):
    """A stream with its packets.

    Attributes:
        kind: "video", "audio", "subtitle", "data" or "attachment".
        number: Of the stream.
        codec: FFmpeg's name; empty if it does not know it.
        packets: Each is the seconds at which it begins, or None, and its bytes.
        tick: The unit of its times in seconds.
        language: Of three letters; empty if there is none.
        tags: Of the stream, with lower keys.
        cover: Whether it is a cover.
        name: Of an attachment.
    """

    kind: str
    number: int
    codec: str
    packets: list[tuple[Fraction | None, bytes]]
    tick: Fraction
    language: str
    tags: dict[str, str]
    cover: bool
    name: str = ""

    @property
    def payload(self) -> bytes:
        """All bytes, as one; containers cut PCM into packets as they like."""
        return b"".join(_bare(data, self.codec) for _, data in self.packets)


def _bare(data: bytes, codec: str) -> bytes:
    """A packet without the header that a transport stream puts before each frame of AAC."""
    if codec == "aac" and len(data) > 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data


class VideoContents(NamedTuple):
    """What a video holds.

    Attributes:
        tracks: All streams.
        main: That of the video.
        frames: The decoded frames.
        tags: Of the file, with lower keys.
        chapters: Seconds and title of each.
        aspect: Width of a pixel over its height; 1 if nothing is said.
    """

    tracks: list[Track]
    main: Track
    frames: list[av.VideoFrame]
    tags: dict[str, str]
    chapters: list[tuple[Fraction, str]]
    aspect: Fraction

    def of_kind(self, kind: str) -> list[Track]:
        """The streams of a kind; neither covers nor the main video."""
        return [
            track
            for track in self.tracks
            if track.kind == kind and not track.cover and track is not self.main
        ]

    def covers(self) -> list[Track]:
        """The covers, however they are stored."""
        return [track for track in self.tracks if track.cover]

    def side_data(self, *names: str) -> list[bytes]:
        """The side data of these types of all frames."""
        found = []
        for frame in self.frames:
            found += [bytes(data) for data in frame.side_data if data.type.name in names]
        return found

    def colours(self) -> tuple[int, int, int, int]:
        """Range, matrix, primaries and transfer of the first frame."""
        first = self.frames[0]
        full = first.format.name.startswith("yuvj")
        return (
            2 if full else int(first.color_range),
            int(first.colorspace),
            int(first.color_primaries),
            int(first.color_trc),
        )

    def times(self) -> list[Fraction]:
        """Seconds of the frames."""
        return [frame.pts * frame.time_base for frame in self.frames]


def read_video(path: pathlib.Path) -> VideoContents:
    """Read the video at ``path``; raises what PyAV raises."""
    with av.open(str(path), metadata_errors="replace") as container:
        tracks = [_track(stream) for stream in container.streams]
        for packet in container.demux():
            if packet.size:
                time = packet.pts if packet.pts is not None else packet.dts
                seconds = None if time is None else time * packet.time_base
                tracks[packet.stream_index].packets.append((seconds, bytes(packet)))
        tags = {key.lower(): value for key, value in container.metadata.items()}
        chapters = [
            (chapter["start"] * chapter["time_base"], chapter["metadata"].get("title", ""))
            for chapter in container.chapters()
        ]
    main = next(track for track in tracks if track.kind == "video" and not track.cover)
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams[main.number]
        aspect = stream.sample_aspect_ratio or Fraction(1)
        frames = list(container.decode(stream))
    return VideoContents(tracks, main, frames, tags, chapters, aspect)


def _track(stream) -> Track:
    context = getattr(stream, "codec_context", None)
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    language = tags.get("language", "")
    attachment = stream.type == "attachment"
    return Track(
        kind=stream.type,
        number=stream.index,
        codec=context.name if context else "",
        packets=[(None, bytes(stream.data))] if attachment and stream.data else [],
        tick=stream.time_base or Fraction(1, 1000),
        language="" if language == "und" else SAME_LANGUAGE.get(language, language),
        tags=tags,
        cover=bool(stream.disposition & COVER),
        name=stream.name if attachment else "",
    )


def rows_of(frame: av.VideoFrame) -> list[np.ndarray]:
    """The rows of each plane as bytes, without what fills them up."""
    wide = 2 if max(component.bits for component in frame.format.components) > 8 else 1
    planar = len(frame.planes) > 1 or len(frame.format.components) == 1
    components = 1 if planar else frame.format.padded_bits_per_pixel // (8 * wide)
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
        found.append(np.ascontiguousarray(rows[:, : plane.width * wide * components]))
    return found


def identical(one: av.VideoFrame, two: av.VideoFrame) -> bool:
    """Whether two frames of one format have the same samples."""
    return all(map(np.array_equal, rows_of(one), rows_of(two)))


def likeness(one: av.VideoFrame, two: av.VideoFrame) -> float:
    """PSNR in dB of two frames of any formats, as colours."""
    difference = _rgb(one).astype(float) - _rgb(two)
    return float(10 * np.log10(255**2 / max(np.mean(difference**2), 1e-6)))


def _rgb(frame: av.VideoFrame) -> np.ndarray:
    full = frame.color_range == 2 or frame.format.name.startswith("yuvj")
    same = "JPEG" if full or frame.format.is_rgb else "MPEG"
    changed = frame.reformat(
        format="rgb24", src_colorspace="ITU709", src_color_range=same, dst_color_range="JPEG"
    )
    return changed.to_ndarray()


def alpha_of(path: pathlib.Path, contents: VideoContents) -> np.ndarray | None:
    """The transparency of the first frame, [H, W] from 0 to 1; None if the video has none."""
    first = contents.frames[0]
    if "a" in "".join(_names(first)):
        return _alpha(first)
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(contents.main.codec)
    if name is None:
        return None
    decoder = av.CodecContext.create(name, "r")
    decoder.thread_count = 1
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams[contents.main.number]):
            for frame in decoder.decode(packet):
                return _alpha(frame) if "a" in "".join(_names(frame)) else None
    return None


def _names(frame: av.VideoFrame) -> list[str]:
    return ["a" for component in frame.format.components if component.is_alpha]


def _alpha(frame: av.VideoFrame) -> np.ndarray:
    return frame.reformat(format="rgba64le").to_ndarray()[..., 3] / 65535
