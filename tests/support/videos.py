"""Makes short videos of a moving image, and reads what a video holds."""

import pathlib
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from skimage import data

TICK = Fraction(1, 90000)
NTSC = Fraction(30000, 1001)


def make(
    path: pathlib.Path,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    count: int = 11,
    size: tuple[int, int] = (128, 64),
    audio: str = "",
    layout: str = "stereo",
    rate: int = 48000,
    variable: bool = False,
    rotation: int = 0,
    full: bool = False,
    matrix: int = 1,
    subtitles: bool = False,
    options: dict | None = None,
) -> pathlib.Path:
    """Write a video of a window that moves over the sample image of a cat.

    Args:
        path: The file.
        codec: FFmpeg's name of the encoder.
        pixels: FFmpeg's name of the pixel format.
        count: The number of frames.
        size: Width and height. The image is repeated if it is too small.
        audio: FFmpeg's name of an encoder, "" for none.
        layout: Of the audio.
        rate: Of the audio.
        variable: Whether the frame rate is variable.
        rotation: Degrees.
        full: Whether samples use the full range of levels.
        matrix: AVColorSpace, and likewise the number of the primaries and the transfer function.
        subtitles: Whether there are subtitles and a chapter.
        options: Of the encoder.
    """
    (width, height), image = size, data.chelsea()
    rows = -(-(height + 4 * count) // image.shape[0])
    columns = -(-(width + 2 * count) // image.shape[1])
    image = np.tile(image, (rows, columns, 1))
    options = {"crf": "10", "preset": "veryfast"} if options is None else options
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=NTSC, width=width, height=height, options=options)
        context = video.codec_context
        context.pix_fmt, video.time_base = pixels, TICK
        context.time_base = 1 / NTSC if codec == "mpeg2video" else TICK
        context.color_range, context.colorspace = 2 if full else 1, matrix
        context.color_primaries, context.color_trc = matrix, matrix
        video.metadata["language"] = "deu"
        container.metadata["title"] = "a cat"
        if rotation:
            video.set_display_rotation(rotation)
        sound = container.add_stream(audio, rate=rate, layout=layout) if audio else None
        if audio.startswith("wma"):
            sound.bit_rate = 128_000  # these encoders have no default
        text = container.add_mux_stream("subrip") if subtitles else None
        time = 0
        for i in range(count):
            window = image[4 * i : 4 * i + height, 2 * i : 2 * i + width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(window), "rgb24")
            frame = frame.reformat(
                format=pixels, dst_colorspace="ITU709", dst_color_range="JPEG" if full else "MPEG"
            )
            frame.pts, frame.time_base = time, TICK
            container.mux(video.encode(frame))
            time += (1 + i % 3 if variable else 1) * 3003
        container.mux(video.encode(None))
        if sound:
            _write_tone(container, sound, layout, float(time * TICK))
        if text:
            _write_text(container, text)
    return path


def _write_text(container, text) -> None:
    """Write two subtitles and a chapter."""
    millisecond = Fraction(1, 1000)
    chapter = {"id": 1, "start": 0, "end": 200, "time_base": millisecond}
    container.set_chapters([chapter | {"metadata": {"title": "one"}}])
    for i in range(2):
        packet = av.Packet(f"line {i}".encode())
        packet.stream, packet.time_base = text, millisecond
        packet.pts = packet.dts = 100 * i
        packet.duration = 80
        container.mux(packet)


def _write_tone(container, sound, layout: str, seconds: float) -> None:
    rate = sound.rate
    wave = (0.3 * np.sin(np.arange(int(rate * seconds)) / 20)).astype(np.float32)
    for start in range(0, len(wave) - 1023, 1024):
        samples = np.stack([wave[start : start + 1024]] * (1 if layout == "mono" else 2))
        frame = av.AudioFrame.from_ndarray(samples, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))


class Contents(NamedTuple):
    """What must be the same in a video and its enhanced copy.

    Attributes:
        streams: Type, codec (but for the video), language and duration of each stream.
        duration: Microseconds.
        copied: Times and bytes of the packets of all streams but the video.
        times: Seconds, of the frames.
        kind: Size, range, colours, rotation, and the aspect of a pixel.
        title: The tag.
        chapters: Start, end and tags of each.
    """

    streams: list[tuple]
    duration: int
    copied: list[list[tuple]]
    times: list[Fraction]
    kind: tuple
    title: str
    chapters: list[tuple]


def contents(path: pathlib.Path) -> Contents:
    """Read what must be kept."""
    with av.open(str(path)) as container:
        streams = [
            (
                s.type,
                s.type == "video" or s.codec_context.name,
                s.language,
                s.duration and s.duration * s.time_base,
            )
            for s in container.streams
        ]
        packets = [[] for _ in streams]
        for packet in container.demux():
            if packet.size and packet.stream.type != "video":
                packets[packet.stream_index].append((packet.pts * packet.time_base, bytes(packet)))
        duration, title = container.duration, container.metadata.get("title", "")
        chapters = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"])
            for c in container.chapters()
        ]
    with av.open(str(path)) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
        frames = list(container.decode(video=0))
    first = frames[0]
    colours = first.color_range, first.colorspace, first.color_primaries, first.color_trc
    kind = first.width, first.height, *colours, first.rotation
    return Contents(
        streams,
        duration,
        packets,
        [f.pts * f.time_base for f in frames],
        (*kind, aspect),
        title,
        chapters,
    )


def planes(path: pathlib.Path) -> list[np.ndarray]:
    """Decode the frames as they are stored, e.g. [3H/2, W] for 4:2:0."""
    with av.open(str(path)) as container:
        return [_samples(frame) for frame in container.decode(video=0)]


def _samples(frame: av.VideoFrame) -> np.ndarray:
    if frame.format.name != "yuv420p10le":
        return frame.to_ndarray()
    # PyAV 17.1 makes no array of this format.
    parts = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint16).reshape(plane.height, plane.line_size // 2)
        parts.append(rows[:, : plane.width].ravel())
    return np.concatenate(parts).reshape(-1, frame.width)


def pixel_format(path: pathlib.Path) -> str:
    """FFmpeg's name of the pixel format."""
    with av.open(str(path)) as container:
        return container.streams.video[0].format.name


def codec(path: pathlib.Path) -> str:
    """FFmpeg's name of the decoder."""
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.name
