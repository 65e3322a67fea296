"""Makes MPEG-2 in Matroska whose frames are interlaced, or carry data, from any frame on."""

import pathlib
from collections.abc import Mapping
from fractions import Fraction

import av
import numpy as np
from skimage import data

_SLICE, _USER_DATA = b"\x00\x00\x01\x01", b"\x00\x00\x01\xb2"
RATE = 25


def captions(number: int) -> bytes:
    """The user data of a frame with closed captions (A53)."""
    return b"GA94\x03" + bytes([0x41, 0xFF, 0xFC, 0x80 + number % 64, 0x80, 0xFF])


ACTIVE_PART = b"DTG1\x41\xfa"  # the user data of a frame with AFD 10, which is 16:9 in the middle


def make_mpeg2(
    path: pathlib.Path,
    count: int = 8,
    interlaced_from: int | None = None,
    user_data: Mapping[int, bytes] | None = None,
) -> pathlib.Path:
    """Write a moving image; two moments share each interlaced frame.

    Args:
        path: A .mkv file.
        count: The number of frames.
        interlaced_from: The number of the first frame that is interlaced, from 0.
        user_data: By the numbers of frames.
    """
    first = count if interlaced_from is None else interlaced_from
    parts = [(range(first), ""), (range(first, count), "+ilme+ildct")]
    with av.open(str(path), "w") as container:
        video = None
        for numbers, flags in parts:
            if not numbers:
                continue
            options = {"b": "4000000", "bf": "0", "flags": flags} if flags else {"bf": "0"}
            video = video or _stream(container, options)
            for number, packet in zip(numbers, _packets(numbers, options), strict=True):
                coded = bytes(packet)
                if user_data and number in user_data:
                    before, slices, after = coded.partition(_SLICE)
                    coded = before + _USER_DATA + user_data[number] + slices + after
                again = av.Packet(coded)
                again.pts = again.dts = number
                again.time_base, again.stream = Fraction(1, RATE), video
                again.is_keyframe = packet.is_keyframe
                container.mux(again)
    return path


def _stream(container, options: dict[str, str]):
    video = container.add_stream("mpeg2video", rate=RATE, options=options, width=96, height=64)
    video.codec_context.time_base = Fraction(1, RATE)
    return video


def _packets(numbers: range, options: dict[str, str]):
    encoder = av.CodecContext.create("mpeg2video", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 96, 64, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = options
    for number in numbers:
        window = [
            data.chelsea()[100:164, start : start + 96] for start in (8 * number, 8 * number + 4)
        ]
        image = window[0].copy()
        if "flags" in options:
            image[1::2] = window[1][1::2]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = number - numbers.start, Fraction(1, RATE)
        yield from encoder.encode(frame)
    yield from encoder.encode(None)
