"""Makes the small videos of random plans with FFmpeg's own encoders and containers."""

import io
import pathlib
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from PIL import Image

from rts_tf.video.scheduling import usual_scheduling
from tests.formats.sei import afd_message, caption_message, with_message
from tests.formats.video_plans import ANY_TIME, Sound, VideoPlan

TICK = Fraction(1, 90000)
GAP, LATE = Fraction(2), Fraction(1, 2)  # seconds
FAST = {"deadline": "realtime", "cpu-used": "8"}
PQ = (
    "log-level=none:repeat-headers=1:hdr10=1:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):"
    "max-cll=1000,400"
)
# FFmpeg's encoders by the names in ``VIDEO``, with options
ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"crf": "12", "preset": "veryfast"}),
    "h264 rgb": ("libx264rgb", {"crf": "12", "preset": "veryfast"}),
    "hevc": ("libx265", {"crf": "12", "preset": "ultrafast", "x265-params": "log-level=none"}),
    "mpeg1": ("mpeg1video", {"qscale": "3"}),
    "mpeg2": ("mpeg2video", {"qscale": "3"}),
    "mpeg4": ("mpeg4", {"qscale": "3"}),
    "vp8": ("libvpx", FAST),
    "vp8 alpha": ("libvpx", FAST | {"auto-alt-ref": "0"}),
    "vp9": ("libvpx-vp9", FAST | {"crf": "20"}),
    "vp9 alpha": ("libvpx-vp9", FAST | {"auto-alt-ref": "0"}),
    "av1": ("libsvtav1", {"preset": "12", "crf": "20"}),
    "prores": ("prores_ks", {}),
    "prores alpha": ("prores_ks", {"profile": "4444"}),
    "dnxhd": ("dnxhd", {"profile": "dnxhr_hq"}),
    "raw": ("rawvideo", {}),
    "flv1": ("flv", {}),
}
AUDIO = {"mp3": "libmp3lame", "opus": "libopus", "amr_nb": "libopencore_amrnb"}
FORMATS = {".m4v": "mp4", ".vob": "vob", ".mpg": "mpeg", ".apng": "apng", ".mts": "mpegts"}
OPTIONS = {
    ".mp4": {"movflags": "use_metadata_tags"},
    ".mov": {"movflags": "use_metadata_tags"},
    ".m2ts": {"mpegts_m2ts_mode": "1"},
    ".mts": {"mpegts_m2ts_mode": "1"},
}
TAGS = {"title": "a title", "artist": "somebody", "comment": "no comment"}
OWN_TAGS = {
    ".mov": {"com.apple.quicktime.make": "Maker"},
    ".mp4": {"com.android.version": "14"},
    ".mkv": {"MY_OWN_TAG": "a value"},
    ".webm": {"MY_OWN_TAG": "a value"},
}
CHAPTERS = ("beginning", "end")
FONT = b"\0\1\0\0" + bytes(range(200))
PGS = b"\x80\0\0"  # the segment that ends a set
DVB = b"\x0f\x10\0\1\0\2\5\0\x0f\x80\0\1\0\0"
DATA = b"\x06\x0e\x2b\x34 some data"
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment
Style: Default,Arial,16,&Hffffff,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
BT2020, PQ_TRANSFER = 9, 16


class Truth(NamedTuple):
    """What a video was made of.

    Attributes:
        times: Seconds of each frame after the first.
        texts: For each stream of subtitles: pairs of seconds after time 0 of the plan and text.
        start: The time of the first frame in seconds, where the clock of the plan begins at 0.
    """

    times: list[Fraction]
    texts: list[list[tuple[Fraction, str]]]
    start: Fraction


def cover() -> bytes:
    """The JPEG file of a cover."""
    file = io.BytesIO()
    Image.new("RGB", (16, 8), (200, 20, 20)).save(file, "JPEG")
    return file.getvalue()


def make_video(plan: VideoPlan, path: pathlib.Path) -> Truth:
    """Write the video of ``plan`` to ``path``."""
    times = _times(plan)
    if plan.times != "restart":
        return _make(plan, path, times, 0)
    half = plan.count // 2
    # Recordings joined byte by byte: the second begins with a clock of its own.
    parts = [path.with_name(f"part{i}{plan.suffix}") for i in range(2)]
    texts = []
    for part, first, after in zip(parts, (0, half), (half, plan.count)):
        truth = _make(plan, part, times[: after - first], first)
        texts.append(truth.texts)
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in parts:
        part.unlink()
    moved = [
        [*one, *((time + times[half], text) for time, text in two)] for one, two in zip(*texts)
    ]
    return Truth(times, moved, Fraction(0))


