"""Frames on their way through a pipe: none is lost, and whatever ends them, they are whole."""

import os
import subprocess
import sys
import threading
import time
from io import FileIO

import numpy as np
import pytest

from rts_tf.enhance.live import enhance_stream, network_for
from rts_tf.enhance.stream import Stream
from rts_tf.errors import Interrupted
from rts_tf.video.y4m import raw_format, read_frames, read_line, y4m_format
from tests.support.commands import state
from tests.support.enhance_command import command, model, model_file, refused  # noqa: F401  fixtures
from tests.support.paths import ROOT

WIDTH, HEIGHT = 50, 38


def stream_of(count: int, colours: str = "420jpeg", seed: int = 0) -> bytes:
    """A stream of noise, whose frames have parameters that tell them apart."""
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C{colours} XNOTE=kept\n".encode()
    stream, random = y4m_format(header, ""), np.random.default_rng(seed)
    frames = []
    for i in range(count):
        planes = [random.integers(0, 2**stream.bits, shape) for shape in stream.shapes]
        samples = [plane.astype("u1" if stream.bits == 8 else "<u2").tobytes() for plane in planes]
        frames.append(f"FRAME XNUMBER={i}\n".encode() + b"".join(samples))
    return header + b"".join(frames)


def frames_of(path_or_bytes, folder):
    """The first line, and the frames."""
    if isinstance(path_or_bytes, bytes):
        (folder / "read.y4m").write_bytes(path_or_bytes)
        path_or_bytes = folder / "read.y4m"
    with FileIO(path_or_bytes) as file:
        header = read_line(file)
        return header, list(read_frames(file, y4m_format(header, "a"), "a"))


def check(before, after, model, bits=8, strength=1.0):
    """Every frame is there in order, its luma enhanced and everything else as it was."""
    assert before[0] == after[0] and len(before[1]) == len(after[1])
    white = np.float32(255 * 2 ** (bits - 8))
    for one, two in zip(before[1], after[1], strict=True):
        assert one.line == two.line
        luma = one.planes[0]
        if bits == 8:
            expected = model.enhance_luma(luma, strength)
        else:
            expected = np.rint(model.enhance_luma(luma / white, strength) * white)
            expected = expected.clip(0, 2**bits - 1)
        np.testing.assert_allclose(two.planes[0], expected, atol=0 if bits == 8 else 1)
        assert (two.planes[0] != luma).mean() > 0.3
        for kept, chroma in zip(two.planes[1:], one.planes[1:], strict=True):
            np.testing.assert_array_equal(kept, chroma)


def arguments(*more) -> list[str]:
    return [sys.executable, "-m", "rts_tf.enhance", *map(str, more)]


def test_sixty_frames_through_real_pipes(luma_file, luma_model, tmp_path):
    """Nothing but frames goes to standard output, and each passes before the next one comes."""
    command = arguments("-", "--output=-", f"--model={luma_file}")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    contents = stream_of(60)
    header = contents.index(b"\n") + 1
    each = (len(contents) - header) // 60  # but for the digits of the numbers
    with subprocess.Popen(command, cwd=ROOT, bufsize=0, **pipes) as process:
        process.stdin.write(contents[: header + each])
        began = process.stdout.read(1)  # its frame is whole, and no other one has been given
        out, err = process.communicate(contents[header + each :])
    assert process.returncode == 0, err
    check(frames_of(contents, tmp_path), frames_of(began + out, tmp_path), luma_model)
    last = err.decode().splitlines()[-1]
    assert last.startswith("enhanced 60 frames, ") and " frames/s, median latency " in last


def test_what_cannot_be_enhanced_is_refused_before_tensorflow_is_loaded():
    began = time.monotonic()
    line = b"YUV4MPEG2 W50 H38 It\n"
    done = subprocess.run(
        arguments("-", "--output=-"), cwd=ROOT, input=line, capture_output=True, timeout=60
    )
    assert done.returncode == 1 and not done.stdout and time.monotonic() - began < 30
    assert done.stderr.decode().startswith("error: standard input: is interlaced; make whole fra")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("colours", ["420", "422", "444", "mono", "420p10", "444p12", "mono16"])
def test_files(luma_file, luma_model, tmp_path, colours):
    (tmp_path / "in.y4m").write_bytes(stream_of(3, colours))
    made, bits = tmp_path / "out.y4m", y4m_format(stream_of(0, colours), "").bits
    flags = f"--output={made}", f"--model={luma_file}"
    code, out, err = command(tmp_path / "in.y4m", *flags)
    assert code == 0 and not out and "enhanced 3 frames" in err, err
    before, after = frames_of(tmp_path / "in.y4m", tmp_path), frames_of(made, tmp_path)
    if bits == 16:
        for one, two in zip(before[1], after[1], strict=True):
            np.testing.assert_array_equal(two.planes[0], luma_model.enhance_luma(one.planes[0]))
    else:
        check(before, after, luma_model, bits)
    assert "already there" in command(tmp_path / "in.y4m", *flags)[2]


@pytest.mark.parametrize("chroma", [False, True])
def test_networks_for_rgb(model, model_file, tmp_path, chroma):
    """Three frames, though it takes two at once."""
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    (tmp_path / "in.y4m").write_bytes(stream_of(3))
    flags = f"--output={tmp_path / 'out.y4m'}", f"--model={model_file}"
    assert command(tmp_path / "in.y4m", *flags, *(["--chroma"] if chroma else []))[0] == 0
    before = frames_of(tmp_path / "in.y4m", tmp_path)
    after = frames_of(tmp_path / "out.y4m", tmp_path)
    assert [frame.line for frame in before[1]] == [frame.line for frame in after[1]]
    for one, two in zip(before[1], after[1], strict=True):
        assert (one.planes[0] != two.planes[0]).mean() > 0.1
        assert (one.planes[1] != two.planes[1]).any() == chroma


