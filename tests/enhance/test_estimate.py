"""What a video will take is said before the work, and a disk without room for it is refused."""

import re
import shutil
from typing import NamedTuple

import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.enhance import estimate
from rts_tf.enhance.amounts import about, size
from tests.support.enhance_command import model_file, run  # noqa: F401  fixtures
from tests.support.videos import contents, make


class Usage(NamedTuple):
    free: float


LINE = re.compile(r"in\.mp4: about (\S+ \S+), and about (\S+) MB \(twice that until it is whole")


@pytest.fixture
def video(tmp_path, monkeypatch):
    """Of which 30 frames are much."""
    monkeypatch.setattr(estimate, "LEAST", 0.1)
    return make(tmp_path / "in.mp4", count=96, size=(192, 128))


def test_before_the_work_a_line_says_what_it_takes(run, video, tmp_path):
    _, err = run(video, "--strength=0", "--crf=10")
    found = LINE.search(err)
    assert found and "Ctrl-C stops, and the same command continues" in err, err
    estimated, made = float(found[2]) * 1e6, (tmp_path / "in_enhanced.mp4").stat().st_size
    assert made / 2 < max(estimated, 1e5) and estimated < 2 * max(made, 1e5)
    assert len(contents(tmp_path / "in_enhanced.mp4").times) == 96


@pytest.mark.parametrize("codec", ["ffv1", "vp9"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p10le", "gray"])
def test_any_pixels(run, tmp_path, monkeypatch, pixels, codec):
    monkeypatch.setattr(estimate, "LEAST", 0.1)
    monkeypatch.setattr(estimate, "CROP", (320, 192))  # less than the frames in both directions
    made_with = {"codec": "ffv1", "options": {}}
    video = make(tmp_path / "in.mkv", pixels=pixels, count=12, size=(650, 198), **made_with)
    _, err = run(video, "--strength=0", f"--codec={codec}", f"--output={tmp_path / 'out.mkv'}")
    assert "in.mkv: about " in err
    assert not list(tmp_path.glob(".*"))


def test_little_work_has_no_line(run, tmp_path):
    assert "about" not in run(make(tmp_path / "in.mp4", count=5))[1]


def test_a_disk_without_room_is_refused_before_the_work(run, video, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2e3))
    _, err = run(video, "--strength=0", code=1)
    assert re.search(r"in_enhanced.mp4: needs about \S+ MB of its disk until it is whole, and", err)
    assert "make room, or name an --output on another disk" in err
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_disk_that_may_do_is_named(run, video, tmp_path, monkeypatch):
    _, err = run(video, "--strength=0", "--codec=ffv1", f"--output={tmp_path / 'a.mkv'}")
    result = float(LINE.search(err)[2]) * 1e6
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1.5 * result))
    _, err = run(video, "--strength=0", "--codec=ffv1", f"--output={tmp_path / 'b.mkv'}")
    assert re.search(r"until it is whole, of the \S+ MB that are free\); Ctrl-C", err)


def test_amounts_are_of_two_digits():
    assert [about(s) for s in (0, 44.4, 100, 700, 5399, 5401, 40000)] == [
        *("1 s", "44 s", "1.7 min", "12 min", "90 min", "1.5 h", "11 h")
    ]
    sizes = [size(count) for count in (10, 1.26e6, 341e6, 1.26e9, 2e12)]
    assert sizes == ["0.1 MB", "1.3 MB", "340 MB", "1.3 GB", "2000 GB"]
