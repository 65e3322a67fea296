"""Segments hold exactly the frames that were written, and join to a video with all streams."""

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.errors import VideoError  # noqa: E402
from rts_tf.video.encoders import ENCODERS, Coding  # noqa: E402
from rts_tf.video.join import join  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from rts_tf.video.rehearsal import rehearse  # noqa: E402
from rts_tf.video.segments import times_of, write_segment  # noqa: E402
from rts_tf.video.wishes import Wishes  # noqa: E402
from tests.support.videos import contents, make, planes  # noqa: E402

LOSSLESS = Coding("ffv1", None)


def test_segments_without_loss_join_to_the_same_frames(tmp_path):
    path = make(tmp_path / "in.mkv", audio="libopus", variable=True, subtitles=True)
    with VideoReader(path) as reader:
        info = reader.info
        target, trial = tmp_path / "o.mkv", tmp_path / "trial.mkv"
        rehearsal = rehearse(reader, info, target, trial, LOSSLESS, Wishes())
        assert rehearsal.warnings == [] and not trial.exists()
        frames = list(reader.frames())
        parts = []
        for number, some in enumerate((frames[:5], frames[5:])):
            parts.append(tmp_path / f"{number}.nut")
            write_segment(parts[-1], info, LOSSLESS, rehearsal.global_header, some)
            assert times_of(parts[-1], info) == [frame.time for frame in some]
        assert join(reader, info, parts, target, LOSSLESS, rehearsal.keeping) == []
    for one, two in zip(planes(path), planes(tmp_path / "o.mkv"), strict=True):
        np.testing.assert_array_equal(one, two)
    before, after = contents(path), contents(tmp_path / "o.mkv")
    assert after.times == before.times and after.copied == before.copied
    assert after.chapters == before.chapters and after.title == before.title


def test_what_is_no_segment_has_no_times(tmp_path):
    path = tmp_path / "0.nut"
    with VideoReader(make(tmp_path / "in.mkv", count=2)) as reader:
        assert times_of(path, reader.info) == []
        path.write_bytes(b"half")
        assert times_of(path, reader.info) == []


def test_a_container_that_cannot_hold_a_stream_is_named_before_the_work(tmp_path):
    coding = Coding("vp9", ENCODERS["vp9"].crf)
    path = make(tmp_path / "in.mp4", count=2, audio="aac")
    target, trial = tmp_path / "o.webm", tmp_path / "trial.webm"
    reason = (
        r".webm cannot hold its audio stream 1 \(aac\) as `audio`=copy asks; `audio`=opus converts"
        " it, `audio`=none leaves it out, a .mkv as output holds it as it is"
    )
    with VideoReader(path) as reader, pytest.raises(VideoError, match=reason):
        rehearse(reader, reader.info, target, trial, coding, Wishes(audio="copy"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]
