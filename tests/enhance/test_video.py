"""Videos through the enhance command: what is kept, what is enhanced, and what is refused."""

import os
import pathlib
import re
import sys

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.enhance import video as enhancing_video  # noqa: E402
from rts_tf.enhance import work_directory  # noqa: E402
from rts_tf.enhance.yuv import YuvEnhancer  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from tests.support.commands import photo, state  # noqa: E402
from tests.support.enhance_command import command, model, model_file, refused, run  # noqa: E402, F401  fixtures
from tests.support.videos import codec, contents, make, pixel_format, planes  # noqa: E402

TICK = {".mp4": 1 / 90000, ".mkv": 1 / 1000, ".mov": 1 / 90000, ".webm": 1 / 1000, ".ts": 1 / 90000}
LENGTH = 1.01e-3  # MP4 has the length of streams that begin before zero in milliseconds
X265 = {"x265-params": "log-level=none", "preset": "ultrafast"}


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    """Several in a video of 11 frames, and a last one of one."""
    monkeypatch.setattr(enhancing_video, "SEGMENT", 5)


KINDS = {
    "stereo.mp4": {"audio": "aac"},
    "variable, mono, turned.mp4": {
        "audio": "aac",
        "layout": "mono",
        "variable": True,
        "rotation": 90,
    },
    "full range.mp4": {"full": True, "matrix": 6},
    "subtitles.mkv": {"audio": "libopus", "variable": True, "subtitles": True, "rotation": 180},
    "ten bits.mkv": {"codec": "libx265", "pixels": "yuv420p10le", "options": X265, "matrix": 9},
    "4 4 4.mov": {"pixels": "yuv444p", "audio": "pcm_s16le"},
    "grey.mkv": {"pixels": "gray", "matrix": 2},
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "options": {"crf": "20", "deadline": "realtime"},
        "audio": "libopus",
    },
    "broadcast.ts": {"audio": "mp2"},
}


@pytest.mark.parametrize("name", KINDS)
def test_what_belongs_to_a_video_is_kept(run, tmp_path, name):
    video = make(tmp_path / name, **KINDS[name])
    out, err = run(video, f"--output={tmp_path / 'better'}/")
    made, tick = tmp_path / "better" / name, TICK[video.suffix] * 1.01
    before, after = contents(video), contents(made)
    assert "enhanced 1 of 1 videos" in out and "note" not in err
    assert [s[:3] for s in after.streams] == [s[:3] for s in before.streams]
    for one, two in zip(before.streams, after.streams, strict=True):
        assert one[3] == two[3] == None or abs(one[3] - two[3]) <= LENGTH  # noqa: E711
    assert (
        after.kind == before.kind
        and after.title == before.title
        and after.chapters == before.chapters
    )
    assert pixel_format(made) == pixel_format(video)
    moved = after.times[0] - before.times[0]  # a transport stream begins where its writer wants
    assert moved == 0 or video.suffix == ".ts"
    assert abs(after.duration - before.duration) <= 1e6 * LENGTH
    np.testing.assert_allclose(
        [float(t - moved) for t in after.times], [float(t) for t in before.times], rtol=0, atol=tick
    )
    for one, two in zip(before.copied, after.copied, strict=True):
        assert [data for _, data in one] == [data for _, data in two]
        np.testing.assert_allclose(
            [float(t - moved) for t, _ in two], [float(t) for t, _ in one], rtol=0, atol=tick
        )
    assert list((tmp_path / "better").iterdir()) == [made]


@pytest.mark.parametrize("arguments", [(), ("--chroma", "--strength=1.5")])
def test_every_frame_is_enhanced_once(run, model, tmp_path, arguments):
    """Without loss each frame can be compared with that of the network. Chroma is untouched."""
    video = make(tmp_path / "in.mkv", variable=True)
    run(video, f"--output={tmp_path / 'out.mkv'}", "--codec=ffv1", *arguments)
    with VideoReader(video) as reader:
        strength = 1.5 if arguments else 1.0
        network = YuvEnhancer(model, reader.info, strength, bool(arguments))
        given = [frame.planes for frame in reader.frames()]
    expected = [
        better for i in range(0, 12, 2) for better in network([given[i], given[min(i + 1, 10)]])
    ][:11]
    with VideoReader(tmp_path / "out.mkv") as reader:
        found = [frame.planes for frame in reader.frames()]
    assert len(found) == 11
    for one, two, original in zip(found, expected, given, strict=True):
        for plane, wanted in zip(one, two, strict=True):
            np.testing.assert_array_equal(plane, wanted)
        assert (one[0] != original[0]).mean() > 0.1 and (one[1] != original[1]).any() == bool(
            arguments
        )


