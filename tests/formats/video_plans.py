"""Random plans of small videos: which container, codecs, times, streams and tags.

A plan is a function of the seed and the number. Numbers go through all output containers and all
of ``FOCI`` in turn, so that a run of some hundred videos meets each kind with each container; what
else a video holds is drawn at random.
"""

import random
from typing import NamedTuple

# Output suffixes, each with codecs for the enhanced video. "h264 0" and "ffv1" are lossless.
OUTPUTS = {
    ".mp4": ("h264 0", "h264 0", "auto", "hevc"),
    ".mov": ("h264 0", "h264 0", "auto"),
    ".mkv": ("ffv1", "ffv1", "ffv1", "h264 0", "auto", "av1"),
    ".webm": ("auto", "auto", "av1"),
    ".ts": ("h264 0", "h264 0", "auto"),
}
# Codecs of the input: the pixel formats to draw from
VIDEO = {
    "h264": ("yuv420p", "yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"),
    "h264 rgb": ("rgb24",),
    "hevc": ("yuv420p", "yuv420p10le", "yuv422p10le", "yuv444p12le", "gray"),
    "mpeg1": ("yuv420p",),
    "mpeg2": ("yuv420p", "yuv422p"),
    "mpeg4": ("yuv420p",),
    "vp8": ("yuv420p",),
    "vp8 alpha": ("yuva420p",),
    "vp9": ("yuv420p", "yuv444p"),
    "vp9 alpha": ("yuva420p",),
    "av1": ("yuv420p", "yuv420p10le"),
    "ffv1": ("yuv420p", "yuv422p10le", "yuv444p", "yuv444p16le", "gray", "gray10le", "yuv440p"),
    "ffv1 rgb": ("bgr0", "gbrp10le"),
    "ffv1 alpha": ("yuva444p", "yuva420p10le", "bgra"),
    "prores": ("yuv422p10le",),
    "prores alpha": ("yuva444p10le",),
    "mjpeg": ("yuvj420p", "yuvj422p", "yuvj444p"),
    "png": ("rgb24", "rgba", "gray", "rgb48be"),
    "qtrle": ("argb", "rgb24"),
    "v210": ("yuv422p10le",),
    "cfhd": ("yuv422p10le",),
    "dnxhd": ("yuv422p",),
    "jpeg2000": ("yuv420p", "yuv444p"),
    "huffyuv": ("yuv422p", "rgb24"),
    "utvideo": ("yuv420p", "gbrp"),
    "raw": ("yuv420p", "bgr24"),
    "wmv1": ("yuv420p",),
    "wmv2": ("yuv420p",),
    "msmpeg4": ("yuv420p",),
    "flv1": ("yuv420p",),
    "h263": ("yuv420p",),
    "gif": ("rgb8",),
    "apng": ("rgba",),
}
# Codecs whose encoders and containers allow a frame at any time
ANY_TIME = ("h264", "hevc", "vp8", "vp9", "av1", "ffv1", "prores", "png", "mjpeg")
MP4_AUDIO = ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac")
MKV_AUDIO = (
    *("aac", "mp3", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "mp2"),
    *("pcm_s16le", "pcm_s24le", "pcm_f32le", "wavpack", "tta"),
)
TAGGED = ("tags", "language")
MOVIE = ("cover", "chapters", "rotation", "aspect", "colours", *TAGGED)
MATROSKA = ("cover", "font", "chapters", "rotation", "aspect", "colours", "forced", *TAGGED)


class Container(NamedTuple):
    """What an input container may hold.

    Attributes:
        video: Keys of ``VIDEO``.
        audio: Codecs of audio.
        texts: Codecs of subtitles.
        extras: What else.
        times: Kinds of times besides constant ones.
    """

    video: tuple[str, ...]
    audio: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


