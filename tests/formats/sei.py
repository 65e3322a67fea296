"""Messages in a stream of H.264: closed captions and the active format (ATSC A/53)."""

import av

_MESSAGE, _SLICES = 6, (1, 5)  # types of units of H.264
_ATSC = b"\xb5\x00\x31"
_START = b"\0\0\0\1"


def caption_message() -> bytes:
    """A unit with one pair of closed captions (CEA-608)."""
    return _unit(_ATSC + b"GA94\x03\xc1\xff\xfc\x94\x2c\xff")


def afd_message() -> bytes:
    """A unit that says that the image is 16:9 in its frame."""
    return _unit(_ATSC + b"DTG1\x41\xfa")


def _unit(message: bytes) -> bytes:
    """A unit of H.264 with a registered user message (type 4)."""
    return bytes((_MESSAGE, 4, len(message))) + message + b"\x80"


def with_message(packet: av.Packet, unit: bytes) -> av.Packet:
    """The packet with ``unit`` in front of its first slice."""
    data = bytes(packet)
    place = data.find(b"\0\0\1")
    while place >= 0 and data[place + 3] & 31 not in _SLICES:
        place = data.find(b"\0\0\1", place + 3)
    assert place >= 0, "a packet without a slice"
    if place and data[place - 1] == 0:
        place -= 1
    result = av.Packet(data[:place] + _START + unit + data[place:])
    result.stream, result.time_base = packet.stream, packet.time_base
    result.pts, result.dts, result.duration = packet.pts, packet.dts, packet.duration
    result.is_keyframe = packet.is_keyframe
    return result
