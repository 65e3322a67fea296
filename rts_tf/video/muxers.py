"""What becomes of the streams beside the video, by the container that is written."""

from typing import NamedTuple

import av
from av.audio.stream import AudioStream
from av.stream import Stream

from rts_tf.video.wishes import AUDIO_ENCODERS, AUTO, CONVERT, COPY, NONE, Wishes

# What may become of a stream beside ``COPY``. All other ways are FFmpeg's names of encoders.
ATTACH, LEAVE_OUT = "attach", "leave out"
COVER, CHAPTER = "cover", "chapter"  # kinds of streams beside FFmpeg's types

_NAMES = {
    "aac": "AAC",
    "libopus": "Opus",
    "mov_text": "MP4 text",
    "subrip": "SubRip",
    "webvtt": "WebVTT",
}
_LOSSLESS = {"s302m", "flac", "alac", "wavpack", "tta", "ape", "mlp", "truehd"}
# PCM of as many bits as decoders give, by the format of their samples
_PCM = {
    **dict.fromkeys(("u8", "u8p", "s16", "s16p"), "pcm_s16le"),
    **dict.fromkeys(("s32", "s32p"), "pcm_s24le"),
    **dict.fromkeys(("flt", "fltp"), "pcm_f32le"),
    **dict.fromkeys(("dbl", "dblp"), "pcm_f64le"),
}
_COVER_TYPES = {
    "mjpeg": ("jpg", "image/jpeg"),
    "png": ("png", "image/png"),
    "gif": ("gif", "image/gif"),
    "bmp": ("bmp", "image/bmp"),
    "tiff": ("tif", "image/tiff"),
    "webp": ("webp", "image/webp"),
}


class Muxer(NamedTuple):
    """What a container takes where it cannot hold a stream as it is.

    Attributes:
        audio: The encoders of sound, the best first.
        pcm: Whether it holds PCM, to which sound without loss is converted.
        text: The encoder of subtitles of text; empty if it holds none.
        attachments: Whether it holds attachments, covers among them.
    """

    audio: tuple[str, ...]
    pcm: bool
    text: str
    attachments: bool = False


MUXERS = {
    "mp4": Muxer(("aac", "libopus"), False, "mov_text"),
    "mov": Muxer(("aac",), True, "mov_text"),
    "matroska": Muxer(("aac", "libopus"), True, "subrip", attachments=True),
    "webm": Muxer(("libopus",), False, "webvtt"),
    "mpegts": Muxer(("aac", "libopus"), False, ""),
}


def ways_of(stream: Stream, container: str, wishes: Wishes) -> tuple[str, ...]:
    """What may become of a stream, the best first. If nothing works, the video is refused.

    Args:
        stream: Of the source.
        container: FFmpeg's name of the container that is written.
        wishes: What the user chose.
    """
    muxer, kind = MUXERS[container], kind_of(stream)
    if kind == "audio":
        return _ways_of_audio(stream, muxer, wishes.audio)
    if kind == "subtitle":
        return _ways_of_subtitles(stream, muxer, wishes.subtitles)
    if kind == COVER and muxer.attachments:
        return (ATTACH,)
    if kind == "attachment":
        return (COPY,) if muxer.attachments else (LEAVE_OUT,)
    return (COPY, LEAVE_OUT)


def _ways_of_audio(stream: Stream, muxer: Muxer, wish: str) -> tuple[str, ...]:
    if wish in (COPY, NONE):
        return (COPY,) if wish == COPY else (LEAVE_OUT,)
    if wish != AUTO:
        return (COPY,) if codec_of(stream) == wish else (AUDIO_ENCODERS[wish],)
    ways = [COPY, *muxer.audio]
    if muxer.pcm and (pcm := _pcm_for(stream)):
        ways.insert(1, pcm)
    return tuple(ways)


def _pcm_for(stream: Stream) -> str:
    """The encoder of PCM that keeps every sample of sound without loss, or an empty string."""
    codec = codec_of(stream)
    if not isinstance(stream, AudioStream) or stream.codec_context is None:
        return ""
    if codec not in _LOSSLESS and not codec.startswith("pcm_"):
        return ""
    if "32" in codec and not codec.startswith("pcm_f"):
        return "pcm_s32le"
    return _PCM.get(stream.codec_context.format.name, "")


def _ways_of_subtitles(stream: Stream, muxer: Muxer, wish: str) -> tuple[str, ...]:
    converted = (muxer.text,) if muxer.text else ()
    if wish == CONVERT:
        return (COPY,) if codec_of(stream) == muxer.text else converted
    return {
        COPY: (COPY,),
        NONE: (LEAVE_OUT,),
        AUTO: (COPY, *converted, LEAVE_OUT),
    }[wish]


def kind_of(stream: Stream) -> str:
    """FFmpeg's type of a stream, ``COVER``, or ``CHAPTER`` for the titles of chapters."""
    if stream.disposition & av.stream.Disposition.attached_pic:
        return COVER
    if stream.type == "data" and stream.discard == av.stream.Discard.all:
        return CHAPTER
    return stream.type


def codec_of(stream: Stream) -> str:
    """FFmpeg's name of the codec of a stream; "unknown" if FFmpeg cannot decode it."""
    if stream.codec_context is not None:
        return stream.codec_context.codec.canonical_name
    return (getattr(stream, "name", None) if stream.type == "data" else None) or "unknown"


def name_of(way: str) -> str:
    """The name of what an encoder makes, for messages."""
    return "PCM without loss" if way.startswith("pcm_") else _NAMES.get(way, way)


def file_of_cover(stream: Stream) -> tuple[str, str]:
    """The name and the media type under which a cover is attached."""
    suffix, media_type = _COVER_TYPES.get(codec_of(stream), ("bin", "application/octet-stream"))
    tags = stream.metadata
    return tags.get("filename", f"cover.{suffix}"), tags.get("mimetype", media_type)