FREE = ("variable", "gap", "late video", "late sound")
STREAMED = (*FREE, "restart")
SEI = ("captions", "AFD", "HDR", "interlaced")
INPUTS = {
    ".mp4": Container(
        ("h264", "hevc", "mpeg4", "av1", "vp9"), MP4_AUDIO, ("mov_text",), (*MOVIE, *SEI), FREE
    ),
    ".m4v": Container(("h264", "mpeg4"), ("aac", "ac3"), ("mov_text",), MOVIE, FREE),
    ".mov": Container(
        ("h264", "hevc", "prores", "prores alpha", "mjpeg", "png", "qtrle", "v210", "cfhd"),
        ("aac", "alac", "pcm_s16le", "pcm_s24be", "pcm_f32le", "pcm_mulaw", "adpcm_ima_qt"),
        ("mov_text",),
        (*MOVIE, *SEI, "timecode"),
        FREE,
    ),
    ".mkv": Container(
        (
            *("h264", "h264 rgb", "hevc", "mpeg2", "mpeg4", "vp8", "vp9", "av1", "mjpeg"),
            *("ffv1", "ffv1 rgb", "ffv1 alpha", "jpeg2000"),
        ),
        MKV_AUDIO,
        ("srt", "ass", "webvtt", "pgs"),
        (*MATROSKA, *SEI, "second video"),
        FREE,
    ),
    ".webm": Container(
        ("vp8", "vp9", "vp8 alpha", "vp9 alpha", "av1"),
        ("opus", "vorbis"),
        ("webvtt",),
        ("chapters", "colours", "aspect", *TAGGED),
        FREE,
    ),
    ".avi": Container(
        ("mpeg4", "mjpeg", "ffv1", "huffyuv", "utvideo", "raw"),
        ("mp3", "mp2", "ac3", "pcm_s16le", "pcm_u8", "adpcm_ms"),
        extras=("tags",),
    ),
    ".ts": Container(
        ("h264", "hevc", "mpeg2"),
        ("aac", "mp2", "mp3", "ac3", "eac3", "opus"),
        ("dvb",),
        ("captions", "AFD", "data", "language", "interlaced", "aspect"),
        STREAMED,
    ),
    ".m2ts": Container(("h264", "mpeg2"), ("ac3", "pcm_bluray"), (), ("captions",), STREAMED),
    ".mts": Container(("h264",), ("ac3", "pcm_bluray"), (), ("interlaced",), FREE),
    ".mpg": Container(("mpeg1", "mpeg2"), ("mp2", "ac3"), times=("restart",)),
    ".vob": Container(("mpeg2",), ("mp2", "ac3", "pcm_dvd"), (), ("aspect",), ("restart",)),
    ".flv": Container(
        ("flv1", "h264"), ("mp3", "aac", "nellymoser", "adpcm_swf", "pcm_s16le"), (), ("tags",)
    ),
    ".wmv": Container(("wmv1", "wmv2", "msmpeg4"), ("wmav1", "wmav2"), (), ("tags",)),
    ".3gp": Container(("h263", "mpeg4", "h264"), ("amr_nb", "aac"), (), ("rotation",)),
    ".ogv": Container(("vp8",), ("vorbis", "flac", "opus"), (), ("tags",)),
    ".mxf": Container(("mpeg2", "dnxhd", "jpeg2000", "prores"), ("pcm_s16le", "pcm_s24le")),
    ".gif": Container(("gif",)),
    ".apng": Container(("apng",)),
}


def _foci() -> list[tuple[str, str]]:
    """What a video can be about: a kind of property and one of its values."""
    found: dict[tuple[str, str], None] = {}
    for container in INPUTS.values():
        for kind in ("video", "audio", "texts", "extras", "times"):
            found |= dict.fromkeys((kind, value) for value in getattr(container, kind))
    odd = ("odd size", "full range", "two tracks", "narrow HEVC")
    return [*found, *(("odd", value) for value in odd)]


FOCI = _foci()


class Sound(NamedTuple):
    """A track of audio: its codec, samples per second, channels and language."""

    codec: str
    rate: int
    layout: str
    language: str