def _times(plan: VideoPlan) -> list[Fraction]:
    """Seconds of the frames after the first."""
    frame = Fraction(plan.rate[1], plan.rate[0])
    steps = [frame * (1 + i % 3 if plan.times == "variable" else 1) for i in range(plan.count)]
    if plan.times == "gap":
        steps[plan.count // 2] += round(GAP / frame) * frame
    return [sum(steps[:i], Fraction(0)) for i in range(plan.count)]


def _make(plan: VideoPlan, path: pathlib.Path, times: list[Fraction], first: int) -> Truth:
    frame = Fraction(plan.rate[1], plan.rate[0])
    start = round(LATE / frame) * frame if plan.times == "late video" else Fraction(0)
    end = times[-1] + frame
    timed: list[tuple[Fraction, av.Packet]] = []
    options = OPTIONS.get(plan.suffix, {})
    with av.open(str(path), "w", format=FORMATS.get(plan.suffix), options=options) as container:
        if "tags" in plan.extras:
            container.metadata.update(TAGS | OWN_TAGS.get(plan.suffix, {}))
        video = _add_video(container, plan)
        sounds = [_add_sound(container, sound) for sound in plan.sounds]
        texts = [_add_text(container, kind) for kind in plan.texts]
        if plan.suffix in (".mkv", ".mp4", ".mov", ".webm", ".ts"):
            for stream, language in zip(texts, ("eng", "spa", "ita", "eng")):
                stream.metadata["language"] = language
        timed += _extra_streams(container, plan)
        for time, image in zip(times, frames(plan, first, len(times))):
            _set_time(image, start + time, video.codec_context.time_base)
            timed += _timed(video.encode(image), plan, frame=True)
        timed += _timed(video.encode(None), plan, frame=True)
        for i, (stream, sound) in enumerate(zip(sounds, plan.sounds)):
            late = LATE if plan.times == "late sound" else Fraction(0)
            timed += [pair for pair in _timed(_encoded(stream, sound, i, late, end + start), plan)]
        said = []
        for i, (stream, kind) in enumerate(zip(texts, plan.texts)):
            lines = [(start + Fraction(j, 10), f"line {j} of track {i}") for j in range(2)]
            timed += [(time, _text_packet(stream, kind, time, text)) for time, text in lines]
            said.append(lines)
        if "chapters" in plan.extras:
            container.set_chapters(_chapters(start, end))
        for _, packet in sorted(timed, key=lambda pair: pair[0]):
            container.mux(packet)
    return Truth(times, said, start)


def _add_video(container, plan: VideoPlan):
    name, options = ENCODERS.get(plan.codec, (plan.codec.split()[0], {}))
    options = dict(options)
    if "HDR" in plan.extras:
        options["x265-params"] = PQ
    if "interlaced" in plan.extras:
        options["x264-params"] = "tff=1"
    (width, height), rate = plan.size, Fraction(*plan.rate)
    video = container.add_stream(name, rate=rate, width=width, height=height, options=options)
    context = video.codec_context
    context.pix_fmt, context.thread_count = plan.pixels, 1  # threads of libvpx wait for each other
    if "qscale" in options:
        context.flags |= 2  # AV_CODEC_FLAG_QSCALE
        context.global_quality = 3 * 118
    free = plan.codec in ANY_TIME and plan.suffix not in (".avi", ".mxf", ".gif", ".ogv")
    context.time_base = TICK if free else 1 / rate
    video.time_base = context.time_base
    if plan.full and not plan.pixels.startswith("yuvj"):
        context.color_range = 2
    if "colours" in plan.extras:
        context.color_primaries, context.color_trc, context.colorspace = 9, 14, 9
    if "HDR" in plan.extras:
        context.color_primaries, context.color_trc, context.colorspace = BT2020, PQ_TRANSFER, 9
    if "aspect" in plan.extras:
        context.sample_aspect_ratio = Fraction(4, 3)
    if "rotation" in plan.extras:
        video.set_display_rotation(90)
    if "language" in plan.extras:
        video.metadata["language"] = "nld"
    if "timecode" in plan.extras:
        video.metadata["timecode"] = "01:00:00:00"
    with usual_scheduling():
        context.open(strict=False)
    return video


def frames(plan: VideoPlan, first: int, count: int) -> Iterator[av.VideoFrame]:
    """Frames of a smooth image that moves; alpha, where there is any, is a slope."""
    (width, height), pixels = plan.size, plan.pixels
    rows, columns = np.mgrid[0:height, 0:width]
    for i in range(first, first + count):
        red = 128 + 90 * np.sin((columns + 3 * i) / 15)
        green = 30 + 180 * rows / height + 2 * i
        blue = 128 + 90 * np.cos((rows + columns - 2 * i) / 20)
        alpha = np.broadcast_to(255 * columns / width, red.shape)
        image = np.stack([red, green, blue, alpha], axis=-1).clip(0, 255).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(image, "rgba")
        full = plan.full or pixels.startswith("yuvj")
        target = "JPEG" if full else "MPEG"
        yield frame.reformat(format=pixels, dst_colorspace="ITU709", dst_color_range=target)


def _set_time(frame, seconds: Fraction, base: Fraction) -> None:
    frame.pts, frame.time_base = round(seconds / base), base


def _timed(packets, plan: VideoPlan, frame: bool = False) -> list[tuple[Fraction, av.Packet]]:
    """Each packet with the seconds by which the streams are interleaved."""
    found = []
    for packet in packets:
        if frame and "captions" in plan.extras:
            packet = with_message(packet, caption_message())
        if frame and "AFD" in plan.extras:
            packet = with_message(packet, afd_message())
        time = packet.dts if packet.dts is not None else packet.pts
        found.append((time * packet.time_base, packet))
    return found


def _add_sound(container, sound: Sound):
    name = AUDIO.get(sound.codec, sound.codec)
    options = {"strict": "-2"} if name == "vorbis" else {}
    stream = container.add_stream(name, rate=sound.rate, layout=sound.layout, options=options)
    if name.startswith("wma"):
        stream.bit_rate = 128000
    kinds = [kind.name for kind in stream.codec_context.codec.audio_formats or ()]
    stream.codec_context.format = "fltp" if "fltp" in kinds else kinds[0] if kinds else "s16"
    stream.metadata["language"] = sound.language
    return stream


def _encoded(stream, sound: Sound, number: int, start: Fraction, end: Fraction) -> Iterator:
    """The packets of a tone, from ``start`` to ``end`` in seconds."""
    context, rate = stream.codec_context, sound.rate
    count = max(4096, int((end - start) * rate))
    wave = 8000 * np.sin(np.arange(count) * (0.05 + 0.02 * number))
    channels = context.layout.nb_channels
    samples = np.repeat(wave.astype(np.int16)[:, None], channels, axis=1).reshape(1, -1)
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "s16", sound.layout)
    whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
    resampler = av.AudioResampler(format=context.format.name, layout=sound.layout, rate=rate)
    queue = av.AudioFifo()
    for part in [*resampler.resample(whole), *resampler.resample(None)]:
        part.pts = None
        queue.write(part)
    context.open(strict=False)
    size, time = context.frame_size or 1024, round(start * rate)
    while (part := queue.read(size, partial=True)) is not None:
        part.pts, part.time_base = time, Fraction(1, rate)
        time += part.samples
        yield from stream.encode(part)
    yield from stream.encode(None)


