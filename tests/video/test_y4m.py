"""YUV4MPEG2: which headers are understood, and that frames pass byte for byte."""

import io
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rts_tf.errors import VideoError
from rts_tf.video.y4m import (
    raw_format,
    read_frames,
    read_line,
    write_all,
    write_frame,
    y4m_format,
)

SUBSAMPLED = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}
words = st.text(st.characters(codec="ascii", exclude_characters="\n \r\x00"), max_size=12)


@st.composite
def headers(draw) -> tuple[bytes, dict]:
    """A header and what it says."""
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    bits = draw(st.sampled_from([8, 9, 10, 12, 14, 16]))
    chroma = draw(st.sampled_from(["420", "422", "444", "mono", ""]))
    if not chroma:
        bits = 8
    suffix = "" if bits == 8 else f"{'' if chroma == 'mono' else 'p'}{bits}"
    if chroma == "420" and bits == 8:
        suffix = draw(st.sampled_from(["", "jpeg", "mpeg2", "paldv"]))
    full = draw(st.booleans())
    given = [f"W{width}", f"H{height}", *([f"C{chroma}{suffix}"] if chroma else [])]
    others = [draw(st.sampled_from(["Ip", "I?"])), "F30000:1001", "A1:1", f"X{draw(words)}"]
    given += draw(st.lists(st.sampled_from(others), unique=True))
    given += ["XCOLORRANGE=FULL"] if full else []
    line = " ".join(["YUV4MPEG2", *draw(st.permutations(given))]).encode() + b"\n"
    said = {"width": width, "height": height, "bits": bits, "full_range": full}
    return line, said | {"chroma": chroma or "420"}


@settings(deadline=None, max_examples=60)
@given(headers(), st.integers(0, 3), st.binary(max_size=9))
def test_streams_pass_byte_for_byte(header, count, parameters):
    line, said = header
    stream = y4m_format(line, "a")
    assert stream.header == line
    chroma = said.pop("chroma")
    assert {key: getattr(stream, key) for key in said} == said
    bytes_each = said["width"] * said["height"]
    if chroma != "mono":
        down, across = SUBSAMPLED[chroma]
        bytes_each += 2 * -(-said["height"] // down) * -(-said["width"] // across)
    bytes_each *= 1 if said["bits"] == 8 else 2
    words = b"FRAME " + parameters.replace(b"\n", b"") if parameters else b"FRAME"
    assume(not re.search(rb" I.i", words))  # an interlaced frame, which is refused
    random = np.random.default_rng(count)
    contents = line + b"".join(words + b"\n" + random.bytes(bytes_each) for _ in range(count))
    source, target = io.BytesIO(contents), io.BytesIO()
    write_all(target, read_line(source))
    for frame in read_frames(source, stream, "a"):
        assert tuple(plane.shape for plane in frame.planes) == stream.shapes
        write_frame(target, frame)
    assert target.getvalue() == contents


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=60), words.map(lambda w: f"YUV4MPEG2 W2 H2 {w}\n".encode())))
def test_anything_else_is_refused(line):
    try:
        assert y4m_format(line, "a").header == line
    except VideoError as error:
        assert str(error).startswith("a: ") and "\n" not in str(error)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "a: is not YUV4MPEG2; make it with ffmpeg"),
        (b"YUV4MPEG2 W2 H2", "a: is not YUV4MPEG2"),
        (b"YUV4MPEG2 W2 H2 It\n", "is interlaced; .* with ffmpeg -vf bwdif"),
        (b"YUV4MPEG2 W2 H2 Ib\n", "is interlaced"),
        (b"YUV4MPEG2 W2 H2 Im\n", "is interlaced"),
        (b"YUV4MPEG2 W2\n", "width and height must be from 1 to 32768"),
        (b"YUV4MPEG2 W0 H2\n", "width and height"),
        (b"YUV4MPEG2 W99999 H2\n", "width and height"),
        (b"YUV4MPEG2 W2 H2 C411\n", "colour space 411 is not supported; convert it"),
        (b"YUV4MPEG2 W2 H2 C444alpha\n", "colour space 444alpha"),
        (b"YUV4MPEG2 W2 H2 Cmono11\n", "colour space mono11"),
    ],
)
def test_why_a_header_is_refused(line, reason):
    with pytest.raises(VideoError, match=reason):
        y4m_format(line, "a")


HEADER = b"YUV4MPEG2 W2 H2 Cmono\n"


@pytest.mark.parametrize(
    ("contents", "whole", "reason"),
    [
        (b"FRAME\nabcdFRAME\nabc", 1, "is cut short in frame 2; all frames before it"),
        (b"FRAME\nabcdFRA", 1, "is cut short in frame 2"),
        (b"FRAME\nabcdabcdef\n", 1, "something else is in the place of frame 2"),
        (b"FRAMES\nabcd", 0, "something else is in the place of frame 1"),
        (b"FRAME Ippp\nabcdFRAME Itip\nabcd", 1, "is interlaced from frame 2 on; make whole fra"),
    ],
)
def test_damage(contents, whole, reason):
    frames = read_frames(io.BytesIO(contents), y4m_format(HEADER, "a"), "a")
    for _ in range(whole):
        assert next(frames).planes[0].tobytes() == b"abcd"
    with pytest.raises(VideoError, match=f"a: {reason}"):
        next(frames)


@pytest.mark.parametrize("pixels", ["yuv420p", "nv12"])
def test_bare_frames(pixels):
    stream = raw_format("5x3", pixels)
    assert stream.shapes == (((3, 5), (2, 6)) if pixels == "nv12" else ((3, 5), (2, 3), (2, 3)))
    contents = np.random.default_rng(0).bytes(2 * 27)
    target = io.BytesIO()
    for frame in read_frames(io.BytesIO(contents), stream, "a"):
        write_frame(target, frame)
    assert target.getvalue() == contents
    frames = read_frames(io.BytesIO(contents[:-1]), stream, "a")
    next(frames)
    with pytest.raises(VideoError, match="cut short in frame 2"):
        next(frames)


@pytest.mark.parametrize("size", ["", "5", "5x", "5x3x2", "-5x3", "5*3"])
def test_bare_frames_of_no_size(size):
    with pytest.raises(VideoError, match="`raw_size`: its width and height must be"):
        raw_format(size, "nv12")