class VideoPlan(NamedTuple):
    """A random video, and how to enhance it.

    Attributes:
        number: Of the plan.
        focus: One of ``FOCI``.
        suffix: Of the input.
        codec: A key of ``VIDEO``.
        pixels: FFmpeg's name of the pixel format.
        size: Width and height.
        count: The number of frames.
        rate: Frames per second: numerator and denominator.
        times: "constant", or one of the kinds in ``INPUTS``.
        sounds: The tracks of audio.
        texts: The codecs of the subtitles.
        extras: What else it holds.
        full: Whether samples use the full range.
        output: The suffix of the output.
        coding: One of the values of ``OUTPUTS``.
        model: The weights.
    """

    number: int
    focus: tuple[str, str]
    suffix: str
    codec: str
    pixels: str
    size: tuple[int, int]
    count: int
    rate: tuple[int, int]
    times: str
    sounds: tuple[Sound, ...]
    texts: tuple[str, ...]
    extras: tuple[str, ...]
    full: bool
    output: str
    coding: str
    model: str

    def __str__(self) -> str:
        width, height = self.size
        parts = [
            f"{self.suffix} to {self.output} ({self.coding})",
            f"{self.codec} {self.pixels} {width}x{height} {self.count} frames {self.times}",
            *(f"{s.codec} {s.rate} {s.layout}" for s in self.sounds),
            *self.texts,
            *self.extras,
        ]
        return ", ".join(parts) + (", full range" if self.full else "")

    def flags(self) -> list[str]:
        """Flags of the command."""
        codec, _, crf = self.coding.partition(" ")
        return [f"--codec={codec}", f"--model={self.model}"] + ([f"--crf={crf}"] if crf else [])


