"""Video through a network for luma: YUV4MPEG2 and raw frames, through pipes and in files."""

import contextlib
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (the extra 'device')")

from rts_tf.settop import command, y4m
from rts_tf.settop.errors import SettopError
from rts_tf.settop.litert import Network
from rts_tf.settop.sources import ahead
from rts_tf.settop.streams import Stream
from rts_tf.settop.video import Times
from tests.settop.luma_file import RADIUS, luma_file

SIZE, LARGER = (40, 48), (75, 101)
HEAD = b"YUV4MPEG2 W%d H%d F30000:1001 Ip A1:1 C%s XYSCSS=ANY XCOLORRANGE=FULL\n"
RANDOM = np.random.default_rng(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("luma")
    (folder / "luma.tflite").write_bytes(luma_file(*SIZE))
    (folder / "whole.tflite").write_bytes(luma_file(*LARGER))
    (folder / "mute.tflite").write_bytes(luma_file(*SIZE, noted=False))
    return folder


@pytest.fixture(scope="module")
def network(folder):
    return Network(folder / "luma.tflite", 1)


def planes(height, width, count=1):
    """Noise with edges, uint8 [count, H, W]."""
    slow = RANDOM.integers(0, 256, (count, -(-height // 7), -(-width // 7)))
    slow = slow.repeat(7, axis=1).repeat(7, axis=2)[:, :height, :width]
    return np.clip(slow + RANDOM.integers(-30, 30, slow.shape), 0, 255).astype(np.uint8)


def frames(stream, count):
    """Random frames as bytes."""
    rest = stream.nbytes - stream.luma
    return [
        plane.tobytes() + RANDOM.integers(0, 256, rest, np.uint8).tobytes()
        for plane in planes(stream.height, stream.width, count)
    ]


def enhanced(network, stream, frame):
    """What is to come out for the bytes of a frame."""
    plane = np.frombuffer(frame[: stream.luma], np.uint8).reshape(stream.height, stream.width)
    tiles = network.tile_size(stream.height, stream.width)
    return network.run_tiles(plane, *tiles).tobytes() + frame[stream.luma :]


def piped(folder, *arguments, model="luma.tflite"):
    return subprocess.Popen(
        [sys.executable, "-m", "rts_tf.settop", folder / model, "-", "--output=-", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextlib.contextmanager
def standard_input(path):
    """Let standard input come from a file."""
    kept = os.dup(0)
    with open(path, "rb") as file:
        os.dup2(file.fileno(), 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def error_lines(said):
    """What the command said, without LiteRT's own lines."""
    text = said.decode() if isinstance(said, bytes) else said
    return [line for line in text.splitlines() if not line.startswith(("INFO", "WARNING"))]


def test_the_file_is_recognised(network):
    assert (network.luma, network.size, network.radius, network.pack) == (True, SIZE, RADIUS, 2)


def test_tiles_equal_the_whole_plane(folder, network):
    (plane,) = planes(*LARGER)
    whole = Network(folder / "whole.tflite", 1)
    result = whole.run(plane)
    np.testing.assert_array_equal(network.run_tiles(plane, *network.tile_size(*LARGER)), result)
    assert (network.run_tiles(plane, SIZE, 0) != result).any()  # seams, where no tiles overlap
    network.pack = 1  # tiles that begin within a block
    try:
        assert (network.run_tiles(plane, SIZE, RADIUS) != result).any()
    finally:
        network.pack = 2
    # The file repeats the border, so a smaller plane is extended by repeating its own.
    (small,) = planes(*SIZE)
    np.testing.assert_array_equal(
        whole.run_tiles(small, *whole.tile_size(*SIZE)), network.run(small)
    )


def test_sixty_frames_through_pipes(folder, network):
    """In order, none lost, and chroma and all headers byte for byte. The width is odd."""
    stream = Stream("yuv420p", 36, 45)
    head = HEAD % (45, 36, b"420mpeg2")
    lines = [b"FRAME\n" if i % 3 else b"FRAME Ip Xnumber=%d\n" % i for i in range(60)]
    came = frames(stream, 60)
    process = piped(folder)
    data = head + b"".join(line + frame for line, frame in zip(lines, came))
    made, said = process.communicate(data, timeout=60)
    assert process.returncode == 0, said
    wanted = (line + enhanced(network, stream, frame) for line, frame in zip(lines, came))
    assert made == head + b"".join(wanted)
    (line,) = error_lines(said)
    assert line.startswith("60 whole frames to standard output, ")
    assert " frames/s, the network alone " in line and " ms (median), " in line


def test_a_frame_leaves_before_the_next_has_come(folder, network):
    stream = Stream("gray", *SIZE)
    head, (first, second) = HEAD % (48, 40, b"mono"), frames(stream, 2)
    process = piped(folder)
    process.stdin.write(head + b"FRAME\n" + first + b"FRAME\n" + second[:-1])
    process.stdin.flush()
    wanted = head + b"FRAME\n" + enhanced(network, stream, first)
    assert process.stdout.read(len(wanted)) == wanted
    rest, said = process.communicate(second[-1:], timeout=60)
    assert rest == b"FRAME\n" + enhanced(network, stream, second) and process.returncode == 0


def test_a_reader_that_closes_is_one_line(folder):
    stream = Stream("yuv444p", *SIZE)
    process = piped(folder)

    def feed():
        try:
            process.stdin.write(HEAD % (48, 40, b"444"))
            for frame in frames(stream, 1) * 1000:
                process.stdin.write(b"FRAME\n" + frame)
            process.stdin.close()
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed)
    feeder.start()
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(60) == 1
    feeder.join(60)
    said = error_lines(process.stderr.read())
    process.stderr.close()
    assert said == ["error: the program that reads the frames has ended"]


@pytest.mark.parametrize("colours", ["420jpeg", "420paldv", "420", "422", "444", "mono", ""])
def test_every_kind_in_files(folder, network, tmp_path, colours):
    kind = y4m.KINDS[colours or "420jpeg"]
    stream = Stream(kind, *LARGER)  # larger than the file's frame, and odd
    head = b"YUV4MPEG2 H75 W101" + f" C{colours}".encode() * bool(colours) + b"\n"
    came = frames(stream, 3)
    (tmp_path / "in.y4m").write_bytes(head + b"".join(b"FRAME\n" + frame for frame in came))
    arguments = [str(folder / "luma.tflite"), str(tmp_path / "in.y4m")]
    assert command.main([*arguments, f"--output={tmp_path / 'out.y4m'}"]) == 0
    wanted = b"".join(b"FRAME\n" + enhanced(network, stream, frame) for frame in came)
    assert (tmp_path / "out.y4m").read_bytes() == head + wanted


@pytest.mark.parametrize("name", ["yuv420p", "i420", "nv12", "NV12"])
def test_raw_frames_in_files(folder, network, tmp_path, name):
    stream = Stream("nv12" if name.lower() == "nv12" else "yuv420p", 41, 53)
    came = frames(stream, 3)
    (tmp_path / "in").write_bytes(b"".join(came))
    arguments = [str(folder / "luma.tflite"), str(tmp_path / "in"), f"--output={tmp_path / 'out'}"]
    assert command.main([*arguments, "--size=53x41", f"--format={name}"]) == 0
    wanted = b"".join(enhanced(network, stream, frame) for frame in came)
    assert (tmp_path / "out").read_bytes() == wanted


def test_planes_of_nv12_are_those_of_yuv420p():
    planar, paired = Stream("yuv420p", 12, 20), Stream("nv12", 12, 20)
    (frame,) = frames(planar, 1)
    chroma = np.frombuffer(frame, np.uint8)[planar.luma :].reshape(2, -1)
    same = frame[: planar.luma] + chroma.T.tobytes()
    rgb = planar.to_rgb(frame)
    np.testing.assert_array_equal(paired.to_rgb(same), rgb)
    back = np.frombuffer(planar.from_rgb(rgb), np.uint8)[planar.luma :].reshape(2, -1)
    assert paired.from_rgb(rgb)[planar.luma :] == back.T.tobytes()


BAD = {
    "interlaced": (b"YUV4MPEG2 W48 H40 It\n", "is interlaced (It), and frames are needed; put ff"),
    "mixed": (b"YUV4MPEG2 W48 H40 Im\n", "ffmpeg's filter bwdif"),
    "ten bits": (b"YUV4MPEG2 W48 H40 C420p10\n", "C420p10 has more than 8 bits a sample"),
    "grey of 16 bits": (b"YUV4MPEG2 W48 H40 Cmono16\n", "Cmono16 has more than 8 bits a sample"),
    "alpha": (b"YUV4MPEG2 W48 H40 C444alpha\n", "C444alpha is none of C420jpeg, "),
    "no height": (b"YUV4MPEG2 W48 F25:1\n", "its YUV4MPEG2 header has no size W... H..."),
    "no end": (b"YUV4MPEG2 W48 H40", "its YUV4MPEG2 header has no size W... H..."),
    "no frame": (b"YUV4MPEG2 W48 H40\n", "holds no frame"),
    "empty": (b"", "holds no frame"),
    "raw": (bytes(5000), "is no stream of YUV4MPEG2; for raw frames name their --size"),
    "no line": (b"YUV4MPEG2 W4 H4 Cmono\n" + bytes(50), "frame 1 begins with b'\\x00"),
    "half a line": (b"YUV4MPEG2 W4 H4 Cmono\nFRA", "ends within frame 1, in the line FRAME"),
    "a size": (b"YUV4MPEG2 W48 H40\n", "says its size; leave --size=48x40 out", "--size=48x40"),
    "p010": (b"", "p010 has more than 8 bits a sample; let ffmpeg", "--format=p010"),
    "yuv420p10": (b"", "10le has more than 8 bits a sample; let", "--format=yuv420p10le"),
    "nv21": (b"", "nv21 is none of yuv420p, nv12, rgb24, i420; let", "--format=nv21"),
    "rgb": (bytes(48), "rgb24: has no plane of luma", "--size=4x4", "--format=rgb24"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_no_network_takes_is_one_line(kind, folder, tmp_path, capfd):
    data, reason, *flags = BAD[kind]
    (tmp_path / "in").write_bytes(data)
    arguments = [str(folder / "luma.tflite"), "-", f"--output={tmp_path / 'out'}", *flags]
    misused = any(flag.startswith("--format") for flag in flags) and kind != "rgb"
    with standard_input(tmp_path / "in"):
        assert command.main(arguments) == (2 if misused else 1)
    (said,) = error_lines(capfd.readouterr().err)
    assert said.startswith("error: ") and reason in said
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_stream_that_ends_within_a_frame(folder, network):
    stream = Stream("yuv422p", *SIZE)
    head, came = HEAD % (48, 40, b"422"), frames(stream, 3)
    process = piped(folder)
    data = head + b"".join(b"FRAME\n" + frame for frame in came)
    made, said = process.communicate(data[:-7], timeout=60)
    assert process.returncode == 1
    assert made == head + b"".join(b"FRAME\n" + enhanced(network, stream, f) for f in came[:2])
    whole, error = error_lines(said)
    assert whole.startswith("2 whole frames to ")
    assert error == "error: -: ends within frame 3, after 3833 of 3840 bytes"


def test_files_that_are_not_for_this(folder, tmp_path, capfd):
    from PIL import Image

    Image.fromarray(planes(*SIZE)[0]).save(tmp_path / "a.png")
    for model, reason in (("luma", "is a file for luma, and for video"), ("mute", "says its 'pa")):
        arguments = [str(folder / f"{model}.tflite"), str(tmp_path / "a.png")]
        assert command.main([*arguments, f"--output={tmp_path / 'b.png'}"]) == 1
        assert reason in error_lines(capfd.readouterr().err)[0]


WORDS = st.text("abcXWHIC=:0129", max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 99999),
    st.integers(1, 99999),
    st.sampled_from(list(y4m.KINDS)),
    st.lists(WORDS.map(lambda word: "X" + word), max_size=4),
    st.randoms(),
)
def test_headers_are_kept(width, height, colours, others, random):
    words = [f"W{width}", f"H{height}", "F25:1", f"C{colours}", "I?", "A0:0", *others]
    random.shuffle(words)
    line = y4m.MAGIC + " ".join(words).encode() + b"\n"
    header = y4m.parsed(line, "-")
    assert (header.kind, header.height, header.width) == (y4m.KINDS[colours], height, width)
    assert header.scaled(1) == line
    doubled = y4m.parsed(header.scaled(2), "-") if max(width, height) < 50000 else None
    if doubled:
        assert doubled[1:] == (header.kind, 2 * height, 2 * width, header.full)
        kept = [word for word in doubled.line.split(b" ") if word[:1] not in (b"W", b"H")]
        wanted = [word for word in line.split(b" ") if word[:1] not in (b"W", b"H")]
        assert [word.strip() for word in kept] == [word.strip() for word in wanted]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_damaged_headers_are_errors(data):
    try:
        header = y4m.parsed(y4m.MAGIC + data, "-")
    except SettopError:
        return
    assert header.height > 0 and header.width > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(sorted(set(y4m.KINDS.values()))))
def test_sizes_of_planes(height, width, kind):
    stream = Stream(kind, height, width)
    full = np.zeros((height, width))
    chroma = {
        "yuv420p": full[::2, ::2],
        "yuv422p": full[:, ::2],
        "yuv444p": full,
        "gray": full[:0, :0],
    }[kind]
    assert stream.chroma == chroma.shape and stream.nbytes == full.size + 2 * chroma.size


def test_one_item_is_made_ahead():
    made = []

    def items():
        for i in range(10):
            made.append(i)
            yield i

    for item in ahead(items()):
        until = time.monotonic() + 10
        while len(made) < min(item + 2, 10) and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(0.005)
        assert len(made) == min(item + 2, 10)


def test_latency_is_summed_up():
    times = Times()
    for seconds in (0.0201, 0.5, 0.0203, 0.0199, 0.001):
        times.add(seconds)
    assert times.latency() == "latency 20.1 ms (median), 500.0 ms (largest)"