def test_a_stream_that_is_cut_short(luma_file, luma_model, tmp_path):
    """All whole frames are written."""
    (tmp_path / "in.y4m").write_bytes(stream_of(4)[:-10])
    made = tmp_path / "out.y4m"
    code, _, err = command(tmp_path / "in.y4m", f"--output={made}", f"--model={luma_file}")
    assert code == 1 and f"error: {tmp_path / 'in.y4m'}: is cut short in frame 4; all" in err
    header, frames = frames_of(stream_of(4), tmp_path)
    check((header, frames[:3]), frames_of(made, tmp_path), luma_model)


class Doubled:
    """Stands for a network that takes two frames at once."""

    at_once = 2
    side_by_side = 1

    def __call__(self, frames):
        assert len(frames) == 2
        return frames


def piped(contents: bytes, network, check=lambda: None, read=lambda file: file.read()):
    """The report, and what ``read`` returned of what came out."""
    given, source = os.pipe()[::-1]
    target, made = os.pipe()[::-1]
    found = []
    with FileIO(source) as source_file, FileIO(target, "w") as target_file, FileIO(made) as out:

        def feed():
            with FileIO(given, "w") as file:
                view = memoryview(contents)
                try:
                    while view:
                        view = view[file.write(view) :]
                except BrokenPipeError:
                    pass

        def drain():
            found.append(read(out))
            out.close()

        threads = [threading.Thread(target=function, daemon=True) for function in (feed, drain)]
        for thread in threads:
            thread.start()
        kind = y4m_format(read_line(source_file), "a")
        report = enhance_stream(Stream(source_file, "a", kind, target_file), network, check)
        target_file.close()
        threads[1].join(10)
    return report, found[0]


def test_the_last_of_two_at_once_is_not_lost():
    report, made = piped(stream_of(4)[:-10], Doubled())
    assert report.frames == 3 and "cut short in frame 4" in str(report.error)
    assert made == stream_of(3)


def test_a_reader_that_closes_early(luma_model):
    network = network_for(Stream(None, "a", y4m_format(stream_of(0), "a"), None), luma_model)
    report, _ = piped(stream_of(200), network, read=lambda file: file.read(5000))
    assert report.frames < 200
    assert str(report.error) == f"nobody reads the output any more, after {report.frames} frames"


def test_ctrl_c_leaves_whole_frames():
    """After some frames, and while a source is silent."""
    count = 0

    def check():
        nonlocal count
        count += 1
        if count > 3:
            raise Interrupted("stopped")

    report, made = piped(stream_of(40), Doubled(), check)
    assert isinstance(report.error, Interrupted) and 0 < report.frames < 12
    assert stream_of(40).startswith(made) and made.count(b"FRAME X") == report.frames
    count = 0
    silent, given = os.pipe()
    made, target = os.pipe()
    with FileIO(silent) as source, FileIO(target, "w") as file, FileIO(given, "w"), FileIO(made):
        stream = Stream(source, "a", y4m_format(stream_of(0), "a"), file)
        report = enhance_stream(stream, Doubled(), check)
        assert isinstance(report.error, Interrupted) and report.frames == 0


def test_bare_frames(luma_file, luma_model, tmp_path):
    kind = raw_format(f"{WIDTH}x{HEIGHT}", "nv12")
    contents = np.random.default_rng(0).integers(0, 256, (2, WIDTH * HEIGHT * 3 // 2), np.uint8)
    (tmp_path / "in.raw").write_bytes(contents.tobytes())
    flags = f"--model={luma_file}", f"--raw_size={WIDTH}x{HEIGHT}", "--raw_format=nv12"
    code, _, err = command(tmp_path / "in.raw", f"--output={tmp_path / 'out.raw'}", *flags)
    assert code == 0, err
    made = np.fromfile(tmp_path / "out.raw", np.uint8).reshape(2, -1)
    luma = WIDTH * HEIGHT
    for one, two in zip(contents, made, strict=True):
        expected = luma_model.enhance_luma(one[:luma].reshape(kind.shapes[0]))
        np.testing.assert_array_equal(two[:luma], expected.reshape(-1))
        np.testing.assert_array_equal(two[luma:], one[luma:])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["in.y4m", "in.y4m", "--output=out.y4m"], "name one input to be enhanced as a stream"),
        (["in.mp4", "--output=out.y4m"], "in.mp4: only YUV4MPEG2 becomes --output=out.y4m; pipe"),
        (["in.y4m", "--output=out.y4m", "--scale=2"], "--scale=2: does not apply to a stream"),
        (["in.y4m", "--output=out.y4m", "--codec=hevc"], "--codec=hevc: does not apply to a st"),
        (["in.y4m", "--output=out.y4m", "--crf=20"], "--crf=20: does not apply to a stream"),
        (["text.y4m", "--output=out.y4m"], "text.y4m: is not YUV4MPEG2; make it with ffmpeg"),
        (["in.y4m", "--output=no/out.y4m"], "cannot be read or written (No such file"),
        (["in.y4m", "--output=out.y4m", "--raw_size=5"], "--raw_size: its width and height must"),
    ],
)
def test_mistakes(tmp_path, monkeypatch, given, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.y4m").write_bytes(stream_of(1))
    (tmp_path / "text.y4m").write_text("no video\n")
    (tmp_path / "in.mp4").write_bytes(b"")
    before = state(tmp_path)
    assert reason in refused(*given) and state(tmp_path) == before


def test_a_pipe_becomes_no_file_of_another_kind():
    assert refused("-", "--output=out.mp4").startswith(
        "error: --output=out.mp4: a stream is written to - or to a .y4m file; to encode it, write"
    )
