"""Interlaced frames are found wherever they are, before any work, and made whole on request."""

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.enhance.looks import deinterlacer_for  # noqa: E402
from rts_tf.errors import VideoError  # noqa: E402
from rts_tf.video.interlacing import Deinterlacer  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from tests.support.mpeg2_videos import make_mpeg2  # noqa: E402
from tests.support.videos import make  # noqa: E402


def x264(params: str) -> dict:
    return {"options": {"preset": "ultrafast", "x264-params": params}, "count": 3}


HEVC = {"codec": "libx265", "count": 3}
PRORES = {"codec": "prores_ks", "pixels": "yuv422p10le", "count": 2}


@pytest.mark.parametrize(
    ("name", "settings", "may_be"),
    [
        ("p.mp4", x264(""), False),
        ("p.ts", x264(""), False),
        ("p.mkv", x264("keyint=1"), False),
        ("with times.mkv", x264("pic-struct=1"), True),
        ("top first.mp4", x264("tff=1"), True),
        ("bottom first.ts", x264("bff=1"), True),
        ("p5.mp4", HEVC | {"options": {"x265-params": "log-level=none"}}, False),
        ("p5.ts", HEVC | {"options": {"x265-params": "log-level=none"}}, False),
        ("p9.webm", {"codec": "libvpx-vp9", "options": {}, "count": 3}, False),
        ("pr.mov", PRORES | {"options": {}}, False),
        ("ip.mov", PRORES | {"options": {"flags": "+ildct"}}, True),
        ("f.mkv", {"codec": "ffv1", "options": {}, "count": 2}, True),
    ],
)
def test_which_files_are_decoded_to_find_out(tmp_path, name, settings, may_be):
    """No file with an interlaced frame may be missing; the others cost time."""
    with VideoReader(make(tmp_path / name, **settings)) as reader:
        assert reader.fields().may_be_interlaced() == may_be
        interlaced = any(frame.interlaced_frame for frame in reader.as_decoded())
        assert interlaced <= may_be
        if "first" in name or "ip" in name:
            assert interlaced


@pytest.mark.parametrize("since", [0, 5])
def test_refused_before_any_work(tmp_path, since):
    with VideoReader(make_mpeg2(tmp_path / "in.mkv", interlaced_from=since)) as reader:
        where = f" from frame {since} on" if since else ""
        reason = f"in.mkv: is interlaced{where}; `deinterlace`=auto makes whole frames"
        with pytest.raises(VideoError, match=reason):
            deinterlacer_for(reader, "none")
        with pytest.raises(VideoError, match=reason):
            list(reader.frames())


def test_whole_frames_of_those_that_are_interlaced(tmp_path):
    with VideoReader(make_mpeg2(tmp_path / "in.mkv", 8, interlaced_from=5)) as reader:
        whole = deinterlacer_for(reader, "auto")
        stored = [frame.to_ndarray()[:64] for frame in reader.as_decoded()]
        frames = list(reader.frames(whole=whole))
        later = list(reader.frames(first=6, whole=Deinterlacer()))
    assert (whole.interlaced, whole.frames) == (3, 8)
    assert whole.lines() == [
        "3 of 8 frames were marked as interlaced; bwdif made whole frames of them"
    ]
    assert [frame.time for frame in frames] == list(range(0, 320, 40))
    same = [np.array_equal(a, b.planes[0]) for a, b in zip(stored, frames, strict=True)]
    assert same == [True] * 5 + [False] * 3
    assert [combing(frame.planes[0]) < 0.7 * combing(a) for a, frame in zip(stored, frames)][
        5:
    ] == [True] * 3
    for one, two in zip(frames[6:], later, strict=True):
        assert one.time == two.time and np.array_equal(one.planes[0], two.planes[0])


def combing(luma: np.ndarray) -> float:
    """How much neighbouring rows differ, against rows two apart."""
    rows = luma.astype(float)
    return np.abs(np.diff(rows, axis=0)).mean() / np.abs(rows[2:] - rows[:-2]).mean()


def test_frames_that_are_not_marked(tmp_path):
    with VideoReader(make_mpeg2(tmp_path / "in.mkv", 4)) as reader:
        assert deinterlacer_for(reader, "none") is None
        whole = deinterlacer_for(reader, "bwdif")
        assert len(list(reader.frames(whole=whole))) == 4
    assert whole.lines() == [
        "0 of 4 frames were marked as interlaced; bwdif made whole frames of all"
    ]


def test_single_fields_are_refused(tmp_path):
    options = {"x265-params": "log-level=none:interlace=tff"}
    path = make(tmp_path / "in.mkv", codec="libx265", options=options, count=4)
    with VideoReader(path) as reader, pytest.raises(VideoError, match="holds fields that are not"):
        deinterlacer_for(reader, "auto")