def video_plan(number: int, seed: int) -> VideoPlan:
    """The plan with a number; the same for the same arguments."""
    draw = random.Random(f"video {seed} {number}")
    outputs = list(OUTPUTS)
    order = list(range(len(FOCI)))
    random.Random(seed).shuffle(order)
    output = outputs[number % len(outputs)]
    focus = FOCI[order[number // len(outputs) % len(order)]]
    kind, value = focus
    fitting = [
        suffix
        for suffix, container in INPUTS.items()
        if kind == "odd"
        and suffix in (".mkv", ".mov")
        or kind != "odd"
        and value in getattr(container, kind)
    ]
    suffix = draw.choice(fitting)
    container = INPUTS[suffix]
    times = _times(draw, container, focus)
    codec = _codec(draw, container, focus, times)
    extras = _extras(draw, container, focus, codec)
    if "HDR" in extras:
        codec = "hevc"
    pixels = draw.choice(VIDEO[codec])
    if "HDR" in extras:
        pixels = "yuv420p10le"
    if {"captions", "AFD", "interlaced"} & set(extras):
        codec, pixels = "h264", "yuv420p"
    sounds = _sounds(draw, container, focus, times)
    coding = "hevc" if value == "narrow HEVC" else draw.choice(OUTPUTS[output])
    return VideoPlan(
        number=number,
        focus=focus,
        suffix=suffix,
        codec=codec,
        pixels=pixels,
        size=_size(draw, codec, value, coding),
        count=draw.randint(6, 16),
        rate=draw.choice(((25, 1), (30000, 1001), (24, 1), (50, 1))),
        times=times,
        sounds=sounds,
        texts=_texts(draw, container, focus),
        extras=extras,
        full=value == "full range" or draw.random() < 0.1,
        output=output,
        coding=coding,
        model="residual1" if draw.random() < 0.2 else "luma-small",
    )


def _times(draw: random.Random, container: Container, focus: tuple[str, str]) -> str:
    kind, value = focus
    if kind == "times":
        return value
    return draw.choice(("constant", *container.times)) if draw.random() < 0.3 else "constant"


def _codec(draw: random.Random, container: Container, focus: tuple[str, str], times: str) -> str:
    kind, value = focus
    if kind == "video":
        return value
    choice = [codec for codec in container.video if "alpha" not in codec and codec != "h264 rgb"]
    if value == "odd size":
        choice = [codec for codec in choice if codec in ("ffv1", "png", "vp9", "qtrle")]
    if times in ("variable", "gap"):
        choice = [codec for codec in choice if codec in ANY_TIME]
    if times == "restart" and "mpeg2" in choice:
        choice = [codec for codec in choice if codec in ("mpeg1", "mpeg2", "h264")]
    return draw.choice(choice)


def _extras(
    draw: random.Random, container: Container, focus: tuple[str, str], codec: str
) -> tuple[str, ...]:
    kind, value = focus
    common = [extra for extra in container.extras if extra not in (*SEI, "second video", "data")]
    found = {extra for extra in common if draw.random() < 0.15}
    if kind == "extras":
        found.add(value)
    if codec in ("ffv1 rgb", "h264 rgb", "png", "qtrle", "huffyuv", "utvideo", "raw"):
        found.discard("colours")
    return tuple(sorted(found))


def _size(draw: random.Random, codec: str, value: str, coding: str) -> tuple[int, int]:
    if codec == "h263":
        return 176, 144
    if codec == "dnxhd":
        return 256, 120
    if value == "odd size":
        return 51, 37
    if value == "narrow HEVC" and codec not in ("hevc", "v210", "cfhd"):
        return 48, 32
    # libx265 writes beyond its memory where frames are narrower than 56 pixels, which may end the
    # process at any later time. So no other video is, where the output may be HEVC.
    may_be_hevc = coding in ("hevc", "auto") or codec in ("hevc", "v210", "cfhd")
    small = () if may_be_hevc else ((48, 32),)
    return draw.choice((*small, (64, 48), (80, 64), (96, 64)))


def _sounds(
    draw: random.Random, container: Container, focus: tuple[str, str], times: str
) -> tuple[Sound, ...]:
    kind, value = focus
    if not container.audio:
        return ()
    count = draw.choice((0, 1, 1, 1, 2))
    if kind == "audio" or times in ("late sound", "restart"):
        count = max(count, 1)
    if value == "two tracks":
        count = 2
    if container is INPUTS[".flv"]:
        count = min(count, 1)
    codecs = [draw.choice(container.audio) for _ in range(count)]
    if kind == "audio":
        codecs[-1] = value
    only = 44100 if container is INPUTS[".flv"] else 0
    return tuple(
        Sound(
            codec,
            only or _rate(draw, codec),
            _layout(draw, codec),
            draw.choice(("deu", "fra", "jpn")),
        )
        for codec in codecs
    )


def _rate(draw: random.Random, codec: str) -> int:
    if codec in ("pcm_mulaw", "amr_nb"):
        return 8000
    if codec in ("nellymoser", "adpcm_swf", "wmav1", "wmav2", "adpcm_ms", "adpcm_ima_qt"):
        return 44100
    if codec in ("aac", "flac", "alac", "mp3", "vorbis"):
        return draw.choice((44100, 48000))
    return 48000


def _layout(draw: random.Random, codec: str) -> str:
    if codec in ("pcm_mulaw", "amr_nb", "nellymoser", "adpcm_ima_qt", "adpcm_swf"):
        return "mono"
    if codec in ("aac", "ac3", "flac") and draw.random() < 0.2:
        return "5.1"
    return (
        "stereo"
        if codec in ("vorbis", "pcm_bluray", "pcm_dvd")
        else draw.choice(("mono", "stereo", "stereo"))
    )


def _texts(draw: random.Random, container: Container, focus: tuple[str, str]) -> tuple[str, ...]:
    kind, value = focus
    found = [text for text in container.texts if draw.random() < 0.15]
    if kind == "texts":
        found = [value, *(text for text in found if text != value)]
    return tuple(found)
