"""Writes a video again without any enhancement, which needs no TensorFlow."""

import pathlib

import av

from rts_tf.video.encoders import ENCODERS, Coding
from rts_tf.video.join import join
from rts_tf.video.muxers import codec_of
from rts_tf.video.reader import VideoReader
from rts_tf.video.rehearsal import rehearse
from rts_tf.video.segments import write_segment
from rts_tf.video.wishes import Wishes


def rewrite(source: pathlib.Path, target: pathlib.Path, **wishes: str) -> list[str]:
    """Decode the frames of ``source`` and join them with its other streams: the lines about it."""
    codec = "vp9" if target.suffix == ".webm" else "h264"
    coding = Coding(codec, ENCODERS[codec].crf, "8" if codec == "vp9" else "ultrafast")
    trial, part = target.with_name(f"trial{target.suffix}"), target.with_name("part.nut")
    with VideoReader(source) as reader:
        info = reader.info.in_format_of(coding.formats())
        found = rehearse(reader, info, target, trial, coding, Wishes(**wishes))
        assert not trial.exists()
        write_segment(part, info, coding, found.global_header, reader.frames(info))
        damaged = join(reader, info, [part], target, coding, found.keeping)
        notes = reader.survey().notes
    part.unlink()
    return [*notes, *found.warnings, *damaged]


def codecs(path: pathlib.Path) -> list[str]:
    """FFmpeg's names of the codecs of all streams."""
    with av.open(str(path)) as container:
        return [codec_of(stream) for stream in container.streams]


def payload(path: pathlib.Path, kind: str) -> bytes:
    """The bytes of all packets of the first stream of a type, e.g. "audio"."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return b"".join(bytes(packet) for packet in container.demux(stream))
