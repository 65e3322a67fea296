"""A segment that cannot be written ends the video, whenever the failure comes to light."""

import threading
import types

import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.enhance import video as enhancing_video  # noqa: E402
from rts_tf.video.reader import Frame  # noqa: E402


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_failure_after_all_frames_were_handed_over(monkeypatch, tmp_path, failing):
    """The frames of three short segments fit into the queues before the first is written."""
    monkeypatch.setattr(enhancing_video, "SEGMENT", 4)
    handed_over, written = threading.Event(), []

    def frames():
        yield from (Frame(i, ()) for i in range(11))
        handed_over.set()

    def write_segment(path, info, coding, global_header, taken):
        assert len(list(taken)) in (3, 4)
        handed_over.wait(10)
        if path.name == f"{failing}":
            raise OSError(28, "No space left on device")
        written.append(path.name)

    monkeypatch.setattr(enhancing_video, "write_segment", write_segment)
    work = types.SimpleNamespace(segment=lambda number: tmp_path / str(number))
    plan = types.SimpleNamespace(info=None, coding=None)
    with pytest.raises(OSError, match="No space left"):
        enhancing_video.write_segments(frames(), 0, work, plan, False)
    assert str(failing) not in written
