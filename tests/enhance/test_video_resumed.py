"""A stopped video goes on, other settings begin anew, and a full disk and Ctrl-C lose nothing."""

import errno
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.cli.progress import RunProgress  # noqa: E402
from rts_tf.enhance import video as enhancing_video  # noqa: E402
from rts_tf.enhance import work_directory  # noqa: E402
from rts_tf.enhance.work_directory import root_of  # noqa: E402
from tests.support.disk import largest_file  # noqa: E402
from tests.support.enhance_command import command, model_file  # noqa: E402, F401  fixture
from tests.support.videos import contents, make, planes  # noqa: E402

FRAMES = 11


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(enhancing_video, "SEGMENT", 4)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> pathlib.Path:
    return make(
        tmp_path_factory.mktemp("video") / "video.mp4", audio="aac", variable=True, count=FRAMES
    )


@pytest.fixture
def output(tmp_path) -> pathlib.Path:
    return tmp_path / "better.mp4"


@pytest.fixture
def run(model_file, video, output):
    def run(*arguments, code=0, source=video):
        found, out, err = command(f"--model={model_file}", source, f"--output={output}", *arguments)
        assert found == code and "Traceback" not in err, out + err
        return out + err

    return run


@pytest.fixture(scope="module")
def unbroken(model_file, video, tmp_path_factory) -> pathlib.Path:
    made = tmp_path_factory.mktemp("unbroken") / "better.mp4"
    before, enhancing_video.SEGMENT = enhancing_video.SEGMENT, 4
    try:
        assert command(f"--model={model_file}", video, f"--output={made}")[0] == 0
    finally:
        enhancing_video.SEGMENT = before
    return made


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_at(monkeypatch, number: int):
    """The ``number``-th rename of the run does not come to pass, nor anything after it."""
    real, count = os.replace, 0

    def replace(source, target):
        nonlocal count
        count += 1
        if count >= number:
            raise Killed
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)


def segments(output: pathlib.Path) -> list[str]:
    return sorted(path.name for path in root_of(output).glob("[0-9]*.nut"))


def same(one: pathlib.Path, two: pathlib.Path) -> bool:
    return one.read_bytes() == two.read_bytes()


RENAMES_BEFORE = 2  # of settings.json and machine.json, before the first segment


@pytest.mark.parametrize("rename", [1, 3, 5, 6])
def test_killed_and_continued(run, output, unbroken, monkeypatch, rename):
    """At the settings, the first and last segment, and the video; with half-written files."""
    with monkeypatch.context() as context, pytest.raises(Killed):
        killed_at(context, rename)
        run()
    assert len(segments(output)) == max(0, rename - 1 - RENAMES_BEFORE) and not output.exists()
    root_of(output).mkdir(exist_ok=True)
    for name in (".00001.1.tmp.nut", "trial.mp4", "joined.mp4", ".settings.1.tmp.json"):
        (root_of(output) / name).write_bytes(b"half")
    made = {name: (root_of(output) / name).stat().st_mtime_ns for name in segments(output)}
    after, real = {}, work_directory.join

    def join(video, found, parts, *arguments):
        after.update({path.name: path.stat().st_mtime_ns for path in parts})
        return real(video, found, parts, *arguments)

    with monkeypatch.context() as context:
        context.setattr(work_directory, "join", join)
        run()
    assert {name: after[name] for name in made} == made and len(
        after
    ) == 3  # what was whole was not made again
    assert list(output.parent.iterdir()) == [output] and same(output, unbroken)


SEGMENT_OF_A_VIDEO = """
import pathlib, sys
from rts_tf.video.encoders import ENCODERS, Coding
from rts_tf.video.reader import VideoReader
from rts_tf.video.segments import write_segment
with VideoReader(sys.argv[1]) as reader:
    coding = Coding("h264", ENCODERS["h264"].crf)
    write_segment(pathlib.Path(sys.argv[2]), reader.info, coding, True, reader.frames())
"""


def test_a_segment_is_the_same_whatever_lies_in_memory(tmp_path):
    """In rows of 10 macroblocks, beyond whose end x264 reads with AVX-512."""
    video, made = make(tmp_path / "in.mkv", size=(160, 96), count=24), []
    for fill in ("1", "170"):  # glibc fills with it what is allocated
        made.append(tmp_path / f"{fill}.nut")
        command = [sys.executable, "-c", SEGMENT_OF_A_VIDEO, video, made[-1]]
        subprocess.run(command, check=True, env=os.environ | {"MALLOC_PERTURB_": fill})
    assert same(*made)


def test_ctrl_c(run, output, unbroken, monkeypatch):
    """Heard between frames: the segments that are done stay."""
    real = RunProgress.advance

    def advance(self, *arguments):
        if arguments[2].endswith("frame 8 of 11"):
            os.kill(os.getpid(), signal.SIGINT)
        real(self, *arguments)

    with monkeypatch.context() as context:
        context.setattr(RunProgress, "advance", advance)
        assert "The same command continues" in run(code=130)
    assert segments(output) in (["00000.nut"], ["00000.nut", "00001.nut"]) and not output.exists()
    run()
    assert same(output, unbroken)