def _add_text(container, kind: str):
    if kind == "ass":
        with av.open(io.BytesIO(ASS.encode()), format="ass") as script:
            return container.add_stream_from_template(script.streams[0])
    names = {"srt": "subrip", "pgs": "hdmv_pgs_subtitle", "dvb": "dvb_subtitle"}
    return container.add_mux_stream(names.get(kind, kind))


def _text_packet(stream, kind: str, time: Fraction, text: str) -> av.Packet:
    data = text.encode()
    if kind == "mov_text":
        data = struct.pack(">H", len(data)) + data
    elif kind == "ass":
        data = b"%d,0,Default,,0,0,0,,%s" % (round(time * 10), data)
    elif kind in ("pgs", "dvb"):
        data = PGS if kind == "pgs" else DVB
    packet = av.Packet(data)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(time * 1000)
    packet.duration = 80
    packet.is_keyframe = True
    return packet


def _extra_streams(container, plan: VideoPlan) -> list[tuple[Fraction, av.Packet]]:
    """Add a cover, a font, a second video and data, and return their packets."""
    timed = []
    if "cover" in plan.extras and plan.suffix == ".mkv":
        container.add_attachment("cover.jpg", "image/jpeg", cover())
    elif "cover" in plan.extras:
        stream = container.add_mux_stream("mjpeg", width=16, height=8)
        stream.disposition = av.stream.Disposition.attached_pic
        timed.append((Fraction(0), _packet(stream, cover(), Fraction(0))))
    if "font" in plan.extras:
        container.add_attachment("font.ttf", "application/x-truetype-font", FONT)
    if "second video" in plan.extras:
        stream = container.add_stream("mjpeg", rate=25, width=32, height=16)
        stream.codec_context.pix_fmt, stream.codec_context.time_base = "yuvj420p", Fraction(1, 25)
        small = plan._replace(size=(32, 16), pixels="yuvj420p")
        for i, frame in enumerate(frames(small, 0, 5)):
            _set_time(frame, Fraction(i, 25), stream.codec_context.time_base)
            timed += _timed(stream.encode(frame), plan)
        timed += _timed(stream.encode(None), plan)
    if "data" in plan.extras:
        stream = container.add_data_stream("klv")
        timed.append((Fraction(0), _packet(stream, DATA, Fraction(0))))
    return timed


def _packet(stream, data: bytes, time: Fraction) -> av.Packet:
    packet = av.Packet(data)
    packet.stream, packet.time_base, packet.is_keyframe = stream, TICK, True
    packet.pts = packet.dts = round(time / TICK)
    return packet


def _chapters(start: Fraction, end: Fraction) -> list[dict]:
    middle = round((start + end / 2) * 1000)
    bounds = [(round(start * 1000), middle), (middle, round((start + end) * 1000))]
    return [
        {
            "id": i + 1,
            "start": first,
            "end": last,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": CHAPTERS[i]},
        }
        for i, (first, last) in enumerate(bounds)
    ]
