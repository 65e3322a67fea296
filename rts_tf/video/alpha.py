"""The transparency of a video: decoded, found, and carried to the container.

WebM keeps the alpha of VP9 beside each packet, as a video of its own. Segments, which have no room
beside a packet, hold it behind the packet.
"""

import struct
from collections.abc import Iterable

import av
from av.packet import Packet, PacketSideData
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from rts_tf.video.pixel_formats import has_alpha, planes_of, with_alpha

_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own leave alpha out
_KIND = 15  # AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL
_LENGTH = struct.Struct(">I")
# Of the formats with alpha that the encoder of VP9 lists, it takes this one.
_OF_VP9 = ("yuv420p",)


def decoder_with_alpha(stream: VideoStream) -> VideoCodecContext | None:
    """Return a decoder for a stream whose own leaves alpha out; None if it is the right one."""
    own = stream.codec_context
    name = _DECODERS.get(own.codec.canonical_name)
    marked = any(tag.lower() == "alpha_mode" for tag in stream.metadata)
    if name is None or not marked or name not in av.codecs_available:
        return None
    decoder = VideoCodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.color_range, decoder.colorspace = own.color_range, own.colorspace
    decoder.color_primaries, decoder.color_trc = own.color_primaries, own.color_trc
    return decoder


def any_transparent(frames: Iterable[av.VideoFrame]) -> bool:
    """Whether a frame is not opaque all over."""
    return any(is_transparent(frame) for frame in frames)


def is_transparent(frame: av.VideoFrame) -> bool:
    """Whether a frame is not opaque all over."""
    if not has_alpha(frame.format.name):
        return False
    *_, alpha = planes_of(frame.reformat(format="yuva444p"))
    return bool(alpha.min() < 255)


def formats_with_alpha(codec: str, container: str, formats: Iterable[str]) -> list[str]:
    """The planar formats that can be encoded with alpha beside them.

    Args:
        codec: A key of ``rts_tf.video.encoders.ENCODERS``.
        container: FFmpeg's name.
        formats: Those that the encoder lists.
    """
    listed = set(formats)
    both = [name for name in listed if with_alpha(name) != name and with_alpha(name) in listed]
    if codec == "ffv1":
        return sorted(both)
    if codec == "vp9" and container in ("webm", "matroska"):
        return sorted(set(both).intersection(_OF_VP9))
    return []


def with_alpha_behind(packet: Packet) -> Packet:
    """A packet for a segment that ends with what lies beside ``packet``."""
    beside = bytes(packet.get_sidedata("matroska_block_additional"))
    result = av.Packet(bytes(packet) + beside + _LENGTH.pack(len(beside)))
    return _like(result, packet)


def with_alpha_beside(packet: Packet) -> Packet:
    """The packet of which :func:`with_alpha_behind` made ``packet``."""
    data = bytes(packet)
    (length,) = _LENGTH.unpack(data[-_LENGTH.size :])
    end = len(data) - _LENGTH.size
    result = av.Packet(data[: end - length])
    beside = PacketSideData(_KIND, length)  # type: ignore[call-arg]  # PyAV's types lack it
    if length:
        beside.update(data[end - length : end])
    result.set_sidedata(beside)
    return _like(result, packet)


def _like(packet: Packet, source: Packet) -> Packet:
    packet.pts, packet.dts, packet.duration = source.pts, source.dts, source.duration
    packet.time_base, packet.is_keyframe = source.time_base, source.is_keyframe
    return packet