@pytest.mark.parametrize("name", ["hevc", "vp9", "av1"])
def test_codecs(run, tmp_path, name):
    """Of RGB, which becomes YUV of full size, or half where the encoder knows no other."""
    video = make(tmp_path / "in.mkv", codec="ffv1", pixels="bgr0", options={}, count=6)
    _, err = run(video, f"--output={tmp_path / 'out.mkv'}", f"--codec={name}")
    assert (
        codec(tmp_path / "out.mkv") in (name, f"lib{name}", "libdav1d")
        and len(planes(tmp_path / "out.mkv")) == 6
    )
    pixels = "yuv420p" if name == "av1" else "yuv444p"
    assert (
        f"pixel format bgr0 became {pixels}" in err and pixel_format(tmp_path / "out.mkv") == pixels
    )


def test_crf(run, tmp_path):
    video = make(tmp_path / "in.mp4", count=6)
    for crf in (10, 40):
        run(video, f"--output={tmp_path / f'{crf}.mp4'}", f"--crf={crf}")
    assert (tmp_path / "10.mp4").stat().st_size > 2 * (tmp_path / "40.mp4").stat().st_size
    assert (
        "no --crf"
        in run(video, f"--output={tmp_path / 'a.mkv'}", "--codec=ffv1", "--crf=3", code=1)[1]
    )


def test_names_with_a_colon(run, tmp_path, monkeypatch):
    """FFmpeg has protocols in front of colons."""
    make(tmp_path / "in.mp4", count=3, audio="aac").rename(tmp_path / "12:30.mp4")
    monkeypatch.chdir(tmp_path)
    out, _ = run("12:30.mp4", "--output=13:30.mp4")
    assert "enhanced 1 of 1 videos" in out and len(planes(tmp_path / "13:30.mp4")) == 3
    assert sorted(os.listdir()) == ["12:30.mp4", "13:30.mp4"]


