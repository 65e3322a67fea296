"""The page of --compare shows stills of videos: the same moments before and after."""

import re

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.enhance.compared_videos import STILLS
from rts_tf.video.stills import spread, stills, stills_at
from tests.support.enhance_command import model_file, run  # noqa: F401  fixtures
from tests.support.html_page import Page, decode
from tests.support.videos import contents, make

HEADING = re.compile(r"<h2>(.*?)</h2>")


def test_stills_of_what_was_made_and_of_what_was_there(run, tmp_path):
    video = make(tmp_path / "a.mkv", codec="ffv1", options={}, count=24)
    page = tmp_path / "page.html"
    flags = f"--output={tmp_path / 'b.mkv'}", "--strength=0", "--codec=ffv1", f"--compare={page}"
    for said in ("enhanced 1 of 1 videos", "already there: 1 of 1 videos"):
        out, _ = run(video, *flags)
        assert said in out and f"compare: {page}" in out
        text = page.read_text()
        names = HEADING.findall(text)
        assert len(names) == STILLS and names == sorted(names)
        assert names[0] == "a.mkv, 0:00:00.133"  # a sixth of 24 frames at 30/1.001 Hz
        images = [decode(image["src"]) for image in Page(text).images]
        frames = [still.pixels for still in stills(str(video), STILLS)]
        for i, frame in enumerate(frames):
            np.testing.assert_array_equal(images[2 * i], frame)
            np.testing.assert_array_equal(images[2 * i + 1], frame)
        assert (frames[0] != frames[1]).any()
        page.unlink()


def test_a_video_over_its_source_has_nothing_to_be_compared_with(run, tmp_path):
    video = make(tmp_path / "a.mkv", count=5)
    flags = f"--output={video}", "--overwrite", f"--compare={tmp_path / 'page.html'}"
    out, err = run(video, *flags)
    assert "enhanced 1 of 1" in out and "compare: nothing to show" in out
    assert f"note: {video}: was written over, so the page has no stills of it" in err


def test_a_still_is_upright(tmp_path):
    video = make(tmp_path / "a.mov", count=9)
    turned = make(tmp_path / "turned.mov", count=9, rotation=90)
    upright = np.rot90(stills(str(video), 1)[0].pixels, 1)
    np.testing.assert_array_equal(stills(str(turned), 1)[0].pixels, upright)


def test_frames_are_found_by_their_times(tmp_path):
    """Also between key frames, and where frames follow each other at any times."""
    for name, variable in (("steady.mp4", False), ("variable.mp4", True)):
        video = make(tmp_path / name, count=40, variable=variable, options={"g": "30"})
        times = [float(time) for time in contents(video).times]
        start = times[0]
        for number in (0, 1, 17, 33, 39):
            (found,) = stills_at(str(video), [times[number] - start])
            assert found.seconds == pytest.approx(times[number] - start, abs=1e-3)
        assert stills_at(str(video), [times[-1] + 60]) == [None]


def test_frames_at_places_that_are_spread(tmp_path):
    video = str(make(tmp_path / "a.mp4", count=60))
    found = spread(video, 3, 4)
    assert [len(frames) for frames in found] == [4, 4, 4]
    firsts = [frames[0].pts for frames in found]
    assert firsts == sorted(firsts) and len(set(firsts)) == 3
    assert len(spread(str(make(tmp_path / "short.mp4", count=1)), 3, 4)) == 1
