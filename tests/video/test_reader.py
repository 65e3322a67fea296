"""A video file is read: opened once, with the same frames as a newly opened file, and surveyed."""

import gc

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.video import reader as reading  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from rts_tf.video.side_data import SideData  # noqa: E402
from tests.support.videos import make, planes  # noqa: E402

X265 = {"x265-params": "log-level=none", "preset": "ultrafast"}
OPEN_GOPS = {"x264-params": "open-gop=1:keyint=8", "crf": "15"}
VIDEOS = {
    "h264.mp4": {"audio": "aac", "variable": True},
    "h264.mkv": {"options": OPEN_GOPS, "audio": "libopus"},
    "hevc.mkv": {"codec": "libx265", "pixels": "yuv420p10le", "options": X265},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime"}, "audio": "libopus"},
    "ffv1.mkv": {"codec": "ffv1", "options": {}, "pixels": "yuv444p"},
    "broadcast.ts": {"audio": "mp2"},
    "old.avi": {},
    "raw.264": {},
}
OPENED_AGAIN = (".ts", ".avi", ".264")  # seeking to their start may not restore every state


@pytest.fixture
def opened(monkeypatch):
    """The paths of all files that readers opened."""
    paths, real = [], reading.open_input
    monkeypatch.setattr(reading, "open_input", lambda path: paths.append(path) or real(path))
    return paths


@pytest.mark.parametrize("name", VIDEOS)
def test_one_opening_gives_the_frames_of_a_new_one(tmp_path, opened, name):
    path = make(tmp_path / name, count=24, **VIDEOS[name])
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height) == (128, 64)
        assert reader.survey().packets == 24
        frames = list(reader.frames())
    assert len(opened) == (2 if path.suffix in OPENED_AGAIN else 1)
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    for frame, expected in zip(frames, planes(path), strict=True):
        flat = np.concatenate([plane.ravel() for plane in frame.planes])
        np.testing.assert_array_equal(flat, expected.ravel())


def test_reading_from_a_frame_on(tmp_path):
    path = make(tmp_path / "in.mkv", count=9)
    with VideoReader(path) as reader:
        every, later = list(reader.frames()), list(reader.frames(first=6))
    assert [frame.time for frame in later] == [frame.time for frame in every[6:]]
    for one, two in zip(later, every[6:], strict=True):
        np.testing.assert_array_equal(one.planes[0], two.planes[0])


def test_frames_in_the_format_of_an_encoder(tmp_path):
    path = make(tmp_path / "in.mkv", codec="ffv1", pixels="bgr0", options={}, count=2)
    with VideoReader(path) as reader:
        info = reader.info.in_format_of(("nv12", "yuv420p"))
        frame = next(reader.frames(info))
    assert info.format == "yuv420p" and not info.full_range and info.matrix == 1
    assert [plane.shape for plane in frame.planes] == [(64, 128), (32, 64), (32, 64)]


def test_a_file_with_other_streams_is_opened_again_to_copy_them(tmp_path, opened):
    """Seeking would leave out the first packet of the audio, whose time is negative."""
    path = make(tmp_path / "sound.webm", **VIDEOS["vp9.webm"])
    with av.open(str(path)) as container:
        expected = [bytes(packet) for packet in container.demux(audio=0)]
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 11
        found = [bytes(packet) for packet in reader.at_start().demux(audio=0)]
    assert found == expected and len(opened) == 2


def test_a_file_with_a_video_alone_is_not_opened_again(tmp_path, opened):
    with VideoReader(make(tmp_path / "silent.mp4")) as reader:
        list(reader.frames())
        assert len(reader.at_start().streams) == 1
    assert len(opened) == 1


def test_the_survey_is_that_of_the_packets(tmp_path):
    """Two files with the same video have one digest, whatever else is in them."""
    digests = []
    for name, settings in (("a.mp4", {}), ("b.mp4", {"audio": "aac"}), ("c.mp4", {"count": 12})):
        with VideoReader(make(tmp_path / name, **settings)) as reader:
            survey = reader.survey()
            digests.append(survey.digest)
            assert survey is reader.survey() and set(survey.durations.values()) == {3003}
    assert digests[0] == digests[1] != digests[2]


def test_a_video_that_is_cut_short_is_read_as_far_as_it_goes(tmp_path):
    path = make(tmp_path / "in.mkv", count=60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(path) as reader:
        (note,) = reader.survey().notes
        assert note.startswith("is cut short, at 0:0") and note.endswith(" of 0:02.0")
        assert 20 < len(list(reader.frames())) < 40


def test_frames_are_freed_at_once(tmp_path):
    """Large frames that wait for the collector of garbage would fill the memory."""
    with VideoReader(make(tmp_path / "in.mp4")) as reader:
        gc.collect()
        gc.disable()
        try:
            for _ in reader.frames(side_data=SideData("h264")):
                pass
            alive = [o for o in gc.get_objects() if isinstance(o, av.VideoFrame) and o.width > 16]
        finally:
            gc.enable()
    assert len(alive) < 3