def test_a_gap_is_told(run, tmp_path):
    """A gap is where a part of the file is destroyed, not where a variable rate is low."""
    video = make(
        tmp_path / "in.mkv", count=90, options={"crf": "10", "preset": "veryfast", "g": "10"}
    )
    damaged = bytearray(video.read_bytes())
    damaged[len(damaged) // 3 : 2 * len(damaged) // 3] = bytes(len(damaged) // 3)
    (tmp_path / "damaged.mkv").write_bytes(damaged)
    _, err = run(tmp_path / "damaged.mkv", f"--output={tmp_path / 'out.mkv'}")
    assert re.search(
        r"damaged.mkv: a gap of 1\.\d s at 0:0[01]\.\d, where frames could not be decoded\n", err
    ), err
    with (
        av.open(str(make(tmp_path / "fast.mp4", count=4))) as source,
        av.open(str(tmp_path / "slow.mp4"), "w") as output,
    ):
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.size:
                packet.stream, packet.pts, packet.dts = stream, 30 * packet.pts, 30 * packet.dts
                output.mux(packet)
    assert "gap" not in run(tmp_path / "slow.mp4", f"--output={tmp_path / 'out.mp4'}")[1]


def test_damaged_videos_are_made_as_far_as_they_go(run, tmp_path):
    """One is cut off in the middle; another has a hole there, after its header."""
    long = make(tmp_path / "long.mkv", count=60, audio="aac")
    (tmp_path / "cut.mkv").write_bytes(cut(long, 0.5))
    options = {"crf": "10", "preset": "veryfast", "g": "10"}
    hole = bytearray(make(tmp_path / "hole.mp4", count=60, options=options).read_bytes())
    hole[len(hole) // 2 : len(hole) // 2 + 3000] = bytes(3000)
    (tmp_path / "hole.mp4").write_bytes(hole)
    for name, reason, fewest, most in (
        ("cut.mkv", r"is cut short, at 0:01\.\d of 0:02\.0", 20, 40),
        ("hole.mp4", r"its video is damaged .*at 0:0\d\.\d: frames may be missing", 50, 59),
    ):
        _, err = run(tmp_path / name, f"--output={tmp_path / 'out.mkv'}", "--overwrite")
        assert re.search(rf"note: .*{name}: {reason}", err), err
        assert fewest <= len(planes(tmp_path / "out.mkv")) <= most


def test_a_video_that_was_stopped_goes_on_with_another_wish_for_its_sound(
    run, tmp_path, monkeypatch
):
    video, output = make(tmp_path / "in.mp4", audio="aac"), tmp_path / "out.mp4"
    with monkeypatch.context() as context:
        context.setattr(work_directory, "join", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(video, f"--output={output}")
    segments = sorted(work_directory.root_of(output).glob("*.nut"))
    made = [path.stat().st_mtime_ns for path in segments]
    found, real = [], work_directory.join

    def join(reader, info, parts, *arguments):
        found.extend(path.stat().st_mtime_ns for path in parts)
        return real(reader, info, parts, *arguments)

    monkeypatch.setattr(work_directory, "join", join)
    _, err = run(video, f"--output={output}", "--audio=opus")
    assert found == made and len(made) == 3 and "note" not in err
    assert [s[:2] for s in contents(output).streams] == [("video", True), ("audio", "opus")]


def test_films_among_images(run, tmp_path):
    folder = tmp_path / "all"
    (folder / "below").mkdir(parents=True)
    photo().save(folder / "a.png")
    make(folder / "below" / "b.avi", count=3)
    make(folder / "c.mp4", count=3)
    out, _ = run(folder, f"--output={tmp_path / 'better'}")
    assert "enhanced 1 of 1 images" in out and "enhanced 2 of 2 videos" in out
    made = sorted(
        p.relative_to(tmp_path / "better").as_posix() for p in (tmp_path / "better").rglob("*.*")
    )
    assert made == ["a.png", "below/b.mkv", "c.mp4"]
    out, _ = run(folder, f"--output={tmp_path / 'better'}")
    assert "already there: 1 of 1 images" in out and "already there: 2 of 2 videos" in out


def test_a_video_is_written_over_only_if_asked(run, tmp_path, model_file):
    video = make(tmp_path / "in.mp4", count=3)
    before = state(tmp_path)
    line = refused(f"--model={model_file}", video, f"--output={tmp_path}")
    assert "in.mp4: is one of the videos" in line and state(tmp_path) == before
    run(video, f"--output={video}", "--overwrite")
    assert (
        list(tmp_path.iterdir()) == [video]
        and video.read_bytes() != before[video]
        and len(planes(video)) == 3
    )


def cut(video: pathlib.Path, share: float) -> bytes:
    contents = video.read_bytes()
    return contents[: int(share * len(contents))]


def bad_videos(folder: pathlib.Path) -> dict[str, str]:
    """Writes them; why each is refused."""
    front = make(folder / "front.mp4", count=60, options={"crf": "10", "preset": "veryfast"})
    (folder / "cut.mp4").write_bytes(cut(front, 0.5))
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mkv").write_text("no video\n" * 100)
    (folder / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
    sound = make(folder / "sound.mp4", count=3, audio="aac")
    with av.open(str(sound)) as source, av.open(str(folder / "sound only.mp4"), "w") as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    make(folder / "interlaced.mkv", options={"x264-params": "tff=1"})
    for name in ("front.mp4", "sound.mp4"):
        (folder / name).unlink()
    make(folder / "good.mp4", count=3)
    return {
        "cut.mp4": "cannot be read as a video",
        "empty.mp4": "is empty",
        "text.mkv": "cannot be read as a video",
        "noise.mp4": "cannot be read as a video",
        "sound only.mp4": "has no video stream",
        "interlaced.mkv": "is interlaced",
    }


def test_bad_films_are_named_and_the_good_one_is_made(run, tmp_path):
    (tmp_path / "in").mkdir()
    reasons = bad_videos(tmp_path / "in")
    out, err = run(tmp_path / "in", f"--output={tmp_path / 'out'}", code=1)
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == len(reasons)
    assert f"enhanced 1 of {len(reasons) + 1} videos" in out
    for name, reason in reasons.items():
        assert [line for line in lines if f"{name}: {reason}" in line], err
    assert [p.name for p in (tmp_path / "out").iterdir()] == [
        "good.mp4"
    ]  # nothing of the others, hidden or not


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--output={}/out.avi"], "out.avi: cannot tell the container of a video; end it in .mp4"),
        (["--output={}/out.png"], "out.png: cannot tell the container"),
        (["--output={}/out.mp4", "--scale=2"], "--scale=2: is for images"),
        (
            ["--output={}/out.webm", "--codec=h264"],
            "h264 cannot code 128x64 yuv420p into .webm; --codec=vp9 or av1 can",
        ),
        (
            ["--output={}/out.ts", "--codec=vp9"],
            "vp9 cannot code 128x64 yuv420p into .ts; --codec=hevc or h264 can",
        ),
        (
            ["--output={}/out.ts", "--codec=av1"],
            "av1 cannot code 128x64 yuv420p into .ts; --codec=hevc or h264 can",
        ),
        (
            ["--output={}/out.ts", "--codec=ffv1"],
            "ffv1 cannot code 128x64 yuv420p into .ts; --codec=hevc or h264 can",
        ),
        (
            ["--output={}/out.webm", "--audio=aac"],
            r".webm cannot hold its audio stream 1 \(aac\) as --audio=aac asks; --audio=opus",
        ),
        (["--output={}/out.mp4", "--model=residual99"], "--model=residual99: no such file"),
    ],
)
def test_mistakes(tmp_path, model_file, arguments, reason):
    video = make(tmp_path / "in.mp4", count=2, audio="aac")
    before = state(tmp_path)
    given = [argument.replace("{}", str(tmp_path)) for argument in arguments]
    model_flag = (
        [] if any("--model" in argument for argument in given) else [f"--model={model_file}"]
    )
    code, _, err = command(*model_flag, video, *given)
    assert code == 1 and err.count("\n") == 1 and re.search(reason, err), err
    assert state(tmp_path) == before


def test_without_the_extra(tmp_path, monkeypatch, model_file):
    video = make(tmp_path / "in.mp4", count=2)
    monkeypatch.setitem(sys.modules, "av", None)
    line = refused(f"--model={model_file}", video, f"--output={tmp_path / 'out.mp4'}")
    assert line == f"error: {video}: is a video; to enhance videos, pip install 'rts_tf[video]'"