@pytest.mark.parametrize("other", ["--strength=0.5", "--crf=30", "video", "weights", "damage"])
def test_work_of_other_settings_is_not_continued(
    run, video, output, unbroken, monkeypatch, tmp_path, other
):
    """The result is that of a run of its own."""
    if other == "damage":
        arguments, source = [], video
    elif other == "video":
        arguments, source = [], make(tmp_path / "other.mp4", matrix=5, count=FRAMES)
    elif other == "weights":
        from rts_tf import networks

        networks.build("residual1").save(tmp_path / "other.keras")
        arguments, source = [f"--model={tmp_path / 'other.keras'}"], video
    else:
        arguments, source = [other], video
    with monkeypatch.context() as context, pytest.raises(Killed):
        killed_at(context, RENAMES_BEFORE + 3)
        run(*arguments, source=source)
    assert len(segments(output)) == 2
    if other == "damage":
        (root_of(output) / "00000.nut").write_bytes(b"not a video")
    said = run()
    assert same(output, unbroken) and not root_of(output).exists()
    assert ("so it began anew" in said) == (other != "damage")


def test_another_cpu_goes_on_and_says_so(run, output, unbroken, monkeypatch):
    with monkeypatch.context() as context, pytest.raises(Killed):
        killed_at(context, RENAMES_BEFORE + 3)
        run()
    assert len(segments(output)) == 2
    made = {name: (root_of(output) / name).stat().st_mtime_ns for name in segments(output)}
    monkeypatch.setattr(work_directory, "instruction_set", lambda: "ANOTHER")
    kept, real = {}, work_directory.join

    def join(reader, info, parts, *arguments):
        kept.update({path.name: path.stat().st_mtime_ns for path in parts})
        return real(reader, info, parts, *arguments)

    monkeypatch.setattr(work_directory, "join", join)
    said = run()
    assert "continued on a CPU with other instructions (" in said and "then ANOTHER)" in said
    assert {name: kept[name] for name in made} == made
    assert same(output, unbroken)  # here it is the same CPU after all


def test_a_video_half_made_by_an_earlier_version_is_continued_in_silence(
    run, output, unbroken, monkeypatch
):
    with monkeypatch.context() as context, pytest.raises(Killed):
        killed_at(context, RENAMES_BEFORE + 3)
        run()
    (root_of(output) / "machine.json").unlink()
    assert "note" not in run()
    assert same(output, unbroken)


def test_a_disk_that_is_full(run, output, unbroken, monkeypatch):
    with largest_file(unbroken.stat().st_size - 100):  # the last bytes of the video itself
        assert "better.mp4: cannot be written" in run(code=1)
    assert not output.exists() and len(segments(output)) == 3
    with largest_file(4000):
        assert "better.mp4: cannot be written (File too large)" in run("--crf=1", code=1)
    assert not output.exists() and not [name for name in os.listdir(output.parent) if "tmp" in name]

    real = enhancing_video.write_segment
    with monkeypatch.context() as context:
        context.setattr(
            enhancing_video, "write_segment", lambda path, *a: _full(path) or real(path, *a)
        )
        assert (
            "No space left on device). What was done is kept; make room and run the command again"
            in run(code=1)
        )
    assert segments(output) == ["00000.nut"]
    run()
    assert same(output, unbroken)


def _full(path: pathlib.Path) -> None:
    if path.name != "00000.nut":
        raise OSError(errno.ENOSPC, "No space left on device")


def test_another_process_has_the_video(run, output):
    root_of(output).mkdir()
    from rts_tf.locks import lock

    with lock(root_of(output), "--output", "is a test"):
        assert "another process enhances a video there; wait for it, or stop it" in run(code=1)
    run()


def test_killed_after_the_last_rename(run, video, output, unbroken, monkeypatch, model_file):
    """Leftovers go. A video that replaced its source is not enhanced twice."""

    def leave(*arguments, **options):
        raise Killed

    for arguments, source in (([], video), (["--overwrite"], output)):
        if source == output:
            output.write_bytes(video.read_bytes())
        with monkeypatch.context() as context, pytest.raises(Killed):
            context.setattr(shutil, "rmtree", leave)
            run(*arguments, source=source)
        assert same(output, unbroken) and root_of(output).exists()
        assert (
            "was there already" in (said := run(*arguments, source=source))
            or "already there: 1 of 1 videos" in said
        )
        assert same(output, unbroken) and not root_of(output).exists()


def test_what_is_enhanced_is_sharper(video, unbroken):
    """Not a copy of the video: luma has changed, and every frame with it."""
    for before, after in zip(planes(video), planes(unbroken), strict=True):
        assert np.abs(before[:64].astype(int) - after[:64]).mean() > 0.5
    assert len(contents(unbroken).times) == FRAMES
